"""The augmentation of sounds: what each draw does to a sound, and how much of the features masks cover."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.augmentation.sounds import SoundAugmentation
from cnnexp.errors import InputError

COUNT, LENGTH, RATE = 400, 200, 1000
INDEX = torch.arange(COUNT)
WHOLE = torch.full((COUNT,), LENGTH)


def changed(waves: torch.Tensor, ends: torch.Tensor = WHOLE, epoch: int = 0, **words: Any) -> tuple[torch.Tensor, ...]:
    return SoundAugmentation(seed=1, **words).sounds(waves, ends, INDEX, epoch, RATE)


def test_a_shift_moves_a_sound_and_where_it_lies() -> None:
    ramp, ends = torch.zeros(COUNT, LENGTH), torch.full((COUNT,), 100)
    ramp[:, :100] = torch.arange(1.0, 101)
    moved, begin, end = changed(ramp, ends, shift_ms=40)
    for row, low, high in zip(moved, begin.tolist(), end.tolist(), strict=True):
        assert (row[low:high] > 0).all() and row[:low].abs().sum() == 0 and row[high:].abs().sum() == 0
        assert torch.equal(row[low:high].diff(), torch.ones(high - low - 1))
    steps = end - 100
    assert steps.min() < -35 and steps.max() > 35 and steps.abs().max() <= 40


def test_a_gain_is_in_decibels() -> None:
    factors = 20 * changed(torch.ones(COUNT, LENGTH), gain_db=6)[0][:, 0].log10()
    assert factors.min().item() == pytest.approx(-6, abs=0.1) and factors.max().item() == pytest.approx(6, abs=0.1)
    assert factors.mean().abs() < 0.5


def test_noise_has_the_ratio_that_is_asked_for_and_stays_within_the_sound() -> None:
    waves = torch.sin(torch.arange(5000.0))[None].repeat(COUNT, 1) * 0.1
    ends = torch.full((COUNT,), 4000)
    waves[:, 4000:] = 0
    noise = SoundAugmentation(seed=1, noise_db=[20, 20]).sounds(waves, ends, INDEX, 0, RATE)[0] - waves
    ratio = 10 * (waves[:, :4000].square().mean(1) / noise[:, :4000].square().mean(1)).log10()
    assert ratio.numpy() == pytest.approx(20, abs=0.5) and (noise[:, 4000:] == 0).all()
    spread = changed(torch.ones(COUNT, LENGTH), noise_db=[0, 40])[0] - 1
    measured = -20 * spread.std(1).log10()
    assert measured.min() < 4 and measured.max() > 36
    some = changed(torch.ones(COUNT, LENGTH), noise_db=[20, 20], noise_probability=0.25)[0]
    assert float((some != 1).any(1).float().mean()) == pytest.approx(0.25, abs=0.07)


def test_masks_are_as_wide_as_specaugment_draws_them() -> None:
    made = SoundAugmentation(seed=1, time_masks=1, time_width=10, frequency_masks=1, frequency_width=4)
    hidden = made.masked(torch.ones(COUNT, 2, 20, 50), INDEX, 0) == 0
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    columns, rows = hidden[:, 0].all(1).sum(1), hidden[:, 0].all(2).sum(1)
    for widths, most in ((columns, 10), (rows, 4)):
        counts = np.bincount(widths.numpy(), minlength=most + 1) / COUNT
        assert len(counts) == most + 1 and np.abs(counts - 1 / (most + 1)).max() < 0.07, "even from 0 to the widest"
    assert torch.equal(hidden[:, 0], hidden[:, 0].all(1, keepdim=True) | hidden[:, 0].all(2, keepdim=True))
    assert hidden[:, 0].all(1).any(0).all(), "anywhere"


def test_a_draw_is_of_seed_epoch_and_sample_alone() -> None:
    words = {"shift_ms": 20.0, "gain_db": 3.0, "noise_db": [5, 15]}
    waves = torch.sin(torch.arange(LENGTH * 1.0))[None].repeat(COUNT, 1)
    whole = changed(waves, **words)[0]
    part = SoundAugmentation(seed=1, **words).sounds(waves[7:9], WHOLE[:2], INDEX[7:9], 0, RATE)[0]  # type: ignore[arg-type]
    assert torch.equal(whole[7:9], part)
    assert not torch.equal(whole, changed(waves, epoch=1, **words)[0])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"shift_ms": -1.0}, "augmentation.shift_ms=-1: expected a number of at least 0"),
        ({"noise_db": [30, 10]}, "augmentation.noise_db=.* expected the lowest and the highest"),
        ({"time_masks": 9, "time_width": 1}, "augmentation.time_masks=9: expected a number from 0 to 8"),
        ({"frequency_masks": 1}, "augmentation.frequency_masks=1: cover nothing, as augmentation.frequency_width=0"),
        ({"noise_probability": 2.0}, "augmentation.noise_probability=2"),
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        SoundAugmentation(seed=0, **words)


def test_nothing_is_nothing() -> None:
    assert not SoundAugmentation(seed=0).active
    assert SoundAugmentation(seed=0, noise_db=[10, 20]).active
    assert not SoundAugmentation(seed=0, noise_db=[10, 20], noise_probability=0.0).active
