"""The batch engine against torchvision's functions, a loop over pixels, and the boxes of moved masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional

from cnnexp.augmentation.engine import Augmentation, Geometry, move_boxes
from cnnexp.data.base import NO_CLASS, VOID

SIZES = [(6, 6), (7, 7), (6, 9), (5, 8), (1, 4)]
COUNT = 64


def engine(**changes: Any) -> Augmentation:
    arguments: dict[str, Any] = dict(shift=0, mirror_horizontal=0.0, mirror_vertical=0.0, quarter_turn=0.0, seed=3)
    return Augmentation(**(arguments | changes))


def pictures(height: int, width: int, channels: int = 3, count: int = COUNT) -> dict[str, Tensor]:
    """Noise without a 0, so that what came in from outside is told from what was there."""
    generator = torch.Generator().manual_seed(height * 100 + width)
    image = torch.randint(1, 255, (count, channels, height, width), dtype=torch.uint8, generator=generator)
    return {"image": image, "index": torch.arange(count), "label": torch.arange(count)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_mirrors_are_those_of_torchvision(size: tuple[int, int], channels: int) -> None:
    batch = pictures(*size, channels)
    assert torch.equal(engine(mirror_horizontal=1.0)(batch, 0)["image"], functional.hflip(batch["image"]))
    assert torch.equal(engine(mirror_vertical=1.0)(batch, 0)["image"], functional.vflip(batch["image"]))
    both = engine(mirror_horizontal=1.0, mirror_vertical=1.0)(batch, 0)["image"]
    assert torch.equal(both, functional.rotate(batch["image"], 180))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_shift_is_a_crop_of_the_padded_picture(size: tuple[int, int], channels: int) -> None:
    augment, batch = engine(shift=2), pictures(*size, channels)
    moved = augment(batch, 0)["image"]
    seen = set()
    for picture, result in zip(batch["image"], moved, strict=True):
        padded = functional.pad(picture, [2, 2, 2, 2])
        crops = {(top, left): functional.crop(padded, top, left, *size) for top in range(5) for left in range(5)}
        # pictures of one row or column have crops that are equal, all black
        seen |= {place for place, crop in crops.items() if torch.equal(crop, result)}
        assert any(torch.equal(crop, result) for crop in crops.values())
    assert len(seen) > 15


def test_a_shift_beyond_the_picture_leaves_nothing() -> None:
    batch = pictures(2, 2, count=400)
    moved = engine(shift=9)(batch, 0)["image"].flatten(1)
    offset = engine(shift=9).draw(batch["index"].numpy(), 0, square=True).offset
    gone = (offset.abs() >= 2).any(1)
    assert gone.sum() > 300 and not gone.all()
    assert (moved[gone] == 0).all()
    assert (moved[~gone] > 0).any(1).all()


@pytest.mark.parametrize("side", [6, 7])
def test_quarter_turns_of_a_square_are_those_of_rot90(side: int) -> None:
    batch = pictures(side, side)
    turned = engine(quarter_turn=1.0)(batch, 0)["image"]
    counts = {
        k: sum(
            torch.equal(one, torch.rot90(picture, k, (1, 2)))
            for one, picture in zip(turned, batch["image"], strict=True)
        )
        for k in range(4)
    }
    assert counts[0] == 0
    assert min(counts[k] for k in (1, 2, 3)) > 8
    assert sum(counts.values()) == COUNT


@pytest.mark.parametrize("size", [(6, 9), (5, 8)])
def test_other_pictures_are_turned_upside_down_only(size: tuple[int, int]) -> None:
    batch = pictures(*size)
    assert torch.equal(engine(quarter_turn=1.0)(batch, 0)["image"], torch.rot90(batch["image"], 2, (2, 3)))


def moved_pixel_by_pixel(picture: np.ndarray, linear: np.ndarray, offset: np.ndarray, fill: int) -> np.ndarray:
    """(H, W) by the definition of Geometry: every output position asks for its source."""
    height, width = picture.shape
    moved = np.full_like(picture, fill)
    for row in range(height):
        for column in range(width):
            output = np.array([column - (width - 1) / 2, row - (height - 1) / 2])
            x, y = linear @ output + offset + np.array([(width - 1) / 2, (height - 1) / 2])
            assert x == int(x) and y == int(y)
            if 0 <= x < width and 0 <= y < height:
                moved[row, column] = picture[int(y), int(x)]
    return moved


@pytest.mark.parametrize("size", SIZES)
def test_all_at_once_is_what_a_loop_over_pixels_gives(size: tuple[int, int]) -> None:
    augment = engine(shift=2, mirror_horizontal=0.5, mirror_vertical=0.5, quarter_turn=0.7)
    batch = pictures(*size, channels=1)
    batch["mask"] = batch["image"][:, 0] % 7
    moved = augment(batch, 5)
    geometry = augment.draw(batch["index"].numpy(), 5, square=size[0] == size[1])
    assert len({tuple(one.flatten().tolist()) for one in geometry.linear}) == (8 if size[0] == size[1] else 4)
    for i, (linear, offset) in enumerate(zip(geometry.linear.numpy(), geometry.offset.numpy(), strict=True)):
        image = moved_pixel_by_pixel(batch["image"][i, 0].numpy(), linear, offset, fill=0)
        mask = moved_pixel_by_pixel(batch["mask"][i].numpy(), linear, offset, fill=VOID)
        assert np.array_equal(moved["image"][i, 0].numpy(), image)
        assert np.array_equal(moved["mask"][i].numpy(), mask)


def test_a_batch_keeps_its_types_its_other_keys_and_the_original() -> None:
    batch = pictures(6, 6)
    batch["mask"] = batch["image"][:, 0].clone()
    before = {name: value.clone() for name, value in batch.items()}
    moved = engine(shift=2, mirror_horizontal=0.5)(batch, 0)
    assert all(torch.equal(batch[name], value) for name, value in before.items())
    assert moved["image"].dtype == moved["mask"].dtype == torch.uint8
    assert torch.equal(moved["label"], batch["label"]) and torch.equal(moved["index"], batch["index"])


def test_nothing_switched_on_gives_the_same_batch_back() -> None:
    batch = pictures(6, 6)
    assert not engine().active
    assert engine()(batch, 0) is batch
    switches: list[dict[str, Any]] = [
        {"shift": 1},
        {"mirror_horizontal": 0.1},
        {"mirror_vertical": 0.1},
        {"quarter_turn": 0.1},
    ]
    assert all(engine(**switch).active for switch in switches)


ALL = {"shift": 3, "mirror_horizontal": 0.5, "mirror_vertical": 0.5, "quarter_turn": 0.75}


def test_a_draw_depends_on_nothing_but_seed_epoch_and_index() -> None:
    augment, batch = engine(**ALL), pictures(8, 8)
    whole = augment(batch, 4)["image"]
    chosen = torch.tensor([63, 5, 17, 5])
    part = {name: value[chosen] for name, value in batch.items()}
    assert torch.equal(augment(part, 4)["image"], whole[chosen])
    assert torch.equal(engine(**ALL)(batch, 4)["image"], whole)


def test_another_epoch_another_seed_and_another_sample_have_other_draws() -> None:
    index = np.arange(200)

    def drawn(seed: int, epoch: int, first: int = 0) -> set[tuple[int, ...]]:
        geometry = engine(**ALL, seed=seed).draw(index + first, epoch, square=True)
        rows = torch.cat([geometry.linear.flatten(1), geometry.offset], 1).tolist()
        return {(place, *row) for place, row in enumerate(rows)}

    base = drawn(0, 0)
    for other in (drawn(1, 0), drawn(0, 1), drawn(0, 0, first=200)):
        # 8 orientations and 49 shifts: one in 392 agrees by chance
        assert len(base & other) < 8


def test_probabilities_and_shifts_come_as_often_as_they_should() -> None:
    count = 30_000
    augment = engine(shift=2, mirror_horizontal=0.3, mirror_vertical=0.0, quarter_turn=0.0)
    geometry = augment.draw(np.arange(count), 1, square=True)
    mirrored = (geometry.linear[:, 0, 0] == -1).double().mean()
    assert abs(mirrored - 0.3) < 5 * (0.3 * 0.7 / count) ** 0.5
    assert (geometry.linear[:, 1, 1] == 1).all()
    for axis in (0, 1):
        values, counts = geometry.offset[:, axis].unique(return_counts=True)
        assert values.tolist() == [-2, -1, 0, 1, 2]
        assert (counts - count / 5).abs().max() < 5 * (count * 0.2 * 0.8) ** 0.5
    assert abs(np.corrcoef(geometry.offset[:, 0], geometry.offset[:, 1])[0, 1]) < 5 / count**0.5


def test_quarter_turns_are_shared_out_evenly() -> None:
    count = 30_000
    linear = engine(quarter_turn=0.75).draw(np.arange(count), 0, square=True).linear
    turns, counts = linear.flatten(1).unique(dim=0, return_counts=True)
    assert len(turns) == 4
    assert (linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0] == 1).all()  # no mirror
    assert (counts - count / 4).abs().max() < 5 * (count * 0.25 * 0.75) ** 0.5


@pytest.mark.parametrize("size", [(6, 6), (7, 7), (6, 9)])
def test_flips_and_turns_undo_themselves(size: tuple[int, int]) -> None:
    """Each of the eight has an order that divides four, and the same sample in the same epoch is drawn the same."""
    augment = engine(mirror_horizontal=0.5, mirror_vertical=0.5, quarter_turn=0.75)
    batch = pictures(*size)
    moved = dict(batch)
    for _ in range(4):
        moved = augment(moved, 2)
    assert torch.equal(moved["image"], batch["image"])
    assert not torch.equal(augment(batch, 2)["image"], batch["image"])


# --- boxes --------------------------------------------------------------------------------------------------------


def rectangles(height: int, width: int, count: int = 300) -> dict[str, Tensor]:
    """In every picture one filled rectangle: its box, and its mask of ones."""
    generator = np.random.default_rng(height + width)
    image = torch.zeros(count, 1, height, width, dtype=torch.uint8)
    boxes = torch.zeros(count, 3, 4)
    for i in range(count):
        x1, y1 = generator.integers(0, width - 1), generator.integers(0, height - 1)
        x2, y2 = generator.integers(x1 + 1, width + 1), generator.integers(y1 + 1, height + 1)
        image[i, 0, y1:y2, x1:x2] = 1
        boxes[i, 1] = torch.tensor([x1, y1, x2, y2])
    classes = torch.tensor([NO_CLASS, 4, NO_CLASS]).repeat(count, 1)  # padding before and after
    index = torch.arange(count)
    return {"image": image, "mask": image[:, 0].clone(), "boxes": boxes, "classes": classes, "index": index}


def box_of(mask: Tensor) -> list[float]:
    rows, columns = torch.where(mask == 1)
    return [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]


@pytest.mark.parametrize("size", [(12, 12), (11, 11), (10, 15)])
def test_a_moved_box_is_the_box_of_the_moved_mask_or_is_dropped(size: tuple[int, int]) -> None:
    batch = rectangles(*size)
    moved = engine(**{**ALL, "shift": 6})(batch, 1)
    kept = 0
    for i in range(len(batch["image"])):
        visible, whole = int((moved["mask"][i] == 1).sum()), int((batch["mask"][i] == 1).sum())
        if visible >= 0.25 * whole:
            kept += 1
            assert moved["boxes"][i, 1].tolist() == box_of(moved["mask"][i])
            assert moved["classes"][i].tolist() == [NO_CLASS, 4, NO_CLASS]
        else:
            assert moved["classes"][i].tolist() == [NO_CLASS] * 3
            assert moved["boxes"][i].abs().sum() == 0
    assert 30 < kept < 290, "both cases must occur"
    clipped = (moved["mask"] == 1).flatten(1).sum(1) < (batch["mask"] == 1).flatten(1).sum(1)
    assert (clipped & (moved["classes"][:, 1] == 4)).sum() > 10


@pytest.mark.parametrize(("shift", "kept"), [(6, True), (7, False)])
def test_a_quarter_must_stay_visible(shift: int, kept: bool) -> None:
    """A box eight pixels wide that leaves by the left edge; two of its columns are a quarter."""
    offset = torch.tensor([[shift, 0]])
    box, label = torch.tensor([[[0.0, 2.0, 8.0, 6.0]]]), torch.tensor([[1]])
    boxes, classes = move_boxes(Geometry(torch.eye(2).long()[None], offset), box, label, 12, 12)
    assert classes.tolist() == ([[1]] if kept else [[NO_CLASS]])
    assert boxes[0, 0].tolist() == ([0.0, 2.0, 2.0, 6.0] if kept else [0.0] * 4)


def test_padding_stays_padding_wherever_its_zeros_would_move() -> None:
    batch = rectangles(12, 12, count=50)
    batch["classes"] = torch.full_like(batch["classes"], NO_CLASS)
    moved = engine(**ALL)(batch, 0)
    assert (moved["classes"] == NO_CLASS).all()
    assert moved["boxes"].abs().sum() == 0


def test_a_box_without_area_is_dropped() -> None:
    still = Geometry(torch.eye(2).long()[None], torch.zeros(1, 2, dtype=torch.int64))
    boxes, classes = move_boxes(
        still, torch.tensor([[[3.0, 3.0, 3.0, 9.0], [1.0, 1.0, 2.0, 2.0]]]), torch.ones(1, 2), 9, 9
    )
    assert classes.tolist() == [[NO_CLASS, 1]]
    assert boxes[0].tolist() == [[0.0] * 4, [1.0, 1.0, 2.0, 2.0]]


@pytest.mark.parametrize("size", [(40, 40), (39, 39), (30, 46)])
def test_the_inverse_geometry_brings_boxes_back(size: tuple[int, int]) -> None:
    height, width = size
    geometry = engine(**ALL).draw(np.arange(100), 0, square=height == width)
    back = geometry.linear.transpose(1, 2)
    inverse = Geometry(back, -torch.einsum("bij,bj->bi", back, geometry.offset))
    box = torch.tensor([[10.25, 12.0, 20.5, 17.75]]).repeat(100, 1, 1)
    moved = move_boxes(geometry, box, torch.zeros(100, 1, dtype=torch.int64), height, width)
    assert not torch.equal(moved[0], box)
    assert torch.equal(move_boxes(inverse, *moved, height, width)[0], box)


def test_void_comes_in_where_the_mask_moved_away() -> None:
    batch = pictures(6, 6)
    batch["mask"] = torch.zeros(COUNT, 6, 6, dtype=torch.uint8)
    moved = engine(shift=2)(batch, 0)
    outside = (moved["image"] == 0).all(1)
    assert torch.equal(moved["mask"] == VOID, outside)
    assert outside.any()
