"""Words of a sweep in Hydra's grammar."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cnnexp.config.options import config_folders
from cnnexp.errors import InputError
from cnnexp.sweep.space import Choice, Interval, Space, number_text, read_space

FOLDERS = config_folders()


def space(*words: str) -> Space:
    return read_space(words, FOLDERS)


@pytest.mark.parametrize(
    ("word", "dimension"),
    [
        ("model=linear,lenet5", Choice("model", ("linear", "lenet5"))),
        ("optimizer.lr=1e-3,0.01", Choice("optimizer.lr", ("0.001", "0.01"))),
        ("model=choice(linear,lenet5)", Choice("model", ("linear", "lenet5"))),
        ("seed=range(0,3)", Choice("seed", ("0", "1", "2"))),
        ("seed=range(4,0,-2)", Choice("seed", ("4", "2"))),
        ("data.fraction=range(0.25,1,0.25)", Choice("data.fraction", ("0.25", "0.5", "0.75"))),
        ("data.image_size=[28,28],[32,32]", Choice("data.image_size", ("[28,28]", "[32,32]"))),
        ("+model.width=1,2", Choice("model.width", ("1", "2"), plus="+")),
        ("dataset.fraction=0.1,0.2", Choice("data.fraction", ("0.1", "0.2"))),
        ("optimizer.lr=interval(0.1,1)", Interval("optimizer.lr", 0.1, 1.0)),
        ("optimizer.lr=tag(log,interval(1e-3,1))", Interval("optimizer.lr", 0.001, 1.0, log=True)),
        ("epochs=int(interval(1,9))", Interval("epochs", 1, 9, whole=True)),
        ("batch_size=tag(log,int(interval(8,256)))", Interval("batch_size", 8, 256, log=True, whole=True)),
    ],
)
def test_a_word_becomes_a_dimension(word: str, dimension: Choice | Interval) -> None:
    assert space(word).dimensions == (dimension,)


def test_a_glob_picks_options_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for name in ("mynet_small", "mynet_large", "mynet_old", "another"):
        (tmp_path / "model" / f"{name}.yaml").write_text("# A net\n")
    (dimension,) = read_space(["model=glob(mynet*,exclude=*old)"], config_folders([str(tmp_path)])).dimensions
    assert dimension == Choice("model", ("mynet_large", "mynet_small"))


def test_words_with_one_value_are_shared_by_all_trials() -> None:
    found = space("model=linear", "seed=range(0,2)", "optimizer.lr=choice(0.1)")
    assert found.fixed == ("model=linear", "optimizer.lr=0.1")
    assert [one.key for one in found.dimensions] == ["seed"]


@pytest.mark.parametrize("word", ["seed=shuffle(0,1,2)", "seed=shuffle(range(0,3))"])
def test_an_order_that_is_another_each_time_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=r"sweep\.seed"):
        space(word)


@pytest.mark.parametrize(
    ("value", "text"),
    [(16.0, "16.0"), (-3.0, "-3.0"), (0.1234567, "0.123457"), (1e-5, "1e-05"), (1e7, "1e+07"), (7, "7")],
)
def test_a_drawn_number_is_typed_as_what_it_is(value: float, text: str) -> None:
    assert number_text(value) == text
    assert type(yaml.safe_load(text.replace("1e", "1.0e"))) is type(value)


def test_a_quoted_comma_is_no_sweep() -> None:
    with pytest.raises(InputError, match="nothing varies"):
        space("name='a,b'")


def test_the_points_are_every_combination_once() -> None:
    found = space("model=linear,lenet5", "seed=range(0,3)")
    points = [tuple(point.values()) for point in found.points()]
    assert points == [(model, seed) for model in ("linear", "lenet5") for seed in "012"]
    assert found.count == len(set(points)) == 6


def test_an_interval_has_no_end_of_points() -> None:
    assert space("optimizer.lr=interval(0.1,1)", "seed=0,1").count is None


def test_a_point_gives_its_command_line() -> None:
    found = space("epochs=1", "model=linear,lenet5", "+model.width=1,2")
    assert found.words({"model": "lenet5", "model.width": "2"}) == ["epochs=1", "model=lenet5", "+model.width=2"]


def test_it_reads_back_from_its_description() -> None:
    found = space("epochs=1", "model=linear,lenet5", "+model.width=1,2", "optimizer.lr=tag(log,interval(1e-3,1))")
    assert Space.from_described(found.described()) == found


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("model=linear,lenet5,linear", ["linear is there more than once"]),
        ("optimizer.lr=interval(1,0.1)", ["smaller bound comes first"]),
        ("optimizer.lr=interval(1,1)", ["the two differ"]),
        ("optimizer.lr=tag(log,interval(0,1))", ["above 0"]),
        ("optimizer.lr=tag(logarithm,interval(1e-3,1))", ["no tag logarithm", "log"]),
        ("optimizer.lr=tag(log,choice(0.1,1))", ["for an interval"]),
        ("seed=range(3,3)", ["no value"]),
        ("seed=range(0,3,0)", ["step that is not 0"]),
        ("model=interval(0,1)", ["model takes names"]),
        ("model=glob(rezzznet*)", ["no model is called so", "cnnexp list model"]),
        ("optimizer.lr=glob(*)", ["options of a group", "optimizer.lr is a key"]),
        ("optimizer.lr=interval(0.1", ["not understood", "quotes for the shell"]),
        ("optimizer.lr=choice(", ["not understood"]),
        ("outputs=a,b", ["all trials lie in one folder"]),
        ("lenet5", ["did you mean model=lenet5?"]),
        ("~model", ["cannot be deleted"]),
        ("epochs=3", ["nothing varies", "cnnexp train makes a single run"]),
    ],
)
def test_a_word_that_makes_no_sense_is_refused_with_the_way_out(word: str, says: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        space(word)
    (line,) = refused.value.lines
    assert [part for part in says if part not in line] == [], line


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(InputError) as refused:
        space("optimizer.lr=interval(1,0.1)", "seed=range(3,3)", "epochs=1", "epochs=2,3")
    assert [line.split("=")[0].split(":")[0] for line in refused.value.lines] == ["optimizer.lr", "seed", "epochs"]
