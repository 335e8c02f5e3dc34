"""Classes that no training sample shows are named."""

from __future__ import annotations

import pytest
import torch

from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.builders.untaught import untaught_line
from cnnexp.data.base import DataSet, SplitName, TensorSplit
from tests.tasks import tiny


class OfMasks(DataSet):
    """Training samples of the classes 0 and 2, those of the test of all."""

    targets = ("mask",)

    def load(self, split: SplitName) -> TensorSplit:
        mask = torch.tensor([0, 2] if split == "train" else [0, 1], dtype=torch.uint8)[:, None, None].expand(2, 8, 8)
        return TensorSplit({"image": torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "mask": mask})


class Scanned(OfMasks):
    def refuse_untaught(self) -> None:
        return None


@pytest.mark.parametrize(
    ("names", "kind", "line"),
    [
        (("soil", "leaf", "stem"), OfMasks, "no training sample shows leaf, so the net will not learn it"),
        (
            ("soil", "leaf", "stem", "root"),
            OfMasks,
            "no training sample shows leaf, root, so the net will not learn it",
        ),
        (("soil", "leaf", "stem"), Scanned, None),
    ],
)
def test_a_class_without_a_pixel_is_named(names: tuple[str, ...], kind: type[OfMasks], line: str | None) -> None:
    data = tiny.picture_data(dataset=kind(), facts=tiny.facts(targets={"mask": Mask(names)}))
    assert untaught_line(data, Mask(names)) == line
    assert untaught_line(data, Label(names)) is None
