"""Splits with other numbers for their classes: labels, parts, masks with void, boxes with padding; memory and disk."""

from __future__ import annotations

import pickle

import torch
from torch import Tensor

from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.data.renumbered import Renumbering

IMAGE = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)


def test_labels_of_samples_and_of_their_parts() -> None:
    split = Renumbering(Label(), [5, 0]).split(TensorSplit({"image": IMAGE, "label": torch.tensor([0, 1, 0])}))
    assert split.batch([2, 1])["label"].tolist() == [5, 0] and split.batch([2, 1])["index"].tolist() == [2, 1]
    assert split.labels_for_strata().tolist() == [5, 0, 5] and len(split) == 3  # type: ignore[union-attr]
    parts = Renumbering(Label(), [5, 0]).split(TensorSplit({"label": torch.tensor([[0, 1], [1, 1]])}))
    assert parts.batch([0, 1])["label"].tolist() == [[5, 0], [0, 0]] and parts.labels_for_strata() is None


def test_void_stays_void() -> None:
    mask = torch.tensor([[[0, 1], [2, 255]]], dtype=torch.uint8)
    found = Renumbering(Mask(), [3, 0, 1]).split(TensorSplit({"mask": mask})).batch([0])["mask"]
    assert found.tolist() == [[[3, 0], [1, 255]]] and found.dtype == torch.uint8


def test_padding_stays_padding_and_labels_beside_boxes_stay() -> None:
    tensors = {"classes": torch.tensor([[1, -1], [0, 1]]), "label": torch.tensor([1, 0])}
    split = Renumbering(Boxes(), [4, 2]).split(TensorSplit(tensors))
    batch = split.batch([0, 1])
    assert batch["classes"].tolist() == [[2, -1], [4, 2]] and batch["label"].tolist() == [1, 0]
    assert split.labels_for_strata().tolist() == [1, 0]  # type: ignore[union-attr]


def decode(position: int) -> dict[str, Tensor]:
    return {"boxes": torch.ones(position, 4), "classes": torch.arange(position)}


def test_samples_on_disk_are_changed_where_they_are_decoded() -> None:
    split = Renumbering(Boxes(), [7, 5]).split(FileSplit(decode, 3, names=["a", "b", "c"]))
    assert isinstance(split, FileSplit) and split.names == ["a", "b", "c"]
    assert split.batch([0, 2, 1])["classes"].tolist() == [[-1, -1], [7, 5], [7, -1]]
    copy = pickle.loads(pickle.dumps(split))  # as a loader worker gets it
    assert copy[2]["classes"].tolist() == [7, 5] and int(copy[2]["index"]) == 2
