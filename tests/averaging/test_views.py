"""Views against lists written by hand and against torchvision's functions; undoing them."""

from __future__ import annotations

import pytest
import torch
import torchvision.transforms.v2.functional as oracle
from torch import Tensor

from cnnexp.averaging.views import FLIP, View, centred, crop_size, multi_scale, resized, ten_crop, views_of
from cnnexp.averaging.words import Choice
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from cnnexp.inputs.signals import Signals

PICTURES = Pictures(channels=1, image_size=(8, 8))


def pictures(height: int, width: int, channels: int = 1) -> Tensor:
    """Values that tell every pixel from every other."""
    return torch.arange(2 * channels * height * width, dtype=torch.float32).view(2, channels, height, width)


def test_the_ten_crops_are_those_written_by_hand() -> None:
    x = pictures(8, 8)
    mirrored = x.flip(-1)
    by_hand = [
        x[..., 0:6, 0:6],
        x[..., 0:6, 2:8],
        x[..., 2:8, 0:6],
        x[..., 2:8, 2:8],
        x[..., 1:7, 1:7],
        mirrored[..., 0:6, 0:6],
        mirrored[..., 0:6, 2:8],
        mirrored[..., 2:8, 0:6],
        mirrored[..., 2:8, 2:8],
        mirrored[..., 1:7, 1:7],
    ]
    found = [view.see(x, (6, 6)) for view in ten_crop()]
    assert len(found) == 10
    assert all(torch.equal(one, other) for one, other in zip(found, by_hand, strict=True))


@pytest.mark.parametrize(("stored", "net"), [((256, 256), (224, 224)), ((9, 12), (6, 7)), ((11, 11), (10, 8))])
def test_the_ten_crops_of_a_larger_picture_are_torchvisions(stored: tuple[int, int], net: tuple[int, int]) -> None:
    x = pictures(*stored, channels=3)
    found = [view.see(x, net) for view in ten_crop()]
    assert all(torch.equal(one, other) for one, other in zip(found, oracle.ten_crop(x, list(net)), strict=True))


def test_crops_of_a_picture_of_the_nets_size_are_brought_to_it() -> None:
    x = pictures(32, 32)
    crops = oracle.ten_crop(x, [28, 28])
    for view, crop in zip(ten_crop(), crops, strict=True):
        seen = view.see(x, (32, 32))
        assert seen.shape == x.shape
        torch.testing.assert_close(seen, oracle.resize(crop, [32, 32], antialias=True))


@pytest.mark.parametrize(
    ("picture", "net", "part", "crop"),
    [
        ((256, 256), (224, 224), None, (224, 224)),
        ((32, 32), (32, 32), None, (28, 28)),
        ((256, 256), (224, 224), 0.5, (128, 128)),
        ((5, 10), (5, 10), 0.5, (3, 5)),
        ((10, 20), (10, 20), 0.9, (9, 18)),
    ],
)
def test_the_size_of_a_crop(
    picture: tuple[int, int], net: tuple[int, int], part: float | None, crop: tuple[int, int]
) -> None:
    assert crop_size(picture, net, part) == crop


def test_above_one_the_middle_is_magnified_and_below_one_the_edges_are_mirrored() -> None:
    x = pictures(16, 24)
    closer, same, farther = (view.see(x, (16, 24)) for view in multi_scale((2.0, 1.0, 0.5)))
    torch.testing.assert_close(closer, oracle.resize(oracle.center_crop(x, [8, 12]), [16, 24], antialias=True))
    assert torch.equal(same, x)
    padded = oracle.pad(x, [12, 8], padding_mode="reflect")
    torch.testing.assert_close(farther, oracle.resize(padded, [16, 24], antialias=True))


def test_a_picture_that_is_stored_larger_is_seen_at_the_nets_scale() -> None:
    x = pictures(16, 16)
    same, farther, beyond = (view.see(x, (8, 8)) for view in multi_scale((1.0, 0.5, 0.4)))
    assert torch.equal(same, oracle.center_crop(x, [8, 8]))
    torch.testing.assert_close(farther, oracle.resize(x, [8, 8], antialias=True))
    padded = oracle.pad(x, [2, 2], padding_mode="reflect")
    torch.testing.assert_close(beyond, oracle.resize(padded, [8, 8], antialias=True))


EVERY = [*FLIP, *ten_crop(), *ten_crop(0.5), *multi_scale((0.5, 0.9, 1.0, 1.3, 2.0))]


@pytest.mark.parametrize("view", EVERY, ids=[view.name for view in EVERY])
@pytest.mark.parametrize("size", [(16, 16), (9, 14), (15, 8)])
def test_undoing_puts_every_pixel_where_it_was(view: View, size: tuple[int, int]) -> None:
    """Ramps are resampled exactly where no edge is near, so what comes back is the ramp, within the view's inside."""
    height, width = size
    ramp = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")).float()[None]
    back = view.undo(view.see(ramp, size), size)
    seen = view.undo(torch.ones_like(ramp), size)
    assert set(seen.unique().tolist()) <= {0.0, 1.0} or torch.allclose(seen, seen.round(), atol=1e-5)
    assert torch.equal(back * (seen > 0.5), back)
    inside = (-torch.nn.functional.max_pool2d(-seen, 7, 1, 3)) > 0.5
    inside[..., :3, :], inside[..., -3:, :], inside[..., :3], inside[..., -3:] = False, False, False, False
    torch.testing.assert_close(back[inside], ramp[inside], atol=0.26, rtol=0)


@pytest.mark.parametrize(
    "choice", [Choice("flip"), Choice("ten_crop", crop=0.5), Choice("ten_crop"), Choice("multi_scale")]
)
@pytest.mark.parametrize("size", [(16, 16), (9, 14), (5, 7)])
def test_together_the_views_see_every_pixel(choice: Choice, size: tuple[int, int]) -> None:
    seen = sum(view.undo(torch.ones(1, 1, *size), size) for view in views_of(choice, PICTURES, per_pixel=True))
    assert isinstance(seen, Tensor) and (seen >= 1 - 1e-5).all()


def test_classes_that_add_up_to_one_still_do() -> None:
    maps = torch.randn(2, 5, 12, 12, generator=torch.Generator().manual_seed(0)).softmax(1)
    for view in EVERY:
        back = view.undo(maps, (12, 12))
        torch.testing.assert_close(back.sum(1, keepdim=True), view.undo(torch.ones(2, 1, 12, 12), (12, 12)))


def test_views_that_leave_pixels_unseen_are_refused_for_maps() -> None:
    choice = Choice("multi_scale", scales=(1.2, 1.5))
    with pytest.raises(InputError, match=r"tta\.scales: all above 1"):
        views_of(choice, PICTURES, per_pixel=True)
    assert len(views_of(choice, PICTURES, per_pixel=False)) == 2
    assert views_of(Choice(), PICTURES, per_pixel=True) == ()


def test_the_middle_and_the_size() -> None:
    x = pictures(6, 8)
    assert torch.equal(centred(x, (2, 4)), x[..., 2:4, 2:6])
    assert resized(x, (6, 8)) is x


def test_only_pictures_are_seen_in_several_ways() -> None:
    signals = Signals(channels=1, length=8)
    for name in ("flip", "ten_crop", "multi_scale"):
        with pytest.raises(InputError, match=f"tta={name}: views are of pictures, and the net takes signals"):
            views_of(Choice(name), signals, per_pixel=False)
    assert views_of(Choice(), signals, per_pixel=False) == ()
