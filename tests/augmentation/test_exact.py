"""Crops, mirrors and quarter turns: whole pixels, against torchvision, a loop over pixels, and their own inverses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional

from cnnexp.augmentation import exact
from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.augmentation.motion import VOID
from tests.augmentation.made import applied, centred, engine, pictures, plain

SIZES = [(6, 6), (7, 7), (6, 9), (8, 16), (1, 4)]
ALL: dict[str, Any] = {
    "crop": {"padding": 3},
    "mirror": {"horizontal": 0.5, "vertical": 0.5},
    "quarter_turn": {"probability": 0.75},
}


def moved(batch: dict[str, Tensor], **changes: Any) -> dict[str, Tensor]:
    """As whole numbers again."""
    result = applied(engine(**changes), batch, 0, plain(*batch["image"].shape[-2:], batch["image"].shape[1]))
    assert result["image"].dtype == torch.float32
    return {**result, "image": result["image"].round().to(torch.uint8)}


def drawn(count: int, height: int, width: int, epoch: int = 0, **changes: Any) -> Geometry:
    made = engine(**changes)
    numbers = made._lanes.draw(np.arange(count), epoch)
    return made.geometry(numbers, Frame((height, width), (height, width)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_mirrors_are_those_of_torchvision(size: tuple[int, int], channels: int) -> None:
    batch = pictures(*size, channels)
    assert torch.equal(moved(batch, mirror={"horizontal": 1.0})["image"], functional.hflip(batch["image"]))
    assert torch.equal(moved(batch, mirror={"vertical": 1.0})["image"], functional.vflip(batch["image"]))
    both = moved(batch, mirror={"horizontal": 1.0, "vertical": 1.0})["image"]
    assert torch.equal(both, functional.rotate(batch["image"], 180))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_padded_crop_is_torchvisions(size: tuple[int, int], channels: int) -> None:
    batch = pictures(*size, channels)
    seen = set()
    for picture, result in zip(batch["image"], moved(batch, crop={"padding": 2})["image"], strict=True):
        padded = functional.pad(picture, [2, 2, 2, 2])
        crops = {(top, left): functional.crop(padded, top, left, *size) for top in range(5) for left in range(5)}
        # pictures of one row or column have crops that are equal, all black
        seen |= {place for place, crop in crops.items() if torch.equal(crop, result)}
        assert any(torch.equal(crop, result) for crop in crops.values())
    assert len(seen) > 15


def test_a_shift_beyond_the_picture_leaves_nothing() -> None:
    batch = pictures(2, 2, count=400)
    result = moved(batch, crop={"padding": 9})["image"].flatten(1)
    offset = torch.from_numpy(drawn(400, 2, 2, crop={"padding": 9}).offset)
    gone = (offset.abs() >= 2).any(1)
    assert gone.sum() > 300 and not gone.all()
    assert (result[gone] == 0).all()
    assert (result[~gone] > 0).any(1).all()


@pytest.mark.parametrize("side", [6, 7])
def test_quarter_turns_of_a_square_are_those_of_rot90(side: int) -> None:
    batch = pictures(side, side)
    turned = moved(batch, quarter_turn={"probability": 1.0})["image"]
    turns = [
        [k for k in range(4) if torch.equal(one, torch.rot90(picture, k, (1, 2)))]
        for one, picture in zip(turned, batch["image"], strict=True)
    ]
    assert all(len(found) == 1 for found in turns)
    counts = np.bincount(np.concatenate(turns), minlength=4)
    assert counts[0] == 0 and counts[1:].min() > 8


@pytest.mark.parametrize("size", [(6, 9), (5, 8)])
def test_other_pictures_are_turned_upside_down_only(size: tuple[int, int]) -> None:
    batch = pictures(*size)
    assert torch.equal(moved(batch, quarter_turn={"probability": 1.0})["image"], batch["image"].rot90(2, (2, 3)))


@pytest.mark.parametrize("size", [(8, 12), (9, 9)])
def test_a_shift_by_a_part_of_the_picture_is_in_whole_pixels(size: tuple[int, int]) -> None:
    batch = pictures(*size)
    geometry = drawn(64, *size, translate={"fraction": 0.3})
    for i, result in enumerate(moved(batch, translate={"fraction": 0.3})["image"]):
        shift = [int(-one) for one in geometry.offset[i]]
        assert torch.equal(result, functional.affine(batch["image"][i], 0.0, shift, 1.0, [0.0, 0.0]))
    assert (np.abs(geometry.offset).max(0) == np.rint(0.3 * np.array(size[::-1]))).all()


def moved_pixel_by_pixel(picture: np.ndarray, geometry: Geometry, i: int, fill: int) -> np.ndarray:
    """(H, W) by the definition of Geometry: every output position asks for its source."""
    height, width = picture.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    result = np.full_like(picture, fill)
    for row in range(height):
        for column in range(width):
            x, y = geometry.linear[i] @ (np.array([column, row]) - centre) + geometry.offset[i] + centre
            assert x == int(x) and y == int(y)
            if 0 <= x < width and 0 <= y < height:
                result[row, column] = picture[int(y), int(x)]
    return result


@pytest.mark.parametrize("turn", [0.7, 0.0])  # with turns by a gather, without by copied rows
@pytest.mark.parametrize("size", SIZES)
def test_all_at_once_is_what_a_loop_over_pixels_gives(size: tuple[int, int], turn: float) -> None:
    changes = ALL | {"quarter_turn": {"probability": turn}}
    batch = pictures(*size, channels=1)
    batch["mask"] = batch["image"][:, 0] % 7
    result, geometry = moved(batch, **changes), drawn(64, *size, **changes)
    orientations = {tuple(one.ravel()) for one in geometry.linear}
    assert len(orientations) == (8 if size[0] == size[1] and turn else 4)
    for i in range(64):
        image = moved_pixel_by_pixel(batch["image"][i, 0].numpy(), geometry, i, fill=0)
        mask = moved_pixel_by_pixel(batch["mask"][i].numpy(), geometry, i, fill=VOID)
        assert np.array_equal(result["image"][i, 0].numpy(), image)
        assert np.array_equal(result["mask"][i].numpy(), mask)


@pytest.mark.parametrize("size", [(8, 8), (9, 14)])
def test_copied_rows_and_the_gather_of_other_devices_agree(size: tuple[int, int]) -> None:
    frame = Frame((size[0] + 3, size[1] + 2), size)
    made = engine(crop={"padding": 2}, mirror={"horizontal": 0.5, "vertical": 0.5})
    geometry = made.geometry(made._lanes.draw(np.arange(64), 0), frame)
    image = pictures(*frame.source)["image"]
    source, valid = exact.source_pixels(geometry, frame, image.device)
    gathered = image.flatten(2).gather(2, source[:, None].expand(-1, 3, -1)).masked_fill(~valid[:, None], 9)
    assert torch.equal(exact.move(image, geometry, frame, (9, 9), exact.Border(9)), gathered.view(64, 3, *size))


@pytest.mark.parametrize("size", [(6, 6), (7, 7), (6, 9)])
def test_the_inverse_undoes_flips_and_turns(size: tuple[int, int]) -> None:
    changes = {name: keys for name, keys in ALL.items() if name != "crop"}
    batch = pictures(*size)
    geometry, frame = drawn(64, *size, **changes), Frame(size, size)
    there = exact.move(batch["image"], geometry, frame, (9, 9), exact.Border(0))
    assert not torch.equal(there, batch["image"])
    assert torch.equal(exact.move(there, geometry.inverse(), frame, (9, 9), exact.Border(0)), batch["image"])


def test_the_inverse_undoes_a_crop_where_the_picture_stayed() -> None:
    batch, frame = pictures(9, 12), Frame((9, 12), (9, 12))
    geometry = drawn(64, 9, 12, crop={"padding": 3})
    there = exact.move(batch["image"], geometry, frame, (9, 9), exact.Border(0))
    back = exact.move(there, geometry.inverse(), frame, (9, 9), exact.Border(0))
    kept = back > 0
    assert torch.equal(back[kept], batch["image"][kept])
    assert kept[:, :, 3:-3, 3:-3].all() and not kept.all()


def test_void_comes_in_where_the_mask_moved_away() -> None:
    batch = pictures(6, 6)
    batch["mask"] = torch.zeros(64, 6, 6, dtype=torch.uint8)
    result = moved(batch, crop={"padding": 2})
    outside = (result["image"] == 0).all(1)
    assert torch.equal(result["mask"] == VOID, outside)
    assert outside.any()


@pytest.mark.parametrize("train", [True, False])
def test_data_that_is_stored_larger_is_cropped(train: bool) -> None:
    batch = pictures(9, 13)
    batch["mask"] = batch["image"][:, 0].clone()
    batch["boxes"], batch["classes"] = torch.tensor([[[0.0, 0.0, 13.0, 9.0]]] * 64), torch.zeros(64, 1).long()
    crop = plain(6, 8, stored=(9, 13))
    result = applied(engine(), batch, 0, crop) if train else centred(crop, batch)
    assert result["image"].shape[-2:] == result["mask"].shape[-2:] == (6, 8)
    assert (result["boxes"] == torch.tensor([0.0, 0.0, 8.0, 6.0])).all()
    places = set()
    for picture, one, mask in zip(batch["image"], result["image"], result["mask"], strict=True):
        assert torch.equal(one[0].round(), mask.float())
        places |= {
            (y, x) for y in range(4) for x in range(6) if torch.equal(picture[:, y : y + 6, x : x + 8], one.round())
        }
    if train:
        assert len(places) > 15
    else:
        assert torch.equal(result["image"], functional.center_crop(batch["image"], [6, 8]))
    whole = centred(plain(6, 8), batch)
    assert whole.keys() == batch.keys() and all(whole[key] is batch[key] for key in batch)


def test_the_form_for_a_compiler_cuts_the_same() -> None:
    frame = Frame((11, 12), (8, 9))
    made = engine(crop={"padding": 2}, mirror={"horizontal": 0.5, "vertical": 0.5})
    geometry = made.geometry(made._lanes.draw(np.arange(64), 0), frame)
    crops = exact.windows(pictures(11, 12)["image"], geometry, frame, (2, 2), exact.Border(9))
    image, top, left = (torch.from_numpy(part) for part in crops[:3])
    assert np.array_equal(exact.cut_on_the_way(image, top, left, crops.size).numpy(), exact.cut(crops))


def test_masks_and_pictures_of_another_size_do_not_meet_in_the_kept_memory() -> None:
    made = engine(crop={"padding": 2})
    for size, count in (((6, 6), 8), ((9, 7), 8), ((6, 6), 5), ((6, 6), 8)):
        batch = pictures(*size, count=count)
        fresh = applied(engine(crop={"padding": 2}), batch, 0, plain(*size))["image"]
        assert torch.equal(applied(made, batch, 0, plain(*size))["image"], fresh)
