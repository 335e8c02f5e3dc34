"""Features of sounds, computed on whole batches where they lie: spectrograms, mel bands, cepstra and their deltas.

Frequencies are rows and run upwards with the row's number; frames of time are columns. Frame t lies around sample
t * hop; beyond the ends of a sound there are zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Window = Literal["hann", "hamming", "rectangular"]
Scale = Literal["htk", "slaney"]

DELTA_REACH = 2
"""Frames to either side of which a slope is the regression."""
_SLANEY_HZ, _SLANEY_MEL = 200.0 / 3, 15.0
"""Below 1,000 Hz, which are 15 mel, a mel is so many Hz."""
_SLANEY_STEP = math.log(6.4) / 27


def window_of(name: Window, samples: int, n_fft: int) -> Tensor:
    """A periodic window of so many samples in the middle of ``n_fft``, (n_fft,)."""
    makes: dict[str, Callable[[int], Tensor]] = {
        "hann": torch.hann_window,
        "hamming": torch.hamming_window,
        "rectangular": torch.ones,
    }
    left = (n_fft - samples) // 2
    return F.pad(makes[name](samples), (left, n_fft - samples - left))


def power_spectrogram(sound: Tensor, window: Tensor, hop: int) -> Tensor:
    """|STFT|² of sounds (B, L): (B, n_fft / 2 + 1, 1 + L // hop). ``window`` is (n_fft,).

    X[k, t] = sum over n of w[n] x[t hop + n - n_fft / 2] exp(-2 pi i k n / n_fft).
    """
    count = len(window)
    found = torch.stft(sound, count, hop, window=window, center=True, pad_mode="constant", return_complex=True)
    return found.real.square().addcmul_(found.imag, found.imag)


def mel_of_hz(frequency: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Pitch as it is heard: HTK's 2595 log10(1 + f / 700), or Slaney's, a line up to 1 kHz and a logarithm above."""
    if scale == "htk":
        return 2595 * np.log10(1 + frequency / 700)
    above = _SLANEY_MEL + np.log(np.maximum(frequency, 1e-10) / 1000) / _SLANEY_STEP
    return np.where(frequency < 1000, frequency / _SLANEY_HZ, above)


def hz_of_mel(mel: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """The other way round."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    return np.where(mel < _SLANEY_MEL, mel * _SLANEY_HZ, 1000 * np.exp((mel - _SLANEY_MEL) * _SLANEY_STEP))


def mel_edges(bands: int, low_hz: float, high_hz: float, scale: Scale) -> NDArray[np.float64]:
    """The corners of the triangles in Hz, (bands + 2,): band m rises from corner m to m + 1 and falls to m + 2."""
    low, high = mel_of_hz(np.array([low_hz, high_hz]), scale)
    return hz_of_mel(np.linspace(low, high, bands + 2), scale)


def mel_filters(
    bands: int, n_fft: int, rate_hz: int, low_hz: float, high_hz: float, scale: Scale, *, equal_areas: bool
) -> Tensor:
    """Triangles (bands, n_fft / 2 + 1) that are even on the mel scale, each 1 at its top; or of one area each.

    Args:
        equal_areas: divided by half the triangle's width in Hz, as in Slaney's Auditory Toolbox (1998).
    """
    edges = mel_edges(bands, low_hz, high_hz, scale)
    bins = np.arange(n_fft // 2 + 1) * rate_hz / n_fft
    left, top, right = (edges[place : place + bands, None] for place in range(3))
    triangles = np.maximum(0, np.minimum((bins - left) / (top - left), (right - bins) / (right - top)))
    if equal_areas:
        triangles *= 2 / (right - left)
    return torch.from_numpy(triangles.astype(np.float32))


def cosines(coefficients: int, bands: int) -> Tensor:
    """The orthonormal DCT-II, (coefficients, bands): c[k] = s[k] sum over m of x[m] cos(pi k (2 m + 1) / (2 bands))."""
    k, m = np.arange(coefficients)[:, None], np.arange(bands)[None]
    table = np.sqrt(2 / bands) * np.cos(np.pi * k * (2 * m + 1) / (2 * bands))
    table[0] /= np.sqrt(2)
    return torch.from_numpy(table.astype(np.float32))


def decibels(power: Tensor, floor: float) -> Tensor:
    """10 log10 of power, that of the floor where it is less."""
    return 10 * power.clamp(min=floor).log10()


def deltas(values: Tensor) -> Tensor:
    """The slope of each row over time, (B, rows, T): a regression over two frames to either side.

    d[t] = sum over n of n (c[t + n] - c[t - n]) / (2 sum over n of n²), n = 1, 2 (Furui 1986; HTK book, equation 5.16).
    Before the first frame and behind the last they are repeated.
    """
    reach = torch.arange(-DELTA_REACH, DELTA_REACH + 1, dtype=values.dtype, device=values.device)
    weights = (reach / reach.square().sum()).view(1, 1, -1).expand(values.shape[1], 1, -1)
    return F.conv1d(F.pad(values, (DELTA_REACH, DELTA_REACH), "replicate"), weights, groups=values.shape[1])


def with_deltas(values: Tensor, order: int) -> Tensor:
    """(B, rows, T) → (B, 1 + order, rows, T): the values, their slopes, and those of the slopes."""
    found: Sequence[Tensor] = [values]
    for _ in range(order):
        found = [*found, deltas(found[-1])]
    return torch.stack(list(found), 1)
