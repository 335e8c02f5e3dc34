"""What happens on the finished pictures: noise, holes, mixing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnexp.augmentation.holes import Cutout, Erasing
from cnnexp.augmentation.mixing import Mixing, Share
from cnnexp.augmentation.noise import gaussian
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.tasks.classification import Classification
from tests.augmentation.made import applied, engine, normalisation, pictures, plain
from tests.tasks import tiny

SIZE = (10, 14)


def test_noise_is_gaussian_and_of_the_size_asked_for() -> None:
    batch = pictures(32, 40, count=40)
    result = applied(engine(noise={"sigma": 0.1}), batch, 0, plain(32, 40))["image"] - batch["image"]
    values = result.double() / 255
    assert abs(float(values.mean())) < 5 * 0.1 / values.numel() ** 0.5
    assert float(values.std()) == pytest.approx(0.1, rel=0.02)
    assert float((values**4).mean() / values.var() ** 2) == pytest.approx(3, rel=0.05)
    rows = values.flatten(1)
    apart = np.corrcoef(rows[0], rows[1])[0, 1], np.corrcoef(rows[:, :-1].ravel(), rows[:, 1:].ravel())[0, 1]
    assert max(map(abs, apart)) < 5 / rows.shape[1] ** 0.5


def test_noise_is_measured_before_the_normalisation() -> None:
    batch = pictures(*SIZE)
    std = (0.1, 0.2, 0.4)
    one, other = (
        applied(engine(noise=noise), batch, 0, normalisation(*SIZE, 3, mean=(0.5,) * 3, std=std))["image"]
        for noise in ({"sigma": 0.05}, {"sigma": 0.0})
    )
    assert ((one - other).std((0, 2, 3)) * torch.tensor(std) - 0.05).abs().max() < 0.003


def test_the_numbers_under_the_noise_are_those_of_the_published_hash() -> None:
    """In Python's unbounded integers, so that a device or dtype that overflows otherwise would show."""

    def scramble(x: int) -> int:
        x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
        x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
        return x ^ (x >> 16)

    keys, count = [5, 2**31 - 7], 6
    unit = np.array([[((scramble(scramble(i) ^ k) >> 8) + 0.5) / 2**24 for i in range(count)] for k in keys])
    radius, angle = np.sqrt(-2 * np.log(unit[:, :3])), 2 * np.pi * unit[:, 3:]
    expected = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], 1)
    ours = gaussian(torch.tensor(keys, dtype=torch.int32), 5)
    assert np.abs(ours.numpy() - expected[:, :5]).max() < 1e-5


def test_cutout_is_a_square_of_the_mean() -> None:
    batch = pictures(*SIZE)
    batch["mask"] = batch["image"][:, 0].clone()
    mean, std = (0.401, 0.503, 0.603), (0.2, 0.25, 0.3)  # no value of a picture
    whole = applied(engine(), batch, 0, normalisation(*SIZE, 3, mean=mean, std=std))["image"]
    result = applied(engine(cutout={"size": 0.4}), batch, 0, normalisation(*SIZE, 3, mean=mean, std=std))
    gone = result["image"] != whole
    assert (result["image"][gone] == 0).all()
    assert (gone.any(1) == gone.all(1)).all()
    areas = gone[:, 0].flatten(1).sum(1)
    assert areas.max() == 16 and areas.min() < 16, "some reach over the edge"
    assert torch.equal(result["mask"], batch["mask"])


def test_erasing_keeps_to_its_ranges() -> None:
    u = np.random.default_rng(0).random((4000, 23))
    rectangles = Erasing(0.5, (0.1, 0.3), (0.5, 2.0)).rectangles(u, 60, 80)
    width, height = rectangles[:, 2] - rectangles[:, 0], rectangles[:, 3] - rectangles[:, 1]
    met = width > 0
    assert abs(met.mean() - 0.5) < 5 * 0.5 / 4000**0.5
    area, ratio = (width * height)[met] / 4800, width[met] / height[met]
    assert 0.09 < area.min() < 0.11 and 0.29 < area.max() < 0.31
    assert 0.45 < ratio.min() < 0.55 and 1.9 < ratio.max() < 2.15
    assert (rectangles >= 0).all() and (rectangles <= (80, 60, 80, 60)).all()


def test_cutout_centres_are_everywhere() -> None:
    u = np.random.default_rng(0).random((4000, 3))
    rectangles = Cutout(0.1, 1.0).rectangles(u, 40, 60)
    counts = np.zeros((40, 60))
    for left, top, right, bottom in rectangles:
        counts[top:bottom, left:right] += 1
    assert counts[2:-2, 2:-2].min() > 5
    assert (rectangles >= 0).all() and (rectangles <= (60, 40, 60, 40)).all()


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 3.0])
def test_shares_come_from_a_symmetric_beta_distribution(alpha: float) -> None:
    u = np.random.default_rng(0).random((2, 40_000))
    own = Share(alpha, 1.0).own(u[0], u[1])
    assert ((own >= 0.5) & (own <= 1)).all()
    # of Beta(a, a) the variance is 1 / (4 (2a + 1)), and folding at a half leaves the squared distance to it
    expected = 1 / (4 * (2 * alpha + 1))
    assert float(((own - 0.5) ** 2).mean()) == pytest.approx(expected, rel=0.03)
    direct = np.random.default_rng(1).beta(alpha, alpha, 40_000)
    quantiles = np.linspace(0.05, 0.95, 7)
    assert np.quantile(np.maximum(direct, 1 - direct), quantiles) == pytest.approx(
        np.quantile(own, quantiles), abs=0.01
    )


