"""Masks of volumes: counted, measured, saved and drawn; the truth follows and is renumbered as of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cnnexp.answers.mask import Mask
from cnnexp.answers.voxels import Voxels
from cnnexp.inputs.volumes import Volumes

MASK = Mask(("background", "organ", "tumour"))


def batch() -> dict[str, torch.Tensor]:
    mask = torch.zeros(2, 4, 6, 8, dtype=torch.uint8)
    mask[:, 1:3, 2:4, 2:6], mask[1, 2, 2, 2] = 1, 2
    spacing = torch.tensor([[3.0, 0.5, 0.5], [0.0, 0.0, 0.0]])
    return {"volume": torch.zeros(2, 1, 4, 6, 8), "mask": mask, "spacing": spacing, "index": torch.arange(2)}


def test_what_a_net_says_knows_how_large_a_voxel_is() -> None:
    first, second = MASK.said(batch()["mask"].long(), batch())
    assert isinstance(first, Voxels) and isinstance(second, Voxels)
    row = MASK.as_json(first, np.zeros((1, 1, 1), np.uint8))
    assert row == {
        "size": [4, 6, 8], "voxels": {"background": 176, "organ": 16}, "spacing_mm": [3.0, 0.5, 0.5],
        "volume_mm3": {"background": 176 * 0.75, "organ": 12.0},
    }  # fmt: skip
    assert MASK.lines(row)[0] == "4×6×8 voxels of 3×0.5×0.5 mm"
    assert MASK.lines(row)[2].split(":")[1] == " 16 voxels, 0.01 ml"
    unknown = MASK.as_json(second, np.zeros((1, 1, 1), np.uint8))
    assert unknown == {"size": [4, 6, 8], "voxels": {"background": 176, "organ": 15, "tumour": 1}}
    assert "does not say" in MASK.lines(unknown)[0] and "ml" not in MASK.lines(unknown)[1]


def test_of_pictures_all_is_as_it_was() -> None:
    said = MASK.said(torch.ones(1, 2, 2, dtype=torch.int64), {"index": torch.arange(1)})[0]
    assert isinstance(said, np.ndarray) and said.dtype == np.uint8
    assert MASK.saved(said, Path("mask.npy"), Path("scan.png")) is None


def test_voxels_are_counted_and_renumbered() -> None:
    class Split:
        def batch(self, positions: torch.Tensor) -> dict[str, torch.Tensor]:
            return {key: value[positions] for key, value in batch().items()}

        def labels_for_strata(self) -> None:
            return None

    assert MASK.counts(Split(), np.arange(2)) == [352, 31, 1]
    said = MASK.renumbered(batch(), torch.tensor([2, 0, 1]))["mask"]
    assert said.dtype == torch.uint8 and said.flatten().bincount().tolist() == [31, 1, 352]


def test_marks_and_drawings_lie_on_the_picture() -> None:
    """Of thick slices too."""
    given = Volumes(channels=1, volume_size=(4, 6, 8), mean=(0.0,), std=(1.0,))
    pictures, said = given.pictures(batch()), MASK.said(batch()["mask"].long(), batch())
    for place, picture in enumerate(pictures):
        marks = MASK.marks(batch(), place)["mask"]
        assert marks.shape == picture.shape[:2]
        assert set(np.unique(marks)) <= {0, 1, 2}
        truth = {key: value[place : place + 1] for key, value in batch().items()}
        assert MASK.image(picture, said[place], truth).size > MASK.image(picture, said[place]).size
    assert pictures[0].shape[0] > pictures[1].shape[0]


def test_a_mask_is_saved(tmp_path: Path) -> None:
    said = MASK.said(batch()["mask"].long(), batch())[1]
    content = MASK.saved(said, tmp_path / "m.npy", tmp_path / "scan.npy")
    assert content is not None
    (tmp_path / "m.npy").write_bytes(content)
    assert np.array_equal(np.load(tmp_path / "m.npy"), batch()["mask"][1])


def test_each_class_of_a_volume_is_outlined_in_its_own_colour() -> None:
    said = MASK.said(batch()["mask"].long(), batch())[1]
    assert set(np.unique(said.laid_out(0))) == {0, 1, 2}
    assert set(np.unique(said.laid_out(None))) == {0, 1, 2, 255}, "without a background the gaps are void"
