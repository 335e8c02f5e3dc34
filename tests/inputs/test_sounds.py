"""Sounds: features of stored batches, standardised by what training samples tell, for nets of pictures and 1-D ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.augmentation.sounds import SoundAugmentation
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.sound_files import wav_bytes
from cnnexp.inputs.sound_preparation import FeaturesOf, SoundPreparation
from cnnexp.inputs.sounds import Sounds

RATE, LENGTH, COUNT = 8000, 800, 10
LENGTHS = torch.tensor([800, 400, 800, 240, 1, 800, 555, 800, 80, 800])


def of(**words: Any) -> Sounds:
    return Sounds(**{"rate_hz": RATE, "length": LENGTH, "window_ms": 10.0, "hop_ms": 5.0, "n_mels": 8,
                     "coefficients": 5, **words})  # fmt: skip


def stored() -> dict[str, torch.Tensor]:
    waves = torch.randn(COUNT, LENGTH, generator=torch.Generator().manual_seed(0)) / 4
    return {"sound": waves * (torch.arange(LENGTH) < LENGTHS[:, None]), "sound_length": LENGTHS}


def learnt(**words: Any) -> Sounds:
    return of(**words).learn(TensorSplit(stored()), np.arange(COUNT))


def prepared(given: Sounds, augmentation: SoundAugmentation | None = None, train: bool = False) -> torch.Tensor:
    preparation = given.preparation(augmentation, (), seed=0, centred=True, channels_last=False)
    batch = {**stored(), "index": torch.arange(COUNT)}
    return given.arguments(preparation(batch, train, 0))[0]


@pytest.mark.parametrize("features", ["spectrogram", "log_energy", "mel", "log_mel", "mfcc"])
@pytest.mark.parametrize("deltas", [0, 2])
def test_a_net_of_pictures_is_told_of_rows_and_frames(features: str, deltas: int) -> None:
    given = learnt(features=features, deltas=deltas)
    rows = {"mel": 8, "log_mel": 8, "mfcc": 5}.get(features, 65)
    assert given.told() == {"in_channels": 1 + deltas, "image_size": (rows, 21)}
    assert prepared(given).shape == (COUNT, 1 + deltas, rows, 21)


def test_a_net_of_signals_is_told_of_the_waveform() -> None:
    given = learnt(features="waveform")
    assert given.told() == {"in_channels": 1, "length": LENGTH, "sequence": False}
    values = prepared(given)
    assert values.shape == (COUNT, 1, LENGTH)
    own = torch.cat([wave[:length] for wave, length in zip(stored()["sound"], LENGTHS.tolist(), strict=True)])
    assert given.mean == pytest.approx([own.mean().item()], abs=1e-6)
    assert given.std == pytest.approx([own.std(unbiased=False).item()], rel=1e-5)
    assert torch.allclose(values[0, 0], (stored()["sound"][0] - own.mean()) / own.std(unbiased=False), atol=1e-5)


def test_rows_are_standardised_by_frames_that_hold_sound() -> None:
    given = learnt(features="log_mel", deltas=1)
    raw = FeaturesOf(given)(stored()["sound"])
    frames = [-(-int(length) // 40) for length in LENGTHS]  # frame t lies at sample 40 t
    within = torch.cat([one[:, :, :count] for one, count in zip(raw, frames, strict=True)], 2).double()
    assert given.mean == pytest.approx(within.mean(2).flatten().tolist(), rel=1e-4, abs=1e-5)
    assert given.std == pytest.approx(within.std(2, unbiased=False).flatten().tolist(), rel=1e-3)
    values = prepared(given)
    assert (values[1, :, :, 10:] == 0).all() and (values[1, :, :, 9] != 0).any(), "400 samples are ten frames"
    mean = torch.tensor(given.mean).view(2, 8)
    std = torch.tensor(given.std).view(2, 8)
    lowest = (raw[0, :, 0] - mean[:, :1]) / std[:, :1]
    assert torch.allclose(values[0, :, -1, :-1], lowest[:, :-1], atol=1e-5), "the lowest frequency is the last row"


def test_only_the_samples_that_take_part_are_learnt_from() -> None:
    given = of().learn(TensorSplit(stored()), np.array([0, 2]))
    both = FeaturesOf(of())(stored()["sound"][[0, 2]])[:, 0].transpose(0, 1).flatten(1)
    assert given.mean != learnt().mean and given.mean == pytest.approx(both[:, :].mean(1).tolist(), rel=0.05)
    with pytest.raises(InputError, match=r"input\.json: expected mean and std"):
        of().with_learnt({"mean": [1.0] * 3, "std": [1.0] * 3})


def test_small_features_are_stretched_for_large_nets() -> None:
    given = learnt(image_size=(64, 48))
    plain, large = prepared(learnt()), prepared(given)
    assert large.shape == (COUNT, 1, 64, 48)
    expected = torch.nn.functional.interpolate(plain, (64, 48), mode="bilinear", antialias=True)
    assert torch.allclose(large, expected)
    assert given.setting == "data.image_size=[64,48]"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"features": "waveform", "deltas": 1}, r"data\.deltas=1: .* a waveform has none"),
        ({"features": "waveform", "image_size": (9, 9)}, r"data\.image_size: a waveform has a length"),
        ({"n_fft": 40}, r"data\.n_fft=40: shorter than the window of 80 samples"),
        ({"high_hz": 5000.0}, r"data\.high_hz=5000: .* from 0 to 4000"),
        ({"features": "mfcc", "coefficients": 9}, r"data\.coefficients=9: there are at most data\.n_mels=8"),
        ({"hop_ms": 0.0}, r"data\.hop_ms=0: expected a number above 0"),
        ({"length": 0}, r"data\.length=0: expected a number of at least 1"),
        ({"deltas": -1}, r"data\.deltas=-1: expected 0, 1 \(slopes\) or 2"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        of(**words)


def test_bands_without_a_frequency_are_refused() -> None:
    with pytest.raises(InputError, match=r"data\.n_mels=60: .* no frequency of data\.n_fft=128 lies in them"):
        FeaturesOf(of(n_mels=60))


def test_a_file_of_another_rate_is_the_sound_at_ours(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(3200) / 16000).astype(np.float32)
    (tmp_path / "a.wav").write_bytes(wav_bytes(tone, 16000))
    read = of().read(tmp_path / "a.wav")
    assert read["sound_length"].tolist() == [800]
    expected = np.sin(2 * np.pi * 500 * np.arange(800) / 8000)
    assert np.abs(read["sound"][0].numpy() - expected)[50:-50].max() < 0.01
    (tmp_path / "b.wav").write_bytes(wav_bytes(tone[:0], 8000))
    with pytest.raises(InputError, match=r"b\.wav: holds no sound"):
        of().read(tmp_path / "b.wav")


def test_it_is_heard_as_long_as_it_is() -> None:
    heard = of().heard(stored())
    assert [len(one) for one in heard] == [44 + 2 * int(length) for length in LENGTHS]
    assert heard[0].startswith(b"RIFF")
    assert (of().blank({**stored(), "index": LENGTHS})["sound"] == 0).all()


def test_silence_is_no_number_that_is_none() -> None:
    quiet = {"sound": torch.zeros(3, LENGTH), "sound_length": torch.tensor([800, 400, 1])}
    for features in ("waveform", "log_mel", "mfcc"):
        given = of(features=features).learn(TensorSplit(quiet), np.arange(3))
        preparation = given.preparation(None, (), seed=0, centred=True, channels_last=False)
        assert preparation({**quiet, "index": torch.arange(3)}, False, 0)["sound_features"].isfinite().all()
        assert len(given.pictures(quiet)) == 3


def test_a_task_that_gives_samples_back_is_refused() -> None:
    with pytest.raises(InputError, match="take classification"):
        learnt().preparation(None, (), seed=0, centred=False, channels_last=False)


def test_training_alone_is_augmented() -> None:
    made = SoundAugmentation(seed=0, time_masks=1, time_width=8, gain_db=6)
    given = learnt()
    assert torch.equal(prepared(given, made), prepared(given))
    assert not torch.equal(prepared(given, made, train=True), prepared(given))
    assert isinstance(given.preparation(made, (), seed=0, centred=True, channels_last=False), SoundPreparation)
    mfcc = SoundAugmentation(seed=0, frequency_masks=1, frequency_width=2)
    assert "are no frequencies" in of(features="mfcc").problems(mfcc, (), False)[0]
    assert "a waveform has none" in of(features="waveform").problems(mfcc, (), False)[0]
    wide = SoundAugmentation(seed=0, time_masks=1, time_width=22)
    assert "the features have 21" in of().problems(wide, (), False)[0]
    assert of().problems(made, (), False) == []