def test_mixup_is_a_blend_of_neighbours() -> None:
    batch = pictures(*SIZE, count=8)
    whole = applied(engine(), batch, 0, plain(*SIZE))["image"]
    result = applied(engine(mixup={"alpha": 0.8}), batch, 0, plain(*SIZE))
    partner = torch.tensor([1, 0, 3, 2, 5, 4, 7, 6])
    assert torch.equal(result["label"], batch["label"])
    assert torch.equal(result["mixed_label"], batch["label"][partner])
    share = result["mix"][:, None, None, None]
    assert (result["image"] - (share * whole + (1 - share) * whole[partner])).abs().max() < 1e-3
    assert (result["mix"] >= 0.5).all() and len(result["mix"].unique()) == 8


def test_cutmix_is_a_rectangle_of_the_neighbour_and_its_area() -> None:
    batch = pictures(*SIZE, count=64)
    whole = applied(engine(), batch, 0, plain(*SIZE))["image"]
    result = applied(engine(cutmix={"alpha": 1.0}), batch, 0, plain(*SIZE))
    other = whole[torch.arange(64) ^ 1]
    pasted = (result["image"] == other).all(1)
    assert torch.equal(torch.where(pasted[:, None], other, whole), result["image"])
    assert (1 - pasted.float().mean((1, 2)) - result["mix"]).abs().max() < 1e-6
    for one in pasted[pasted.any((1, 2))]:
        rows, columns = one.any(1), one.any(0)
        assert one.sum() == rows.sum() * columns.sum()


def test_mixup_and_cutmix_share_the_batches() -> None:
    mixing = Mixing(Share(0.5, 1.0), Share(1.0, 1.0))
    u = np.random.default_rng(0).random((4000, 6))
    own, rectangles = mixing.shares(u, 32, 32)
    blended, pasted = own < 1, rectangles.any(1)
    assert not (blended & pasted).any()
    assert abs(blended.mean() - 0.5) < 0.05 and abs(pasted.mean() - 0.5) < 0.05


def test_the_last_of_an_odd_batch_stays_alone() -> None:
    batch = pictures(*SIZE, count=5)
    whole = applied(engine(), batch, 0, plain(*SIZE))["image"]
    result = applied(engine(mixup={"alpha": 1.0}, cutmix={"alpha": 1.0}), batch, 0, plain(*SIZE))
    assert torch.equal(result["image"][4], whole[4])
    assert float(result["mix"][4]) == 1 and int(result["mixed_label"][4]) == 4
    assert (result["mix"][:4] < 1).any()


EVERYTHING: dict[str, Any] = {
    "crop": {"padding": 2}, "rotate": {"degrees": 20.0}, "elastic": {"strength": 0.03}, "brightness": {"amount": 0.3},
    "contrast": {"amount": 0.3}, "hue": {"degrees": 20.0}, "noise": {"sigma": 0.05}, "cutout": {"size": 0.3},
    "erasing": {"probability": 0.5}, "mixup": {"alpha": 0.5, "probability": 0.5},
    "cutmix": {"alpha": 1.0, "probability": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("size", [SIZE, (16, 16)])
def test_two_even_shares_of_a_batch_are_mixed_as_the_whole(size: tuple[int, int]) -> None:
    batch, made = pictures(*size, count=16), engine(**EVERYTHING)
    whole = applied(made, batch, 3, plain(*size))
    parts = [{name: value[part] for name, value in batch.items()} for part in (slice(0, 8), slice(8, 16))]
    halves = [applied(made, part, 3, plain(*size)) for part in parts]
    for name in ("image", "label", "mixed_label", "mix"):
        joined = torch.cat([half[name] for half in halves])
        assert torch.allclose(joined.float(), whole[name].float(), atol=1e-3)
    assert len(whole["mix"].unique()) > 8


def test_the_loss_of_a_mixed_batch_is_the_mixed_loss() -> None:
    task = tiny.task(Classification, tiny.linear_net(), loss=CrossEntropy(label_smoothing=0.1))
    batch: dict[str, Any] = tiny.batch(6)
    image = task.prepare(batch, train=False)["image"]
    share, other = torch.rand(6), batch["label"].roll(1)
    output = task.step({**batch, "image": image, "mix": share, "mixed_label": other}, "train")
    logits = task.net(image)
    classes = logits.shape[1]
    soft = share[:, None] * functional.one_hot(batch["label"], classes) + (1 - share[:, None]) * functional.one_hot(
        other, classes
    )
    expected = functional.cross_entropy(logits, 0.9 * soft + 0.1 / classes)
    assert float(output.loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert torch.equal(output.targets, batch["label"])


def test_class_weights_weigh_both_labels_of_a_mixed_sample() -> None:
    """Against soft targets: a class weighs as much in a share as in a whole sample."""
    weights = (0.5, 1.0, 3.0)
    task = tiny.task(Classification, tiny.linear_net(), loss=CrossEntropy(class_weights=weights))
    batch: dict[str, Any] = tiny.batch(6)
    image = task.prepare(batch, train=False)["image"]
    share, other = torch.rand(6), batch["label"].roll(1)
    output = task.step({**batch, "image": image, "mix": share, "mixed_label": other}, "train")
    soft = share[:, None] * functional.one_hot(batch["label"], 3) + (1 - share[:, None]) * functional.one_hot(other, 3)
    weighed = soft * torch.tensor(weights)
    expected = -(weighed * task.net(image).log_softmax(1)).sum() / weighed.sum()
    assert float(output.loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(output.terms[0].count) == pytest.approx(float(weighed.sum()), rel=1e-5)
