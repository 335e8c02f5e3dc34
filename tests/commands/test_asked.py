"""Which words are settings and which are files, and what stands in where no data is named."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnexp.commands.asked import files_in, names_data, settings_and_files, suitable_data
from cnnexp.errors import InputError
from cnnexp.inputs.clips import Clips


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_comes_first_and_the_rest_are_files() -> None:
    assert settings_and_files(["last", "a.png", "b=c.png"], "") == ([], ["a.png", "b=c.png"])


def test_a_net_with_weights_stands_in_place_of_a_run() -> None:
    given = ["model=alexnet", "a.png", "model.weights=torchvision", "+data.root=x"]
    assert settings_and_files(given, "") == (["model=alexnet", "model.weights=torchvision", "+data.root=x"], ["a.png"])


def test_a_file_whose_name_looks_like_a_setting_is_a_file(folder: Path) -> None:
    (folder / "lr=0.1.png").touch()
    assert settings_and_files(["model=alexnet", "lr=0.1.png"], "") == (["model=alexnet"], ["lr=0.1.png"])
    (folder / "sweep=3").mkdir()
    assert settings_and_files(["sweep=3", "a.png"], "") == ([], ["a.png"]), "a run's folder"


@pytest.mark.parametrize("word", ["optimizer.lr=0.1", "modelweights=x", "epochs=3"])
def test_settings_of_a_training_are_refused(word: str) -> None:
    with pytest.raises(InputError, match=rf"^{word}: without a run only .*, as in: cnnexp predict model=alexnet"):
        settings_and_files(["model=alexnet", word, "a.png"], "cnnexp predict model=alexnet")


def test_whether_data_is_named() -> None:
    for words in (["data=mnist"], ["dataset=mnist"], ["model=x", "+data.root=y"], ["dataset.mean=[0]"]):
        assert names_data(words), words
    assert not names_data(["model=data", "model.data=3", "database=x"])


def test_data_is_added_only_where_the_usual_does_not_suit_the_net() -> None:
    assert suitable_data(["model=lenet5"]) == []
    assert suitable_data(["model=unet"]) == suitable_data(["model=yolo"]) == ["data=digit_scenes"]
    assert suitable_data(["model=yolo", "model=lenet5"]) == [], "the last one counts"
    assert suitable_data(["optimizer.lr=0.1"]) == suitable_data(["model=nosuch"]) == []


def test_a_net_for_another_kind_of_input_is_given_data_of_that_kind() -> None:
    (word,) = suitable_data(["model=fcn_1d"])
    assert word != "data=digit_scenes" and word.startswith("data=")


def of(*suffixes: str) -> Any:
    return SimpleNamespace(suffixes=frozenset(suffixes), noun="picture", is_sample=lambda folder: False)


def test_a_folder_of_frames_is_a_clip(folder: Path) -> None:
    clips = Clips(frames=4, channels=3, image_size=(8, 8))
    (folder / "frames").mkdir()
    with pytest.raises(InputError, match="frames: a folder without clips"):
        files_in(["frames"], clips)
    (folder / "frames" / "1.png").touch()
    assert files_in(["frames"], clips) == [Path("frames")]
    (folder / "frames" / "a.mp4").touch()
    assert files_in(["frames"], clips) == [Path("frames/a.mp4")], "films are clips of their own"


def test_of_a_folder_the_samples_in_their_order(folder: Path) -> None:
    inside = folder / "pets"
    (inside / "deeper.png").mkdir(parents=True)
    for name in ("b.PNG", "a.png", "notes.txt", "c.jpg"):
        (inside / name).touch()
    (folder / "anything.bin").touch()
    found = files_in(["anything.bin", "pets"], of(".png"))
    assert [str(path) for path in found][:3] == ["anything.bin", "pets/a.png", "pets/b.PNG"]


def test_everything_that_is_missing_has_a_line(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError) as refused:
        files_in(["nowhere.png", "empty"], of(".png", ".jpg"))
    assert list(refused.value.lines) == [
        "nowhere.png: there is no such file",
        "empty: a folder without pictures (.jpg, .png)",
    ]
    with pytest.raises(InputError, match="this net takes no files"):
        files_in(["empty"], of())
