from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.data import decoded_cache, memory, samples
from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.data.samples import Decoder, Sample, clip_boxes, open_samples
from cnnexp.errors import InputError
from tests.data.tiny import write_mask, write_picture

MASK_VALUES = (0, 1, *[-1] * 253, 255)


@pytest.fixture
def pair(tmp_path: Path) -> Sample:
    picture = write_picture(tmp_path / "a.png", size=(20, 30))
    return Sample(picture, "a", mask=write_mask(tmp_path / "masks" / "a.png", np.ones((20, 30))))


def decoder(*parts: Sample) -> Decoder:
    return Decoder(parts, (10, 15), 3, mask_values=MASK_VALUES)


def test_boxes_are_cut_at_the_edges_and_slivers_left_out() -> None:
    boxes = torch.tensor([[-5.0, 2, 10, 8], [28, 5, 40, 9], [31, 5, 40, 9], [4, 4, 5, 9], [6, 6, 3, 9]])
    kept, usable = clip_boxes(boxes, (20, 30))
    assert kept.tolist() == [[0, 2, 10, 8], [28, 5, 30, 9]]
    assert usable.tolist() == [True, True, False, False, False]


def test_in_memory_and_on_disk_give_the_same_batch(cache: Path, tmp_path: Path) -> None:
    parts = [
        Sample(
            write_picture(tmp_path / f"{i}.jpg", (i * 40, 9, 9)),
            str(i),
            label=i,
            boxes=((0, 0, 20, 10),) * i,
            classes=(i,) * i,
        )
        for i in range(4)
    ]
    both = Decoder(tuple(parts), (10, 15), 3, boxed=True)
    held, read = open_samples(both, True), open_samples(both, False)
    assert isinstance(held, TensorSplit)
    assert isinstance(read, FileSplit)
    assert list(held.names or ()) == list(read.names or ()) == ["0", "1", "2", "3"]
    expected = held.batch([3, 1])
    found = pickle.loads(pickle.dumps(read)).batch([3, 1])
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert expected["boxes"][0, 0].tolist() == [0.0, 0.0, 10.0, 5.0]
    strata = read.labels_for_strata()
    assert strata is not None and strata.tolist() == [0, 1, 2, 3]


def test_auto_goes_by_the_decoded_size(cache: Path, pair: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_samples(decoder(pair), "auto"), TensorSplit)
    monkeypatch.setattr(memory, "MEMORY_BUDGET", 4 * 10 * 15 - 1)
    assert isinstance(open_samples(decoder(pair), "auto"), FileSplit)


def test_a_mask_of_another_size_is_refused(cache: Path, pair: Sample) -> None:
    assert pair.mask is not None
    write_mask(pair.mask, np.zeros((20, 31)))
    with pytest.raises(InputError, match=r"masks.a\.png: the mask has 31×20 pixels and its picture a\.png 30×20"):
        open_samples(decoder(pair), True)


def test_a_mask_value_without_a_class_is_refused(cache: Path, pair: Sample) -> None:
    assert pair.mask is not None
    write_mask(pair.mask, np.full((20, 30), 7))
    with pytest.raises(InputError, match=r"a\.png: holds the value 7.*allowed: 0, 1, 255"):
        open_samples(decoder(pair), True)


def test_slow_decoding_is_kept_for_the_next_run(cache: Path, pair: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SLOW_DECODE_S", -1.0)
    first = open_samples(decoder(pair), True).batch([0])
    assert len(list((cache / "decoded").iterdir())) == 1
    monkeypatch.setattr(samples, "read_picture", None)  # nothing is decoded again
    again = open_samples(decoder(pair), True).batch([0])
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_a_changed_picture_is_decoded_again(cache: Path, pair: Sample) -> None:
    before = decoded_cache.key_of([pair.picture], "how")
    assert decoded_cache.key_of([pair.picture], "how") == before
    assert decoded_cache.key_of([pair.picture], "otherwise") != before
    pair.picture.write_bytes(pair.picture.read_bytes() + b"\0")
    assert decoded_cache.key_of([pair.picture], "how") != before


def test_a_damaged_cache_is_not_believed(cache: Path, pair: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SLOW_DECODE_S", -1.0)
    first = open_samples(decoder(pair), True).batch([0])
    next((cache / "decoded").iterdir()).write_bytes(b"PK\x03\x04 cut")
    again = open_samples(decoder(pair), True).batch([0])
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_decoding_stops_at_the_first_broken_picture(cache: Path, pair: Sample, tmp_path: Path) -> None:
    broken = Sample(tmp_path / "b.png", "b", mask=pair.mask)
    broken.picture.write_bytes(b"x")
    with pytest.raises(InputError, match=r"b\.png: not a readable picture"):
        open_samples(decoder(pair, broken), True)
