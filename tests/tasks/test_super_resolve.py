"""What is shrunk, against Pillow, and what is left out."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.data.base import TensorSplit
from cnnexp.inputs.degraded import GIVEN
from tests.tasks import tiny
from tests.tasks.restoring import enlarger, pictures


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_what_is_given_is_pillows_bicubic_of_the_part_that_divides(factor: int) -> None:
    batch = pictures(2)
    task = enlarger(factor)
    made = task.truth(task.prepare(batch, train=False))
    height, width = 32 // factor, 40 // factor
    assert made["image"].shape == (2, 3, factor * height, factor * width)
    true = batch["image"][:, :, : factor * height, : factor * width]
    assert torch.equal(made["image"].mul(255).round().byte(), true)
    for picture, given in zip(true.reshape(-1, *true.shape[-2:]), made[GIVEN].flatten(0, 1), strict=True):
        small = Image.fromarray(picture.numpy().astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
        assert given.numpy() * 255 == pytest.approx(np.asarray(small).clip(0, 255), abs=1e-3)


def test_what_is_left_out_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        enlarger(4)
        assert not caplog.messages
        enlarger(3)
    assert caplog.messages == ["task.factor=3: pictures of 32x40 are cut to 30x39, which it divides"]


def test_the_reference_is_bicubic_and_near_pictures_are_near() -> None:
    rows, columns = np.mgrid[:36, :48]
    smooth = (127 + 100 * np.sin(rows / 6) * np.cos(columns / 7)).astype(np.uint8)
    split = TensorSplit({"image": torch.from_numpy(smooth)[None, None].expand(3, 3, -1, -1).contiguous()})
    task = enlarger(3, size=(36, 48))
    found = task.reference(tiny.picture_data(dataset=tiny.Given(test=split), facts=task.facts))
    small = Image.fromarray(smooth.astype(np.float32)).resize((16, 12), Image.Resampling.BICUBIC)
    large = np.asarray(small.resize((48, 36), Image.Resampling.BICUBIC)).clip(0, 255) / 255
    expected = 10 * np.log10(1 / np.square(large - smooth / 255).mean())
    assert found["bicubic_psnr"] == pytest.approx(expected, abs=1e-3)
    assert set(found) == {"bicubic_psnr", "bicubic_ssim"}


def test_a_file_is_taken_for_the_small_picture() -> None:
    batch = pictures(1, (13, 17))
    (answer,) = enlarger(4).predict(enlarger(4).prepare(batch, train=False))
    assert answer.shape == (52, 68, 3), "all of it, whatever it divides by"
