from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.grammar import as_plain_text
from cnnexp.config.overrides import check_keys, read_words, type_problem
from cnnexp.errors import InputError


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (1, 2),
        (1.0, 2),
        (1.0, 2.5),
        (None, 5),
        (None, "word"),
        (1, None),
        ("auto", 2),
        ("auto", True),
        (1, "auto"),
        (True, False),
        ([1, 2], [3]),
        ("relu", "tanh"),
    ],
)
def test_a_value_of_the_kind_of_the_default(default: Any, value: Any) -> None:
    assert type_problem("key", default, value) is None


@pytest.mark.parametrize(
    ("default", "value", "line"),
    [
        (1, 2.5, "key=2.5: expected a whole number, such as 1"),
        (1, True, "key=true: expected a whole number, such as 1"),
        (1.0, "abc", "key=abc: expected a number, such as 1.0"),
        (0.5, True, "key=true: expected a number, such as 0.5"),
        (True, 1, "key=1: expected true or false, such as true"),
        ([1, 2], 3, "key=3: expected a list, such as [1,2]"),
        ("relu", [1], "key=[1]: expected a word such as relu"),
    ],
)
def test_a_value_of_another_kind(default: Any, value: Any, line: str) -> None:
    assert type_problem("key", default, value) == line


def test_words_are_read_in_hydras_grammar() -> None:
    texts = ["seed=3", "+model.width=[1,2]", "name='a b'", "dataset=cifar10", "dataset.fraction=0.5", "max_steps=null"]
    words = read_words(texts)
    assert [(word.key, word.value, word.added) for word in words] == [
        ("seed", 3, False),
        ("model.width", [1, 2], True),
        ("name", "a b", False),
        ("data", "cifar10", False),
        ("data.fraction", 0.5, False),
        ("max_steps", None, False),
    ]


def test_only_the_whole_word_dataset_is_another_word_for_data() -> None:
    assert [word.key for word in read_words(["datasets=cifar10", "model.dataset=1"])] == ["datasets", "model.dataset"]


def test_every_bad_word_is_told() -> None:
    with pytest.raises(InputError) as caught:
        read_words(["seed=1", "epochs", "~seed", "seed=1,2", "=", "a@b=c"])
    assert len(caught.value.lines) == 5


CONFIG = {
    "epochs": 20,
    "choices": {"epochs": 1},
    "model": {"_target_": "x", "width": 4, "inner": {"lr": 1.0}},
    "optimizer": {"lr": 0.1},
    "hardware": {"threads": None},
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("epochs=3", None),
        ("model.width=8", None),
        ("+model.height=8", None),
        ("hardware.threads=2", None),
        ("model.widht=8", "model.widht: there is no such key; did you mean model.width? "),
        ("+hardware.thread=2", "hardware.thread: there is no such key; did you mean hardware.threads?"),
        ("lr=1", "lr: there is no such key; did you mean model.inner.lr or optimizer.lr?"),
        ("model.epochs=1", "model.epochs: there is no such key; did you mean epochs? "),
        ("epochs.x=1", "epochs.x: epochs is a single value, it has no key x"),
        ("model.inner=1", "model.inner=1: model.inner is a group of keys (lr); set one of them"),
        ("model._target_=y", "model._target_: choose another class"),
        ("model.in_channels=1", "model.in_channels=1: the net is given this; set data.channels"),
        ("+model.in_channels=1", None),
    ],
)
def test_a_key_and_what_is_said_of_it(text: str, line: str | None) -> None:
    found = check_keys(read_words([text]), CONFIG)
    assert [found[0][: len(line)]] == [line] if line else found == []


