"""The augmentation of texts: how often each thing happens, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.texts import TextAugmentation
from cnnexp.errors import InputError

COUNT, LENGTH = 500, 12
INDEX = torch.arange(COUNT)
LENGTHS = torch.arange(COUNT) % LENGTH + 1
TEXTS = torch.where(torch.arange(LENGTH) < LENGTHS[:, None], torch.arange(2, LENGTH + 2), 0)
"""Words 2, 3, 4, … of texts of 1 to 12 words."""


def changed(epoch: int = 0, **words: float) -> torch.Tensor:
    return TextAugmentation(seed=1, **words).texts(TEXTS, INDEX, epoch)


def test_words_become_unknown_as_often_as_asked() -> None:
    made = changed(unknown=0.3)
    assert set(made[made != TEXTS].tolist()) == {1}
    assert ((made == 1).sum() / (TEXTS != 0).sum()).item() == pytest.approx(0.3, abs=0.03)
    assert torch.equal(made == 0, TEXTS == 0)


def test_words_are_left_out_and_the_others_close_up_in_their_order() -> None:
    made, lost = changed(left_out=0.3), 0
    for row, before in zip(made.tolist(), LENGTHS.tolist(), strict=True):
        words = [number for number in row if number]
        assert words and words == sorted(set(words)) and row[len(words) :] == [0] * (LENGTH - len(words))
        lost += before - len(words)
    assert lost / int(LENGTHS.sum()) == pytest.approx(0.3, abs=0.03)


def test_of_a_text_of_which_nothing_would_stay_the_first_word_does() -> None:
    made = changed(left_out=0.99)
    assert (made[:, 0] != 0).all() and (made[:, 1:] != 0).float().mean() < 0.02
    assert (made[:, 0] == 2).float().mean() > 0.9


def test_neighbours_change_places() -> None:
    made = changed(swapped=0.2)
    assert torch.equal(made.sort(1).values, TEXTS.sort(1).values)
    moved = made != TEXTS
    assert (made - TEXTS)[moved].abs().eq(1).all(), "by one place, and only once"
    pairs = int(moved.sum()) / 2 / int((LENGTHS - 1).sum())
    assert pairs == pytest.approx(0.2 * (1 - 0.2 / 1.2), abs=0.03), "less what was moved just before"


def test_a_draw_is_of_seed_epoch_and_index_alone() -> None:
    options = dict(unknown=0.2, left_out=0.2, swapped=0.2)
    assert torch.equal(changed(**options), changed(**options))
    assert not torch.equal(changed(**options), changed(epoch=1, **options))
    places = torch.tensor([40, 3, 77])
    alone = TextAugmentation(seed=1, **options).texts(TEXTS[places], INDEX[places], 0)
    assert torch.equal(alone, changed(**options)[places])


def test_nothing_is_changed_when_nothing_is_switched_on() -> None:
    assert not TextAugmentation(seed=1).active and torch.equal(changed(), TEXTS)
    np.testing.assert_array_equal(TEXTS.numpy(), changed(swapped=0.0).numpy())


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InputError, match=r"augmentation\.left_out=1: expected a probability of at least 0 and below 1"):
        TextAugmentation(seed=1, left_out=1.0)
