"""PSNR by its formula, SSIM against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from cnnexp.tasks.picture_scores import PictureScores, psnr, scores, ssim


def pair(noise: float, channels: int = 3, count: int = 3) -> tuple[Tensor, Tensor]:
    """Smooth pictures, and the same with noise."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:40, :53] / 20
    true = 0.5 + 0.4 * np.sin(rows * 5 + generator.random((count, channels, 1, 1)) * 6) * np.cos(columns * 4)
    return torch.from_numpy((true + generator.normal(0, noise, true.shape)).clip(0, 1)), torch.from_numpy(true)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_ssim_is_that_of_scikit_image(noise: float, channels: int, dtype: torch.dtype) -> None:
    answer, truth = (one.to(dtype) for one in pair(noise, channels))
    expected = [
        structural_similarity(
            *(one[place].double().numpy() for one in (answer, truth)),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=0,
            data_range=1,
        )
        for place in range(len(answer))
    ]
    assert ssim(answer, truth).numpy() == pytest.approx(expected, abs=1e-9)


def test_psnr_is_of_each_picture() -> None:
    truth = torch.zeros(3, 1, 4, 4)
    answer = truth.clone()
    answer[0] = 0.1  # 20 dB
    answer[1, 0, 0, 0] = 1.0  # an error of 1/16
    assert psnr(answer, truth).tolist() == pytest.approx([20, 10 * np.log10(16), 100])


def test_answers_are_cut_to_what_a_picture_can_hold() -> None:
    truth = torch.ones(1, 1, 12, 12)
    assert scores(truth + 0.5, truth)[0].tolist() == pytest.approx([100, 1])


def test_means_are_over_pictures() -> None:
    metric, answer, truth = PictureScores(), *pair(0.1)
    of_each = scores(answer, truth)
    metric.update(of_each[:1])
    metric.update(of_each[1:])
    assert list(metric.compute().values()) == pytest.approx(of_each.mean(0).tolist())
    assert of_each[:, 0].mean() != pytest.approx(float(-10 * (answer - truth).square().mean().log10()), abs=1e-6)
