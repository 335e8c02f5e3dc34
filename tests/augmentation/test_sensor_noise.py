"""Its moments, and what it depends on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from cnnexp.augmentation.sensor_noise import Level, NoiseKind, SensorNoise

INDEX = torch.arange(6)


def noise(kind: NoiseKind = "gaussian", level: Level = 0.1, clip: bool = False, seed: int = 0) -> SensorNoise:
    return SensorNoise(kind, level, clip, seed)


def grey(value: float, count: int = 6, side: int = 64) -> Tensor:
    return torch.full((count, 1, side, side), value)


@pytest.mark.parametrize("sigma", [0.02, 25 / 255])
def test_gaussian_noise_is_normal_with_this_deviation(sigma: float) -> None:
    found = (noise(level=sigma)(grey(0.5), INDEX, 0) - 0.5).flatten().numpy() / sigma
    assert stats.kstest(found, "norm").pvalue > 0.01
    assert found.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("value", "peak"), [(0.5, 10.0), (0.9, 4.0), (0.02, 30.0)])
def test_photons_are_counted(value: float, peak: float) -> None:
    counts = (noise("poisson", peak)(grey(value), INDEX, 0) * peak).flatten().numpy()
    assert np.abs(counts - counts.round()).max() < 1e-4
    observed = np.bincount(counts.round().astype(int), minlength=3)
    expected = stats.poisson.pmf(np.arange(len(observed)), value * peak) * len(counts)
    common = expected > 50
    assert (
        stats.chisquare(observed[common], expected[common] * observed[common].sum() / expected[common].sum()).pvalue
        > 0.01
    )


@pytest.mark.parametrize(("kind", "level"), [("gaussian", (0.05, 0.3)), ("poisson", (2.0, 50.0))])
def test_a_draw_belongs_to_seed_epoch_and_sample(kind: NoiseKind, level: tuple[float, float]) -> None:
    picture = torch.rand(6, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    first = noise(kind, level)(picture, INDEX, 3)
    assert torch.equal(first[2:5], noise(kind, level)(picture[2:5], INDEX[2:5], 3)), "in any batch"
    others = [noise(kind, level)(picture, INDEX, 4), noise(kind, level, seed=1)(picture, INDEX, 3)]
    others += [noise(kind, level)(picture, INDEX + 1, 3), noise(kind, level)(picture, INDEX, None)]
    assert not any(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_an_evaluation_has_the_same_noise_in_every_run(kind: NoiseKind) -> None:
    first, other = (
        noise(kind, 0.3 if kind == "gaussian" else 9.0, seed=seed)(grey(0.5), INDEX, None) for seed in (0, 7)
    )
    assert torch.equal(first, other)


def test_levels_are_drawn_evenly_from_a_range() -> None:
    index = torch.arange(400)
    found = noise(level=(0.1, 0.5))(grey(0.5, 400, 32), index, 0).flatten(1).std(1).numpy()
    assert stats.kstest(found, "uniform", args=(0.1, 0.4)).pvalue > 0.01
    assert len(np.unique(found.round(6))) > 390


def test_values_are_cut_where_a_file_cuts_them() -> None:
    wild, cut = (noise(level=0.5, clip=clip)(grey(0.9), INDEX, 0) for clip in (False, True))
    assert wild.max() > 1 and wild.min() < 0
    assert torch.equal(cut, wild.clamp(0, 1))
