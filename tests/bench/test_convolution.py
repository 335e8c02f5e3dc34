from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.bench import convolution
from cnnexp.bench.convolution import Case, Timed, measure
from cnnexp.visualize.fft_chart import fft_image


@pytest.mark.parametrize("backward", [False, True])
def test_both_ways_are_timed_on_the_same_numbers(backward: bool) -> None:
    cases = [Case(3, 12, 2, 2, backward), Case(7, 12, 2, 2, backward)]
    found = measure(cases, 0.0, torch.device("cpu"))
    assert [one.case for one in found] == cases
    for one in found:
        assert one.direct_s > 0 and one.fft_s > 0
        assert 0 < one.largest_difference < 1e-5
        assert 1 < one.largest_value < 10


def test_the_ways_take_turns_and_the_quickest_round_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = iter([4.0, 40.0, 9.0, 90.0, 3.0, 50.0, 5.0, 45.0, 7.0, 30.0, 8.0, 60.0])
    monkeypatch.setattr(convolution, "_seconds", lambda *arguments: next(taken))
    (one,) = measure([Case(3, 8, 1, 1)], 0.0, torch.device("cpu"))
    assert (one.direct_s, one.fft_s) == (3, 30)
    assert one.ratio == pytest.approx(0.1)


def test_the_fft_gains_with_the_kernel() -> None:
    """Its own time hardly depends on the kernel, that of the direct way grows with its area."""
    small, large = measure([Case(3, 64, 8, 1), Case(31, 64, 8, 1)], 0.1, torch.device("cpu"))
    assert large.ratio > 2 * small.ratio


def test_the_chart_is_purple_where_the_fft_wins_and_orange_where_not() -> None:
    times = {(3, 16): (1.0, 16.0), (31, 64): (16.0, 1.0), (3, 64): (1.0, 1.0)}
    pixels = np.asarray(fft_image(times, [3, 31], [16, 64], "a title")).reshape(-1, 3).astype(int)
    orange = (pixels[:, 0] > pixels[:, 2] + 80).sum()
    purple = (pixels[:, 2] > pixels[:, 1] + 40).sum()
    assert orange > 5000 and purple > 5000
    assert Timed(Case(3, 16, 1, 1), 1.0, 2.0, 0.0, 1.0).ratio == 0.5
