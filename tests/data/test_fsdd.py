"""The spoken digits: the published split, a speaker held out, and what a mirror may not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.data.fsdd import COUNT, DIGITS, SPEAKERS, TAKES, recordings_in
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.sound_files import wav_bytes
from tests.data.tiny import all_of, load_all, make_data_set


def write_recordings(folder: Path, takes: int = TAKES) -> Path:
    """Recordings of the published names: of digit d a tone of so many samples as the take says, and 10."""
    place = folder / "fsdd" / "unpacked" / "recordings"
    place.mkdir(parents=True)
    for digit in range(DIGITS):
        for speaker in SPEAKERS:
            for take in range(takes):
                tone = 0.5 * np.sin((digit + 1) * np.arange(10 + take)).astype(np.float32)
                (place / f"{digit}_{speaker}_{take}.wav").write_bytes(wav_bytes(tone, 8000))
    (folder / "fsdd" / "unpacked" / ".sizes.json").write_text("{}")
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    write_recordings(folder)
    return folder


@pytest.fixture
def held(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(made))
    monkeypatch.delenv("CNNEXP_DATA_MIRROR", raising=False)


def test_the_published_split_goes_by_takes(held: None) -> None:
    data = make_data_set("fsdd", length=40)
    splits = load_all(data)
    assert {name: len(one) for name, one in splits.items()} == {"train": 2400, "val": 300, "test": 300}
    takes = {name: {int(one.rsplit("_")[-1][:-4]) for one in split.names or ()} for name, split in splits.items()}
    assert takes == {"test": set(range(5)), "val": set(range(5, 10)), "train": set(range(10, 50))}
    test = all_of(splits["test"])
    assert test["sound"].shape == (300, 40) and test["sound"].dtype == torch.float32
    assert torch.equal(test["label"].bincount(), torch.full((10,), 30))
    for name, label, length in zip(splits["test"].names or (), test["label"], test["sound_length"], strict=True):
        digit, _, take = name[:-4].split("_")
        assert (int(label), int(length)) == (int(digit), 10 + int(take))
    assert int(all_of(splits["train"])["sound_length"].max()) == 40, "longer ones are cut"
    columns = data.columns("test")
    assert set(columns["speaker"]) == set(SPEAKERS) and set(columns["take"]) == set("01234")


def test_a_speaker_held_out_is_in_the_test_alone(held: None) -> None:
    data = make_data_set("fsdd", length=40, speaker="theo")
    splits = load_all(data)
    assert {name: len(one) for name, one in splits.items()} == {"train": 2250, "val": 250, "test": 500}
    speakers = {name: {one.split("_")[1] for one in split.names or ()} for name, split in splits.items()}
    assert speakers["test"] == {"theo"} and speakers["train"] == speakers["val"] == set(SPEAKERS) - {"theo"}
    assert set(data.columns("test")["speaker"]) == {"theo"}


def test_an_unknown_speaker_is_refused_before_anything_is_fetched() -> None:
    with pytest.raises(InputError, match=r"data\.speaker=jak: no speaker of fsdd; did you mean jackson"):
        make_data_set("fsdd", speaker="jak")


def test_a_folder_with_other_recordings_is_none_of_it(tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match=r"300 recordings that are not the 3,000 published ones"):
        recordings_in(write_recordings(tmp_path, takes=5))


def test_the_mirrored_recordings(mirrored: Path) -> None:
    data = make_data_set("fsdd")
    data.prepare()
    test = all_of(data.load("test"))
    assert len(recordings_in(mirrored / "fsdd")) == COUNT
    assert test["sound"].shape == (300, 6400)
    assert float(test["sound"].abs().amax(1).min()) > 0.01, "no silence"
    # counted with the standard library's reader
    assert [int((test["sound_length"] == 6400).sum()), int(test["sound_length"].min())] == [7, 1148]
