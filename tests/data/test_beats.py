"""Windows and classes of a recording, against loops over single samples."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.data.beats import classes_along, cut_beats, cut_stretches


def test_a_beat_is_the_samples_around_its_annotation() -> None:
    signal = np.stack([np.arange(100), -np.arange(100)]).astype(np.float32)
    beats, kept = cut_beats(signal, np.array([2, 3, 40, 94, 95]), before=3, length=9)
    assert kept.tolist() == [1, 2, 3]  # 2 has too little before it, 95 ends one sample behind the recording
    assert beats[0].tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, -1, -2, -3, -4, -5, -6, -7, -8]]
    assert beats[1, 0].tolist() == list(range(37, 46))
    assert beats[2, 0, -1] == 99


def test_no_beat_fits() -> None:
    beats, kept = cut_beats(np.zeros((2, 5), np.float32), np.array([2]), before=1, length=9)
    assert beats.shape == (0, 2, 9) and kept.shape == (0,)


def test_stretches_follow_each_other_and_a_rest_is_left_out() -> None:
    signal = np.stack([np.arange(11), 100 + np.arange(11)]).astype(np.float32)
    assert cut_stretches(signal, 4).tolist() == [
        [[0, 1, 2, 3], [100, 101, 102, 103]],
        [[4, 5, 6, 7], [104, 105, 106, 107]],
    ]
    assert cut_stretches(signal, 12).shape == (0, 2, 12)


def test_the_class_of_a_window_by_hand() -> None:
    positions, labels = np.array([12, 15, 19, 20, 50, 58, 70]), np.array([0, 2, 1, 0, 1, 0, 2])
    #            none before | largest | exactly on the edge | as the last one | … | largest of 1, 0 | as 0 | behind it
    assert classes_along(positions, labels, every=10, count=7).tolist() == [0, 2, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_the_class_of_a_window_against_a_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    positions = np.sort(random.choice(400, 30, replace=False))
    labels = random.integers(0, 4, 30)
    expected = []
    for window in range(45):
        inside = [label for at, label in zip(positions, labels, strict=True) if window * 7 <= at < window * 7 + 7]
        before = [label for at, label in zip(positions, labels, strict=True) if at < window * 7]
        expected.append(max(inside) if inside else before[-1] if before else labels[0])
    assert classes_along(positions, labels, every=7, count=45).tolist() == expected
