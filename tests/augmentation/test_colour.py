"""Each colour operation against torchvision's function of the same factor, and what is documented as different."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional

from cnnexp.augmentation import colour
from cnnexp.augmentation.lanes import normal, symmetric
from cnnexp.data.base import TensorSplit
from cnnexp.inputs.pictures import PicturePreparation
from tests.augmentation.made import applied, engine, normalisation, pictures, plain

COUNT = 16


def numbers(lanes: int) -> np.ndarray:
    return np.random.default_rng(2).random((COUNT, lanes))


def dull(height: int, width: int, channels: int = 3) -> Tensor:
    """Values that no operation here pushes out of [0, 255], so that no clamp hides a difference."""
    return pictures(height, width, channels, COUNT)["image"].float() * 0.3 + 90


def coloured(image: Tensor, *steps: tuple[Any, np.ndarray]) -> Tensor:
    made = colour.unchanged(*image.shape[:2])
    for operation, u in steps:
        made = operation.on(made, u)
    on_device = colour.on_device(made, image)
    result = colour.apply(on_device, image)
    assert (colour.apply_by_channel(on_device, image) - result).abs().max() < 1e-3, "both forms are one"
    return result


SIZES = [(8, 8), (7, 12)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("operation", "theirs"),
    [
        (colour.Brightness(0.4, 1.0), functional.adjust_brightness),
        (colour.Contrast(0.4, 1.0), functional.adjust_contrast),
        (colour.Saturation(0.4, 1.0), functional.adjust_saturation),
    ],
)
def test_the_same_formula_as_torchvision(operation: Any, theirs: Any, size: tuple[int, int]) -> None:
    image, u = dull(*size), numbers(2)
    ours = coloured(image, (operation, u))
    assert (ours - image).abs().max() > 5
    for i, factor in enumerate(1 + 0.4 * symmetric(u[:, 1])):
        # of grey, torchvision's weights sum to 0.9999, and ours are the same
        assert (ours[i] - 255 * theirs(image[i] / 255, float(factor))).abs().max() < 255 * 1e-5


def test_greyscale_is_torchvisions() -> None:
    image = dull(7, 12)
    expected = functional.rgb_to_grayscale(image, 3)
    assert (coloured(image, (colour.Greyscale(1.0), numbers(1))) - expected).abs().max() < 255 * 1e-5


def test_a_chain_is_torchvisions_where_nothing_is_cut() -> None:
    image, u = dull(9, 6), numbers(2)
    ours = coloured(
        image, (colour.Brightness(0.1, 1.0), u), (colour.Contrast(0.3, 1.0), u), (colour.Saturation(0.4, 1.0), u)
    )
    for i, part in enumerate(symmetric(u[:, 1]).tolist()):
        step = functional.adjust_brightness(image[i] / 255, 1 + 0.1 * part)
        step = functional.adjust_contrast(step, 1 + 0.3 * part)
        expected = functional.adjust_saturation(step, 1 + 0.4 * part)
        assert (ours[i] - 255 * expected).abs().max() < 255 * 1e-5


def test_there_is_one_cut_at_the_end() -> None:
    """Twice as bright and then half the contrast: the way back from above white is not lost."""
    image = torch.full((1, 3, 2, 2), 200.0)
    image[..., 0] = 100
    one = np.array([[0.0, 1.0]])  # the factor 1 + amount
    ours = coloured(image, (colour.Brightness(1.0, 1.0), one), (colour.Contrast(-0.5, 1.0), one))
    assert ours[0, 0, 0].tolist() == pytest.approx([250, 255], abs=0.1)  # 250 and 350 before the cut
    step = functional.adjust_contrast(functional.adjust_brightness(image[0] / 255, 2.0), 0.5)
    assert float(step[0, 0, 0]) * 255 < 230


def test_hue_turns_about_the_grey_axis() -> None:
    image, u = dull(7, 12), numbers(2)
    ours = coloured(image, (colour.Hue(180.0, 1.0), u))
    assert (ours.sum(1) - image.sum(1)).abs().max() < 1e-2
    spread, before = ours - ours.mean(1, keepdim=True), image - image.mean(1, keepdim=True)
    assert (spread.norm(dim=1) - before.norm(dim=1)).abs().max() < 1e-2
    cosine = (spread * before).sum(1) / (before.norm(dim=1) ** 2).clamp(min=1e-3)
    expected = np.cos(np.radians(180 * symmetric(u[:, 1])))
    assert (cosine.flatten(1).median(1).values - torch.from_numpy(expected)).abs().max() < 1e-4


def test_a_third_of_a_turn_moves_the_channels_as_hsv_does() -> None:
    image = dull(4, 5)
    third = np.array([[0.0, (1 + 120 / 180) / 2]] * COUNT)
    ours = coloured(image, (colour.Hue(180.0, 1.0), third))
    assert (ours - image[:, [2, 0, 1]]).abs().max() < 1e-2
    assert (ours[0] - 255 * functional.adjust_hue(image[0] / 255, 1 / 3)).abs().max() < 1e-1


def test_how_far_hue_is_from_hsv_on_saturated_colours() -> None:
    """The figure that the documentation gives."""
    worst = 0.0
    for degrees in range(0, 181, 6):
        u = np.array([[0.0, (1 + degrees / 180) / 2]])
        for pixel in ((1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.8, 0.2, 0.1), (0.0, 0.5, 1.0)):
            image = torch.tensor(pixel).view(1, 3, 1, 1) * 255
            ours = coloured(image, (colour.Hue(180.0, 1.0), u)).view(3) / 255
            h, s, v = colorsys.rgb_to_hsv(*pixel)
            worst = max(worst, float(np.abs(ours.numpy() - colorsys.hsv_to_rgb((h + degrees / 360) % 1, s, v)).max()))
    assert 0.25 < worst < 0.34


@pytest.mark.parametrize("channels", [1, 3])
def test_rgb_shift_adds_a_number_to_each_channel(channels: int) -> None:
    image, u = dull(5, 6, channels), numbers(5)
    ours = coloured(image, (colour.RGBShift(0.2, 1.0), u)) - image
    expected = 255 * 0.2 * symmetric(u[:, 1 : 1 + channels])
    assert (ours - torch.from_numpy(expected)[:, :, None, None]).abs().max() < 1e-3


def test_pca_shifts_along_imagenet_s_axes() -> None:
    axes, values = colour.IMAGENET_AXES, colour.IMAGENET_VALUES
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-3)
    image, u = dull(5, 6), numbers(9)
    ours = (coloured(image, (colour.PCA(0.1, "imagenet", 1.0), u)) - image).mean((2, 3)).numpy() / 255
    weights = normal(u[:, 1:4], u[:, 5:8]) * 0.1
    for i in range(COUNT):
        by_hand = sum(weights[i, k] * values[k] * axes[:, k] for k in range(3))
        assert np.abs(ours[i] - by_hand).max() < 1e-5


@pytest.mark.parametrize("channels", [1, 3])
def test_pca_finds_the_axes_of_the_training_pictures(channels: int) -> None:
    images = pictures(6, 9, channels, 300)["image"]
    if channels == 3:
        images[:, 1] = (images[:, 0] // 2) + images[:, 1] // 4
    made = engine(pca={"sigma": 0.1})
    assert made.unlearned
    PicturePreparation(plain(6, 9, channels), made, ()).learn(TensorSplit({"image": images}))
    assert not made.unlearned
    pca = made.colouring["pca"]
    assert isinstance(pca, colour.PCA) and pca.values is not None and pca.axes is not None
    colours = images.transpose(0, 1).flatten(1).double().numpy() / 255
    covariance = np.atleast_2d(np.cov(colours, bias=True))
    axes, values = np.array(pca.axes), np.array(pca.values)
    assert np.allclose(covariance @ axes, axes * values, atol=1e-9)
    assert (np.diff(values) <= 0).all()
    applied(made, {"image": images, "index": torch.arange(300)}, 0, plain(6, 9, channels))


def test_pca_says_that_it_has_not_learnt() -> None:
    with pytest.raises(ValueError, match="learn"):
        applied(engine(pca={"sigma": 0.1}), pictures(5, 5), 0, plain(5, 5))


@pytest.mark.parametrize("name", ["saturation", "hue", "greyscale"])
def test_grey_pictures_have_no_colour_to_change(name: str) -> None:
    keys = {"saturation": {"amount": 0.9}, "hue": {"degrees": 90.0}, "greyscale": {"probability": 1.0}}[name]
    batch = pictures(6, 9, channels=1)
    result = applied(engine(**{name: keys}), batch, 0, plain(6, 9, 1))["image"]
    assert (result - batch["image"]).abs().max() < 1e-3


def test_grey_pictures_have_light_and_contrast() -> None:
    image, u = dull(6, 9, 1), numbers(2)
    ours = coloured(image, (colour.Contrast(0.5, 1.0), u))
    for i, factor in enumerate(1 + 0.5 * symmetric(u[:, 1])):
        assert (ours[i] - 255 * functional.adjust_contrast(image[i] / 255, float(factor))).abs().max() < 255 * 1e-5


def test_contrast_turns_about_the_mean_of_what_is_seen() -> None:
    """After the geometry: black that came in counts."""
    batch = pictures(8, 8, count=COUNT)
    cut = applied(engine(crop={"padding": 4}), batch, 0, plain(8, 8))["image"]
    made = engine(crop={"padding": 4}, contrast={"amount": 0.5})
    ours = applied(made, batch, 0, plain(8, 8))["image"]
    factor = 1 + 0.5 * symmetric(made._lanes.draw(np.arange(COUNT), 0)["contrast"][:, 1])
    for i in range(COUNT):
        expected = 255 * functional.adjust_contrast(cut[i] / 255, float(factor[i]))
        assert (ours[i] - expected).abs().max() < 1e-2


def test_the_normalisation_comes_last() -> None:
    batch = pictures(6, 9)
    made = engine(brightness={"amount": 0.3})
    raw = applied(made, batch, 0, plain(6, 9))["image"]
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    expected = functional.normalize(raw / 255, list(mean), list(std))
    for last in (False, True):
        result = applied(made, batch, 0, normalisation(6, 9, 3, mean=mean, std=std, channels_last=last))["image"]
        assert result.is_contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        assert (result - expected).abs().max() < 1e-5
