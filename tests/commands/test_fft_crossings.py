"""From which kernel on the FFT won, told from made-up times."""

from __future__ import annotations

from cnnexp.bench.convolution import Case, Timed
from cnnexp.commands.techniques.fft import crossings


def timed(kernel: int, size: int, ratio: float) -> Timed:
    return Timed(Case(kernel, size, 1, 1), ratio, 1.0, 0.0, 1.0)


def test_all_larger_kernels_have_to_win_too() -> None:
    found = [timed(3, 32, 0.1), timed(9, 32, 1.2), timed(11, 32, 0.9), timed(15, 32, 2.0), timed(21, 32, 3.04)]
    assert crossings(found, [32]) == ["here, pictures of 32×32: the FFT wins from 15×15 on, by up to 3.0 times"]


def test_a_size_at_which_it_never_or_always_wins() -> None:
    found = [timed(3, 16, 0.1), timed(5, 16, 1.0), timed(3, 64, 1.5), timed(5, 64, 1.1)]
    assert crossings(found, [16, 64]) == [
        "here, pictures of 16×16: the FFT does not win with these kernels",
        "here, pictures of 64×64: the FFT wins from 3×3 on, by up to 1.5 times",
    ]