def test_a_class_that_is_none_takes_no_key() -> None:
    config = {"augmentation": {"_target_": None, "input": None}}
    (line,) = check_keys(read_words(["augmentation.rotate.degrees=1"]), config)
    assert "hands it to the class" not in line


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Options of the optimizer and of the augmentation: alone, one that goes on from another, for another input."""
    for name, text in {
        "optimizer/plain": "lr: 0.1\n",
        "optimizer/heavy": "lr: 0.1\nmomentum: 0.9\n",
        "optimizer/heavier": "defaults:\n  - heavy\n  - _self_\nmomentum: 0.99\n",
        "augmentation/none": "_target_: null\ninput: null\n",
        "augmentation/all": "_target_: x\ninput: pictures\nturn:\n  degrees: 0.0\n",
        "augmentation/some": "defaults:\n  - all\n  - _self_\nturn:\n  degrees: 9.0\n",
        "augmentation/sound": "_target_: x\ninput: sounds\nturn:\n  degrees: 0.0\necho: 0.0\n",
        "model/deep": "# @package _global_\nmodel:\n  depth: 3\n",
        **{f"model/wide{number}": f"# @package _global_\nmodel:\n  width: {number}\n" for number in range(1, 7)},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(f"# What it is for\n{text}")
    return [tmp_path]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimizer.momentum=0.5", "did you mean optimizer.momentum with optimizer=heavy?"),
        ("augmentation.turn.degrees=10", "did you mean augmentation.turn.degrees with augmentation=all?"),
        ("augmentation.turn.degree=10", "did you mean augmentation.turn with augmentation=all?"),
        ("augmentation.echo=0.5", "known are augmentation.input"),  # for sounds
        ("model.depth=4", "did you mean model.depth with model=deep?"),
        ("model.width=4", "did you mean model.width with model=wide1, model=wide2, model=wide3, model=wide4 and so on"),
        ("optimizer.momentun=0.5", "known are optimizer.lr"),
        ("seed.momentum=1", "seed is a single value"),
    ],
)
def test_a_key_that_another_option_of_the_group_has(folders: list[Path], text: str, says: str) -> None:
    config = {
        "seed": 0,
        "data": {"input": "pictures"},
        "optimizer": {"_target_": "x", "lr": 0.1},
        "augmentation": {"_target_": None, "input": None},
        "model": {"_target_": "x", "height": 1},
    }
    (line,) = check_keys(read_words([text]), config, folders)
    assert line.startswith(f"{text.split('=')[0]}: ")
    assert says in line


def test_the_shipped_options_are_looked_through() -> None:
    with pytest.raises(InputError) as caught:
        compose_run(["model=unet", "data=digit_scenes", "augmentation.rotate.degrees=10"])
    assert caught.value.lines == (
        "augmentation.rotate.degrees: there is no such key; did you mean augmentation.rotate.degrees with "
        "augmentation=handwriting or augmentation=pictures?",
    )
    words = ["model=unet", "data=digit_scenes", "augmentation=pictures", "augmentation.rotate.degrees=10"]
    assert compose_run(words)["augmentation"]["rotate"]["degrees"] == 10


@pytest.mark.parametrize(
    "value",
    ["jörg", "größe", "写真/данные", "~/photos", "my photos", "3ö", "a#b", "a!b&c;d", "C:/fotos/ö", "a$b", "œ\\x"],
)
def test_names_in_any_script_need_no_quotes(value: str) -> None:
    (word,) = read_words([f"data.root={value}"])
    assert (word.key, word.value) == ("data.root", value)


@pytest.mark.parametrize("value", ["a=b", "a,b", "[a", "a}b", "photos (1)", "it's", 'a"b', "a'b\"c\\", "é,ü"])
def test_what_needs_quotes_is_shown_as_a_shell_takes_it(value: str) -> None:
    with pytest.raises(InputError) as caught:
        read_words([f"data.root={value}"])
    shown = str(caught.value).split(": ", 2)[-1].split("as plain text it is typed so: ")[-1]
    shown = shown.split("(one value with commas: ")[-1].removesuffix(")") if "commas" in shown else shown
    (typed,) = shlex.split(shown)
    assert read_words([typed])[0].value == value


@pytest.mark.parametrize("value", ["2024", "1_000", "1.50", "[a]", "true"])
def test_a_folder_may_be_called_like_a_number(value: str) -> None:
    with pytest.raises(InputError, match="expected a text; this one is typed so: ") as caught:
        compose_run(["data=image_folder", f"data.root={value}"])
    (typed,) = shlex.split(str(caught.value).split("typed so: ")[1])
    assert compose_run(["data=image_folder", typed])["data"]["root"] == value


def test_a_text_is_no_interpolation_where_it_is_quoted_for_it() -> None:
    (typed,) = shlex.split(as_plain_text("name", "a${seed}b"))
    assert compose_run([typed])["name"] == "a${seed}b"


def test_keys_of_a_mapping_may_stand_in_quotes() -> None:
    (word,) = read_words(['data.mask_values={"#ff0000": car, "1,2,3": größe, 255: [ö, "a b"], black: \'x:y\'}'])
    assert word.value == {"#ff0000": "car", "1,2,3": "größe", 255: ["ö", "a b"], "black": "x:y"}


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(InputError, match="no UTF-8"):
        read_words(["data.root=\udcff"])
