"""Each geometric operation against torchvision's function of the same parameters, and chains of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional
from torchvision.transforms.functional import InterpolationMode

from cnnexp.augmentation import resample
from cnnexp.augmentation.elastic import Elastic, field
from cnnexp.augmentation.geometry import Affine, Frame, Geometry, Pad, RandomResizedCrop, Rotate, Scale, Shear
from cnnexp.augmentation.lanes import logarithmic, symmetric
from cnnexp.augmentation.motion import VOID
from tests.augmentation.made import applied, engine, pictures, plain

SIZES = [(40, 40), (37, 52)]
BILINEAR = InterpolationMode.BILINEAR
COUNT = 12


def numbers(lanes: int) -> np.ndarray:
    return np.random.default_rng(1).random((COUNT, lanes))


def resampled(image: Tensor, geometry: Geometry, output: tuple[int, int] | None = None) -> Tensor:
    size = (image.shape[-2], image.shape[-1])
    frame = Frame(size, output or size)
    grid = resample.make_grid(geometry, frame, image.float())
    return resample.sample(image.float(), grid, resample.shrinkage(geometry))


def soft(height: int, width: int) -> Tensor:
    return pictures(height, width, count=COUNT, smooth=True)["image"].float()


def away_from_edges(one: Tensor, other: Tensor) -> Tensor:
    """Differences where neither picture is near the black that came in."""
    near = torch.nn.functional.max_pool2d(((one == 0) | (other == 0)).float(), 3, stride=1, padding=1) > 0
    assert near.float().mean() < 0.7
    return ((one - other).abs() * ~near)[..., 1:-1, 1:-1]


@pytest.mark.parametrize("size", SIZES)
def test_rotate(size: tuple[int, int]) -> None:
    image, u = soft(*size), numbers(2)
    ours = resampled(image, Rotate(30.0, 1.0).inverse(u, Frame(size, size)))
    for i, angle in enumerate(symmetric(u[:, 1]) * 30):
        theirs = functional.rotate(image[i], float(angle), BILINEAR)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_shear(size: tuple[int, int]) -> None:
    image, u = soft(*size), numbers(3)
    ours = resampled(image, Shear(20.0, 10.0, 1.0).inverse(u, Frame(size, size)))
    for i, (x, y) in enumerate(symmetric(u[:, 1:]) * (20, 10)):
        theirs = functional.affine(image[i], 0.0, [0, 0], 1.0, [float(x), float(y)], BILINEAR)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_scale(size: tuple[int, int]) -> None:
    image, u = soft(*size), numbers(2)
    ours = resampled(image, Scale((0.8, 1.5), 1.0).inverse(u, Frame(size, size)))
    for i, factor in enumerate(logarithmic(u[:, 1], (0.8, 1.5))):
        theirs = functional.affine(image[i], 0.0, [0, 0], float(factor), [0.0, 0.0], BILINEAR)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_affine(size: tuple[int, int]) -> None:
    image, u = soft(*size), numbers(6)
    ours = resampled(image, Affine(25.0, 0.1, (0.8, 1.2), 10.0, 1.0).inverse(u, Frame(size, size)))
    for i in range(COUNT):
        angle, slant = (symmetric(u[i, 1:3]) * (25, 10)).tolist()
        shift = np.rint(symmetric(u[i, 4:]) * 0.1 * np.array(size[::-1])).astype(int).tolist()
        zoom = float(0.8 + 0.4 * u[i, 3])
        theirs = functional.affine(image[i], -angle, shift, zoom, [slant, 0.0], BILINEAR)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_random_resized_crop(size: tuple[int, int]) -> None:
    image, u, operation = soft(*size), numbers(23), RandomResizedCrop(1.0, (0.3, 1.0), (0.75, 4 / 3))
    first, extent = operation.part(u, size)
    ours = resampled(image, operation.inverse(u, Frame(size, (44, 48))), (44, 48))
    assert (first >= 0).all() and (first + extent <= np.array(size[::-1])).all()
    for i, ((left, top), (width, height)) in enumerate(zip(first.astype(int), extent.astype(int), strict=True)):
        theirs = functional.resized_crop(
            image[i], int(top), int(left), int(height), int(width), [44, 48], BILINEAR, antialias=False
        )
        # at its rim torchvision's crop ends, where ours still sees the picture around it
        assert (ours[i] - theirs)[:, 1:-1, 1:-1].abs().max() < 0.02


def test_a_crop_that_never_fits_is_the_largest_central_one() -> None:
    operation = RandomResizedCrop(1.0, (1.0, 1.0), (2.0, 2.0))
    first, extent = operation.part(numbers(23), (40, 40))
    assert (extent == [40, 20]).all() and (first == [0, 10]).all()


@pytest.mark.parametrize("size", SIZES)
def test_pad(size: tuple[int, int]) -> None:
    image, u = soft(*size), numbers(5)
    ours = resampled(image, Pad(0.2, 1.0).inverse(u, Frame(size, size)))
    for i in range(COUNT):
        side = np.array(size[::-1])
        border = np.rint(u[i, 1:].reshape(2, 2) * 0.2 * side).astype(int).ravel().tolist()
        theirs = functional.resize(functional.pad(image[i], border), list(size), BILINEAR, antialias=False)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_elastic(size: tuple[int, int]) -> None:
    image, operation = soft(*size), Elastic(0.05, 4, 1.0)
    points = operation.displacements(numbers(operation.lanes), min(size))
    warp = field(torch.from_numpy(points).float(), size)
    still = Geometry.shift(COUNT, 0.0, 0.0)
    grid = resample.make_grid(still, Frame(size, size), image, warp)
    ours = resample.sample(image, grid, resample.shrinkage(still))
    assert 0.03 * min(size) < points.std() < 0.07 * min(size)
    for i in range(COUNT):
        relative = (warp[i] / torch.tensor(size[::-1])[:, None, None] * 2).permute(1, 2, 0)[None]
        theirs = functional.elastic_transform(image[i], relative, BILINEAR)
        assert away_from_edges(ours[i], theirs).max() < 0.02


@pytest.mark.parametrize("size", SIZES)
def test_a_chain_is_its_steps_one_after_the_other(size: tuple[int, int]) -> None:
    """To what two interpolations blur more than one."""
    changes: dict[str, Any] = {
        "mirror": {"horizontal": 1.0}, "scale": {"factor": [1.1, 1.1]}, "rotate": {"degrees": 15.0},
        "shear": {"horizontal": 8.0},
    }  # fmt: skip
    batch = pictures(*size, count=COUNT, smooth=True)
    whole = applied(engine(**changes), batch, 2, plain(*size))["image"]
    step = batch["image"].float()
    for name, keys in changes.items():
        made = engine(**{name: keys})
        step = resampled(step, made.geometry(made._lanes.draw(np.arange(COUNT), 2), Frame(size, size)))
    rim = size[0] // 4
    difference = (whole - step).abs()[..., rim:-rim, rim:-rim]
    assert difference.max() < 3 and difference.mean() < 0.3
    assert (whole - batch["image"]).abs()[..., rim:-rim, rim:-rim].mean() > 5


def test_an_identity_and_an_enlarged_crop_have_no_dark_rim() -> None:
    image = torch.full((2, 3, 9, 14), 200.0)
    zoom = Geometry(np.broadcast_to(np.eye(2) * 0.5, (2, 2, 2)), np.zeros((2, 2)))
    for geometry in (Geometry.shift(2, 0.0, 0.0), zoom):
        assert (resampled(image, geometry) - 200).abs().max() < 1e-3


def test_a_picture_that_shrinks_is_averaged_first() -> None:
    """Stripes finer than the new pixels turn greyish; without averaging they would stay black and white."""
    stripes = (torch.arange(48) % 2 * 200).float().expand(2, 1, 48, 48).contiguous()
    linear = np.stack([np.eye(2) * 3.0, np.eye(2) * 1.2])
    middle = resampled(stripes, Geometry(linear, np.zeros((2, 2))), (16, 16))[..., 2:-2, 2:-2]
    assert (middle[0] - 100).abs().max() < 40
    assert (middle[1] - 100).abs().max() > 70, "the other sample of the batch shrinks too little"


def rectangles(height: int, width: int, count: int = 200) -> dict[str, Tensor]:
    """In every picture one filled rectangle: its box, and its mask of ones."""
    generator = np.random.default_rng(height + width)
    batch = pictures(height, width, 1, count)
    batch["mask"] = torch.zeros(count, height, width, dtype=torch.uint8)
    batch["boxes"], batch["classes"] = torch.zeros(count, 3, 4), torch.tensor([-1, 4, -1]).repeat(count, 1)
    for i in range(count):
        x1, y1 = generator.integers(0, width - 3), generator.integers(0, height - 3)
        x2, y2 = generator.integers(x1 + 3, width + 1), generator.integers(y1 + 3, height + 1)
        batch["mask"][i, y1:y2, x1:x2] = 1
        batch["boxes"][i, 1] = torch.tensor([x1, y1, x2, y2])
    return batch


def box_of(mask: Tensor) -> list[float]:
    rows, columns = torch.where(mask == 1)
    return [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]


@pytest.mark.parametrize("size", [(24, 24), (20, 31)])
def test_a_moved_box_contains_the_moved_mask(size: tuple[int, int]) -> None:
    batch = rectangles(*size)
    made = engine(rotate={"degrees": 40.0}, shear={"horizontal": 15.0}, translate={"fraction": 0.3})
    result = applied(made, batch, 0, plain(*size, 1))
    kept = result["classes"][:, 1] == 4
    assert 40 < kept.sum() < 200
    for i in torch.where(kept)[0].tolist():
        if (result["mask"][i] == 1).any():
            inner, outer = box_of(result["mask"][i]), result["boxes"][i, 1].tolist()
            # a pixel counts as a whole, and half of it may reach over the slanted edge
            assert inner[0] >= outer[0] - 0.51 and inner[1] >= outer[1] - 0.51
            assert inner[2] <= outer[2] + 0.51 and inner[3] <= outer[3] + 0.51


@pytest.mark.parametrize("size", [(12, 12), (11, 11), (10, 15)])
def test_of_whole_pixels_it_is_the_mask_s_own_box_or_dropped(size: tuple[int, int]) -> None:
    batch = rectangles(*size)
    made = engine(crop={"padding": 6}, mirror={"horizontal": 0.5, "vertical": 0.5}, quarter_turn={"probability": 0.75})
    result = applied(made, batch, 1, plain(*size, 1))
    kept = 0
    for i in range(200):
        visible, whole = int((result["mask"][i] == 1).sum()), int((batch["mask"][i] == 1).sum())
        if visible >= 0.25 * whole:
            kept += 1
            assert result["boxes"][i, 1].tolist() == box_of(result["mask"][i])
            assert result["classes"][i].tolist() == [-1, 4, -1]
        else:
            assert result["classes"][i].tolist() == [-1] * 3
            assert result["boxes"][i].abs().sum() == 0
    assert 20 < kept < 190, "both cases must occur"


@pytest.mark.parametrize(("degrees", "size"), [(90.0, (20, 20)), (180.0, (14, 20))])
def test_turned_by_right_angles_an_interpolated_box_is_the_mask_s(degrees: float, size: tuple[int, int]) -> None:
    batch = rectangles(*size, count=50)
    turn = Rotate(degrees, 1.0).inverse(np.array([[0.0, 1.0]] * 50), Frame(size, size))
    grid = resample.make_grid(turn, Frame(size, size), torch.zeros(1))
    mask = resample.sample_mask(batch["mask"], grid)
    assert (mask == VOID).sum() == 0
    from cnnexp.augmentation.boxes import move_boxes

    boxes, _ = move_boxes(turn, batch["boxes"], batch["classes"], Frame(size, size))
    for i in range(50):
        assert boxes[i, 1].tolist() == pytest.approx(box_of(mask[i]), abs=1e-4)
