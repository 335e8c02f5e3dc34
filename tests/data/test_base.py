from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cnnexp.data.base import FileSplit, TensorSplit, collate


@dataclass(frozen=True)
class Counting:
    """Sample i: a picture of the value i, and i boxes."""

    def __call__(self, position: int) -> dict[str, Tensor]:
        return {
            "image": torch.full((1, 2, 2), position, dtype=torch.uint8),
            "boxes": torch.full((position, 4), float(position)),
            "classes": torch.full((position,), position),
        }


def test_tensor_split_batches_by_index() -> None:
    split = TensorSplit({"image": torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1), "label": torch.arange(5) * 10})
    batch = split.batch([4, 0, 4])
    assert batch["image"].flatten().tolist() == [4, 0, 4]
    assert batch["label"].tolist() == [40, 0, 40]
    assert batch["index"].tolist() == [4, 0, 4]
    assert {key: value.dtype for key, value in batch.items()} == {
        "image": torch.uint8,
        "label": torch.int64,
        "index": torch.int64,
    }
    strata = split.labels_for_strata()
    assert strata is not None and strata.tolist() == [0, 10, 20, 30, 40]


def test_tensor_split_refuses_tensors_of_different_length() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        TensorSplit({"image": torch.zeros(3, 1, 2, 2), "label": torch.zeros(2)})


def ragged_split(**changes: Any) -> TensorSplit:
    """Sample i: a signal of i + 1 values i, and i times a mark of two numbers."""
    given: dict[str, Any] = dict(
        ragged={
            "signal": [torch.full((one + 1,), float(one)) for one in range(4)],
            "marks": [torch.full((one, 2), one) for one in range(4)],
        },
        fills={"marks": -1},
    )
    return TensorSplit({"label": torch.arange(4) * 10}, **(given | changes))


def test_samples_of_different_lengths_are_filled_up_to_the_longest_of_a_batch() -> None:
    batch = ragged_split().batch(torch.tensor([2, 0, 1]))
    assert batch["signal"].tolist() == [[2, 2, 2], [0, 0, 0], [1, 1, 0]]
    assert batch["marks"].tolist() == [[[2, 2], [2, 2]], [[-1, -1], [-1, -1]], [[1, 1], [-1, -1]]]
    assert batch["label"].tolist() == [20, 0, 10] and batch["index"].tolist() == [2, 0, 1]
    assert (batch["signal"].dtype, batch["marks"].dtype) == (torch.float32, torch.int64)
    assert [ragged_split().batch([one])["signal"].shape for one in range(4)] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert ragged_split().batch([0])["marks"].shape == (1, 0, 2)


def test_a_transform_sees_what_was_filled_up() -> None:
    def lengths(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**batch, "length": (batch["marks"][:, :, 0] >= 0).sum(1)}

    batch = ragged_split(transform=lengths).batch([3, 1])
    assert batch["length"].tolist() == [3, 1] and batch["index"].tolist() == [3, 1]


def test_a_split_may_be_of_nothing_but_different_lengths() -> None:
    split = TensorSplit({}, ragged={"signal": [torch.zeros(2), torch.ones(1)]})
    assert len(split) == 2 and split.labels_for_strata() is None
    assert split.batch([1, 0])["signal"].tolist() == [[1, 0], [0, 0]]


def test_different_numbers_of_samples_are_refused_whatever_holds_them() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        ragged_split(ragged={"signal": [torch.zeros(2)] * 3})
    with pytest.raises(ValueError, match="differ in length"):
        ragged_split(names=["a", "b", "c"])


def test_labels_of_parts_are_no_strata() -> None:
    assert TensorSplit({"label": torch.zeros(4, 3, dtype=torch.int64)}).labels_for_strata() is None


def test_file_split_pads_boxes_to_the_longest_list() -> None:
    batch = FileSplit(Counting(), 4).batch(torch.tensor([1, 3, 0]))
    assert batch["boxes"].shape == (3, 3, 4)
    assert batch["classes"].tolist() == [[1, -1, -1], [3, 3, 3], [-1, -1, -1]]
    assert batch["boxes"][0, 1:].abs().sum() == 0
    assert batch["index"].tolist() == [1, 3, 0]


def test_file_split_knows_its_end() -> None:
    with pytest.raises(IndexError):
        FileSplit(Counting(), 4)[4]


def test_file_split_travels_to_loader_workers() -> None:
    split = pickle.loads(pickle.dumps(FileSplit(Counting(), 4)))
    order = [[3, 1], [0, 2]]
    loader = DataLoader(split, batch_sampler=order, num_workers=1, collate_fn=collate)
    assert [batch["index"].tolist() for batch in loader] == order
