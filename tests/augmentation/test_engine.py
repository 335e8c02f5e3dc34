"""The engine as a whole: what its draws depend on, what a batch keeps, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.geometry import Frame
from tests.augmentation.made import applied, engine, pictures, plain

GEOMETRY: dict[str, Any] = {
    "random_resized_crop": {"probability": 0.5}, "crop": {"padding": 2},
    "mirror": {"horizontal": 0.5, "vertical": 0.3}, "quarter_turn": {"probability": 0.5},
    "scale": {"factor": [0.8, 1.2]}, "pad": {"fraction": 0.1}, "translate": {"fraction": 0.1},
    "rotate": {"degrees": 20.0}, "shear": {"horizontal": 10.0, "vertical": 5.0},
    "affine": {"degrees": 10.0, "translate": 0.1, "scale": [0.9, 1.1], "shear": 5.0, "probability": 0.5},
    "elastic": {"strength": 0.03},
}  # fmt: skip
COLOUR: dict[str, Any] = {
    "brightness": {"amount": 0.3}, "contrast": {"amount": 0.3}, "saturation": {"amount": 0.3},
    "hue": {"degrees": 20.0}, "greyscale": {"probability": 0.2}, "rgb_shift": {"amount": 0.1},
    "pca": {"sigma": 0.1, "of": "imagenet"},
}  # fmt: skip
AFTER: dict[str, Any] = {
    "noise": {"sigma": 0.05}, "cutout": {"size": 0.3}, "erasing": {"probability": 0.5},
}  # fmt: skip
MIXING: dict[str, Any] = {"mixup": {"alpha": 0.5}, "cutmix": {"alpha": 1.0}}
EACH = list((GEOMETRY | COLOUR | AFTER | MIXING).items())
IDS = [name for name, _ in EACH]


@pytest.mark.parametrize(("name", "keys"), EACH, ids=IDS)
@pytest.mark.parametrize("size", [(12, 12), (10, 17)])
def test_each_operation_changes_pictures_alone_and_only_when_it_is_on(
    name: str, keys: dict[str, Any], size: tuple[int, int]
) -> None:
    batch, made = pictures(*size), engine(**{name: keys})
    before = {key: value.clone() for key, value in batch.items()}
    assert made.active
    result = applied(made, batch, 0, plain(*size))
    assert result["image"].shape == batch["image"].shape
    assert (result["image"] - batch["image"].float()).abs().mean() > 0.5
    assert all(torch.equal(batch[key], value) for key, value in before.items()), "the batch given is kept"
    assert torch.equal(result["label"], batch["label"]) and torch.equal(result["index"], batch["index"])
    assert torch.isfinite(result["image"]).all()


@pytest.mark.parametrize(("name", "keys"), EACH, ids=IDS)
def test_a_draw_depends_on_nothing_but_seed_epoch_and_sample(name: str, keys: dict[str, Any]) -> None:
    batch, made = pictures(11, 14), engine(**{name: keys})
    whole = applied(made, batch, 4, plain(11, 14))["image"]
    chosen = torch.tensor([62, 63, 4, 5, 16, 17])  # neighbours stay together, for mixing
    part = {key: value[chosen] for key, value in batch.items()}
    assert torch.allclose(applied(made, part, 4, plain(11, 14))["image"], whole[chosen], atol=2e-3)
    assert torch.equal(applied(engine(**{name: keys}), batch, 4, plain(11, 14))["image"], whole)
    for other, epoch in ((engine(seed=4, **{name: keys}), 4), (made, 5)):
        same = (applied(other, batch, epoch, plain(11, 14))["image"] == whole).flatten(1).all(1)
        assert same.float().mean() < 0.75  # those that an operation met neither time


def test_one_operation_does_not_change_the_draws_of_another() -> None:
    index = np.arange(50)
    every = engine(**GEOMETRY, **COLOUR, **AFTER, **MIXING)._lanes.draw(index, 2)
    for name, keys in EACH:
        alone = engine(**{name: keys})._lanes.draw(index, 2)
        assert len(alone) == 2 or name == "crop"
        assert all(np.array_equal(alone[key], every[key]) for key in alone)
    columns = np.concatenate(list(every.values()), 1)
    assert len({tuple(column) for column in columns.T}) == columns.shape[1], "no number serves two operations"


def test_nothing_switched_on_only_normalises() -> None:
    batch = pictures(6, 6)
    assert not engine().active
    assert torch.equal(applied(engine(), batch, 0, plain(6, 6))["image"].round(), batch["image"].float())
    assert "mix" not in applied(engine(), batch, 0, plain(6, 6))


def test_a_range_without_its_probability_is_off() -> None:
    assert not engine(rotate={"degrees": 20.0, "probability": 0.0}, mixup={"alpha": 1.0, "probability": 0.0}).active


def test_probabilities_and_ranges_come_as_often_as_they_should() -> None:
    count, frame = 20_000, Frame((30, 30), (30, 30))

    def linear(**changes: Any) -> np.ndarray:
        made = engine(**changes)
        return made.geometry(made._lanes.draw(np.arange(count), 1), frame).linear

    mirrored = linear(mirror={"horizontal": 0.3})[:, 0, 0] < 0
    assert abs(mirrored.mean() - 0.3) < 5 * (0.21 / count) ** 0.5
    turned = linear(rotate={"degrees": 30.0, "probability": 0.6})
    angle = np.degrees(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))
    met = angle != 0
    assert abs(met.mean() - 0.6) < 5 * (0.24 / count) ** 0.5
    assert np.abs(angle).max() <= 30 and np.abs(angle[met].mean()) < 5 * 30 / 3**0.5 / (0.6 * count) ** 0.5
    assert angle[met].std() == pytest.approx(30 / 3**0.5, rel=0.02)
    zoom = np.log(linear(scale={"factor": [0.5, 2.0]})[:, 0, 0])
    assert abs(zoom.mean()) < 5 * zoom.std() / count**0.5 and np.abs(zoom).max() <= np.log(2) + 1e-9
    turns = linear(quarter_turn={"probability": 0.75}).reshape(count, 4).round().astype(int)
    assert (np.abs(np.unique(turns, axis=0, return_counts=True)[1] - count / 4) < 5 * (count * 3 / 16) ** 0.5).all()


def test_under_bf16_autocast_pictures_are_as_exact() -> None:
    batch = pictures(9, 12)
    made = engine(rotate={"degrees": 20.0}, contrast={"amount": 0.4})
    expected = applied(made, batch, 0, plain(9, 12))["image"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(applied(made, batch, 0, plain(9, 12))["image"], expected)


def test_in_double_precision_pictures_are_double() -> None:
    double = plain(9, 12).double()
    for changes in ({}, {"crop": {"padding": 2}}, GEOMETRY | COLOUR | AFTER | MIXING):
        assert applied(engine(**changes), pictures(9, 12), 0, double)["image"].dtype == torch.float64


@pytest.mark.parametrize(
    ("changes", "given", "says"),
    [
        ({"mixup": {"alpha": 0.2}}, dict(channels=3, warps=True, mixes=False), "augmentation.mixup.alpha=0.2"),
        ({"cutmix": {"alpha": 1.0}}, dict(channels=3, warps=True, mixes=False), "augmentation.cutmix.alpha=1"),
        ({"elastic": {"strength": 0.1}}, dict(channels=3, warps=False, mixes=False), "rotate, scale, shear"),
        ({"pca": {"sigma": 0.1, "of": "imagenet"}}, dict(channels=1, warps=True, mixes=True), "needs 3 channels"),
        ({"rgb_shift": {"amount": 0.1}}, dict(channels=7, warps=True, mixes=True), "4 channels at most"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: Any, given: Any, says: str) -> None:
    made: Augmentation = engine(**changes)
    (line,) = made.unfit(**given)
    assert says in line
    assert made.unfit(channels=3, warps=True, mixes=True) == []


@pytest.mark.slow  # the compiler takes seconds
@pytest.mark.parametrize(
    "changes", [{"crop": {"padding": 2}, "mirror": {"horizontal": 0.5}}, COLOUR, GEOMETRY | COLOUR]
)
def test_compiled_it_gives_the_same(changes: dict[str, Any]) -> None:
    batch = pictures(12, 16)
    step, compiled = (applied(engine(compiled=c, **changes), batch, 1, plain(12, 16))["image"] for c in (False, True))
    assert (step - compiled).abs().max() < 1e-3
