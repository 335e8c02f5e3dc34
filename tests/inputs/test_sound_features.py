"""Features of sounds, held to values by hand, to a plain computation in NumPy, and to numbers of two libraries."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import torch
from numpy.typing import NDArray

from cnnexp.inputs import sound_features
from cnnexp.inputs.sound_features import (
    cosines,
    decibels,
    deltas,
    hz_of_mel,
    mel_edges,
    mel_filters,
    mel_of_hz,
    power_spectrogram,
    window_of,
    with_deltas,
)
from cnnexp.inputs.sound_preparation import FeaturesOf
from cnnexp.inputs.sounds import Sounds

RATE, LENGTH = 8000, 4000
OPTIONS = {"window_ms": 25.0, "hop_ms": 10.0, "n_mels": 24, "coefficients": 13}


def chirp() -> NDArray[np.float32]:
    """Half a second of two tones that rise and fall over a hiss, without a random number."""
    n = np.arange(LENGTH)
    t = n / RATE
    rising, falling = np.sin(2 * np.pi * (300 * t + 2500 * t**2)), np.sin(2 * np.pi * (3000 * t - 2000 * t**2))
    return (0.5 * rising + 0.3 * falling + 0.05 * np.sin(1.3 * n**2 % (2 * np.pi))).astype(np.float32)


def features(**words: object) -> torch.Tensor:
    made = FeaturesOf(Sounds(rate_hz=RATE, length=LENGTH, **{**OPTIONS, **words}))  # type: ignore[arg-type]
    return made(torch.from_numpy(chirp())[None])[0]


# --- a plain computation ----------------------------------------------------------------------------------------------


def spectrogram_of(sound: NDArray[np.float64], n_fft: int, window: int, hop: int) -> NDArray[np.float64]:
    """Frame by frame, with NumPy's transform."""
    shape = np.zeros(n_fft)
    left = (n_fft - window) // 2
    shape[left : left + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    around = np.concatenate([np.zeros(n_fft // 2), sound, np.zeros(n_fft // 2)])
    frames = [around[start : start + n_fft] * shape for start in range(0, len(sound) + 1, hop)]
    return np.abs(np.fft.rfft(frames)).T ** 2


def triangles_of(bands: int, n_fft: int) -> NDArray[np.float64]:
    """HTK's bands, entry by entry."""
    mel = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), bands + 2)
    corners = 700 * (10 ** (mel / 2595) - 1)
    table = np.zeros((bands, n_fft // 2 + 1))
    for band in range(bands):
        low, top, high = corners[band : band + 3]
        for place in range(n_fft // 2 + 1):
            hertz = place * RATE / n_fft
            if low < hertz <= top:
                table[band, place] = (hertz - low) / (top - low)
            elif top < hertz < high:
                table[band, place] = (high - hertz) / (high - top)
    return table


def test_every_feature_is_that_of_a_plain_computation() -> None:
    power = spectrogram_of(chirp().astype(np.float64), 256, 200, 80)
    mel = triangles_of(24, 256) @ power
    log_mel = 10 * np.log10(np.maximum(mel, 1e-10))
    expected = {
        "spectrogram": power,
        "log_energy": 10 * np.log10(np.maximum(power, 1e-10)),
        "mel": mel,
        "log_mel": log_mel,
        "mfcc": scipy.fft.dct(log_mel, axis=0, norm="ortho")[:13],
    }
    for name, values in expected.items():
        found = features(features=name)
        assert found.shape == (1, *values.shape), name
        assert np.allclose(found[0].numpy(), values, rtol=1e-4, atol=1e-4 * np.abs(values).max()), name


# --- numbers of torchaudio and librosa --------------------------------------------------------------------------------

FRAMES = (0, 7, 25, 44)
ROWS = (0, 5, 11)
FROZEN: dict[str, list[list[float]]] = {
    "torchaudio mel": [
        [9.502088, 0.2544426, 0.04961115, 0.2225242],
        [87.37634, 0.06302884, 0.1633109, 0.0008333041],
        [0.3972538, 0.4903735, 0.2495971, 0.6860136],
    ],
    "torchaudio mel slaney": [
        [0.2015403, 0.00203602, 0.004393103, 0.001432422],
        [0.04065048, 1.882918, 0.0001361537, 0.001598701],
        [0.001944983, 0.004397982, 0.001868866, 0.6111646],
    ],
    "torchaudio mfcc": [
        [24.97716, 8.547946, -0.6336446, -12.68096],
        [-6.623923, 22.30386, -11.94193, 8.895655],
        [9.433504, 2.097274, -4.365032, 4.365767],
    ],
    "librosa mel": [
        [9.50209, 0.2544429, 0.04961109, 0.222524],
        [87.37624, 0.06302878, 0.1633109, 0.0008332919],
        [0.3972537, 0.4903733, 0.2495962, 0.6860117],
    ],
    "librosa mel slaney": [
        [0.2015403, 0.002036022, 0.0043931, 0.001432421],
        [0.04065047, 1.882924, 0.0001361552, 0.001598703],
        [0.001944986, 0.00439798, 0.001868867, 0.6111647],
    ],
    "librosa mfcc": [
        [24.97716, 8.547947, -0.6336531, -12.68099],
        [-6.623909, 22.30387, -11.94194, 8.895655],
        [9.433503, 2.097255, -4.365043, 4.365763],
    ],
    "librosa mfcc slaney": [
        [-88.54209, -94.16147, -104.1541, -111.9887],
        [1.066066, -2.327042, -13.2909, 11.43749],
        [6.368431, -14.7724, 1.650819, -5.313825],
    ],
}


@pytest.mark.parametrize("name", sorted(FROZEN))
def test_numbers_of_other_libraries(name: str) -> None:
    """Made once by torchaudio 2.11.1 (MelSpectrogram and MFCC, pad_mode="constant") and librosa 0.11.0 (melspectrogram
    with htk and norm as named, mfcc) on the sound above; no dependency of the tests."""
    kind, _, scale = name.partition(" ")[2].partition(" ")
    slaney = {"mel_scale": "slaney", "mel_norm": "slaney"} if scale == "slaney" else {}
    found = features(features=kind, **slaney)[0][list(ROWS)][:, list(FRAMES)].numpy()
    expected = np.array(FROZEN[name])
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


# --- single parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [10, 37, 100])
def test_a_tone_lands_in_its_bin(place: int) -> None:
    tone = torch.sin(2 * torch.pi * place / 256 * torch.arange(2048))[None]
    power = power_spectrogram(tone, window_of("hann", 256, 256), 128)[0, :, 4:-4]
    assert (power.argmax(0) == place).all()
    # A sine of amplitude 1 under a Hann window has |X| = n_fft / 4 in its bin, and half of that beside it.
    assert power[place].numpy() == pytest.approx(64.0**2, rel=1e-3)
    assert power[place + 1].numpy() == pytest.approx(32.0**2, rel=1e-3)


def test_energy_is_kept() -> None:
    """Parseval: the sum of |X|² over all n_fft frequencies is n_fft times that of the frame's squares."""
    sound = torch.from_numpy(chirp())[:2560]
    power = power_spectrogram(sound[None], window_of("rectangular", 256, 256), 256)[0].double()
    both_sides = power[0] + 2 * power[1:-1].sum(0) + power[-1]
    frames = torch.nn.functional.pad(sound, (128, 128)).double().view(-1, 256)
    assert torch.allclose(both_sides, 256 * frames.square().sum(1), rtol=1e-5)


def test_mel_is_by_its_formulas() -> None:
    assert mel_of_hz(np.array([700.0]), "htk")[0] == pytest.approx(2595 * np.log10(2))
    assert mel_of_hz(np.array([200.0, 1000.0, 6400.0]), "slaney").tolist() == pytest.approx([3, 15, 42])
    hertz = np.array([0.0, 50.0, 999.0, 1001.0, 3999.0])
    for scale in ("htk", "slaney"):
        assert np.allclose(hz_of_mel(mel_of_hz(hertz, scale), scale), hertz)  # type: ignore[arg-type]


def test_triangles_are_1_at_their_tops_or_of_one_area() -> None:
    plain = mel_filters(10, 8192, RATE, 0, 4000, "htk", equal_areas=False)
    assert plain.amax(1).numpy() == pytest.approx(1, abs=0.02)
    assert plain[:, 5:-500].sum(0)[200:3000].numpy() == pytest.approx(1, abs=1e-5), "neighbours add up to 1"
    areas = mel_filters(10, 8192, RATE, 0, 4000, "slaney", equal_areas=True).sum(1) * RATE / 8192
    assert areas.numpy() == pytest.approx(1, rel=1e-3)
    assert mel_edges(2, 0, 4000, "slaney")[[0, -1]] == pytest.approx([0, 4000])


def test_the_cosine_transform_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=(40, 7))
    found = cosines(40, 40).double().numpy() @ values
    assert np.allclose(found, scipy.fft.dct(values, axis=0, norm="ortho"), atol=1e-5)
    assert torch.allclose(cosines(40, 40) @ cosines(40, 40).T, torch.eye(40), atol=1e-5)


def test_slopes_by_hand() -> None:
    rows = torch.tensor([[0.0, 1, 4, 9, 16, 25], [3.0, 3, 3, 3, 3, 3]])[None]
    # (1 (c[t+1] - c[t-1]) + 2 (c[t+2] - c[t-2])) / 10, where 0 and 25 go on beyond the ends
    by_hand = [(1 + 2 * 4) / 10, (4 + 2 * 9) / 10, (8 + 2 * 16) / 10, (12 + 2 * 24) / 10, (16 + 2 * 21) / 10,
               (9 + 2 * 16) / 10]  # fmt: skip
    assert deltas(rows)[0, 0].tolist() == pytest.approx(by_hand)
    assert deltas(rows)[0, 1].abs().max() < 1e-6
    both = with_deltas(rows, 2)
    assert torch.equal(both[:, 0], rows) and torch.allclose(both[:, 2], deltas(deltas(rows)))


def test_silence_is_as_quiet_as_the_floor() -> None:
    assert decibels(torch.tensor([0.0, 1e-10, 1e-3, 100.0]), 1e-10).tolist() == pytest.approx([-100, -100, -30, 20])
    assert decibels(torch.zeros(1), 1e-6).item() == pytest.approx(-60)


def test_the_window_stands_in_the_middle() -> None:
    window = window_of("hann", 200, 256)
    assert window[:28].abs().max() == 0 and window[28 + 100] == pytest.approx(1) and window[228:].abs().max() == 0
    assert window_of("hamming", 4, 4).tolist() == pytest.approx([0.08, 0.54, 1.0, 0.54], abs=1e-6)
    assert sound_features.DELTA_REACH == 2
