"""What noise and a median come to, against numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from cnnexp.data.base import TensorSplit
from cnnexp.inputs.degraded import GIVEN
from cnnexp.tasks.denoise import median
from tests.tasks import tiny
from tests.tasks.restoring import Same, denoiser, pictures


def test_the_median_is_scipys_of_each_channel() -> None:
    picture = torch.rand(2, 3, 9, 11)
    expected = [[ndimage.median_filter(one.numpy(), 3) for one in own] for own in picture]
    assert np.array_equal(median(picture).numpy(), np.array(expected))


@pytest.mark.parametrize("clip", [True, False])
def test_the_reference_is_of_the_same_noisy_pictures(clip: bool) -> None:
    batch = pictures(7, (48, 40))
    task = denoiser(size=(48, 40), noise=25 / 255, clip=clip)
    data = tiny.picture_data(
        dataset=tiny.Given(test=TensorSplit({"image": batch["image"]})), facts=task.facts, batch_size=3
    )
    found = task.reference(data)
    true = batch["image"].double() / 255
    noisy = task.truth(task.prepare(batch, train=False))[GIVEN].double()
    each = 10 * np.log10(1 / (noisy - true).square().mean((1, 2, 3)).numpy())
    if clip:
        assert noisy.min() == 0 and noisy.max() == 1
        assert found["noisy_psnr"] == pytest.approx(each.mean(), abs=1e-6)
        assert found["noisy_psnr"] > 20.3
    else:
        # 20 log10(255 / 25) on paper; that of an answer is cut to what a picture can hold
        assert each.mean() == pytest.approx(20.17, abs=0.03)
    assert set(found) == {"noisy_psnr", "noisy_ssim", "median_psnr", "median_ssim"}
    with torch.no_grad():
        step = task.step(task.prepare(batch, train=False), "test")
    assert found["noisy_psnr"] == pytest.approx(step.predictions[:, 0].mean().item()), "a net that does nothing"


def test_photons_are_counted_by_the_peak() -> None:
    task, batch = denoiser(noise_kind="poisson", peak=20.0, noise=0.9), pictures()
    counts = task.truth(task.prepare(batch, train=False))[GIVEN] * 20
    assert (counts - counts.round()).abs().max() < 1e-4


@torch.no_grad()
def test_the_truth_is_the_clean_picture() -> None:
    task, batch = denoiser(Same(), noise=0.1), pictures()
    output = task.step(task.prepare(batch, train=True), "train")
    assert float(output.loss) == pytest.approx(0.1**2, rel=0.1)
