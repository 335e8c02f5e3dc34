"""Against Pillow, which is what super-resolution is measured with, and the cubic by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.models.bicubic import REACH_PX, bicubic, enlarged


@pytest.mark.parametrize("size", [(12, 15), (8, 10), (72, 90), (48, 60)])
def test_it_is_pillows(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((24, 30), np.float32)
    expected = np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC))
    found = bicubic(torch.from_numpy(picture)[None, None], size)[0, 0].numpy()
    assert found == pytest.approx(expected, abs=2e-6)


def test_a_step_is_overshot_as_the_cubic_with_a_half_says() -> None:
    """Keys's kernel a quarter from a pixel: w(0.25), w(0.75), w(1.25), w(1.75) with a = -0.5."""
    step = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1]).view(1, 1, 1, 8).expand(1, 1, 8, 8)
    middle = enlarged(step, 2)[0, 0, 8]
    near, far = -0.0703125, -0.0234375  # w(1.25), w(1.75)
    assert middle[7].item() == pytest.approx(0.2265625 + far, abs=1e-6)  # w(0.75) + w(1.75)
    assert middle[6].item() == pytest.approx(near, abs=1e-6)
    assert enlarged(step, 1) is step


def test_its_reach_is_as_said() -> None:
    point = torch.zeros(1, 1, 11, 11)
    point[0, 0, 5, 5] = 1
    seen = enlarged(point, 3)[0, 0].nonzero()
    assert seen.min() // 3 == 5 - REACH_PX and seen.max() // 3 == 5 + REACH_PX
