from __future__ import annotations

import pickle
from dataclasses import dataclass

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
