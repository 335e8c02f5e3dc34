"""Signals: normalised by channel, learnt from, read from files, shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.augmentation.signals import SignalAugmentation
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.signals import Signals, read_signal


def signals(count: int = 20, channels: int = 2, length: int = 30) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    scale, shift = torch.tensor([3.0, 0.1]).view(1, -1, 1), torch.tensor([-5.0, 2.0]).view(1, -1, 1)
    return torch.randn(count, channels, length, generator=generator) * scale + shift


def batch(count: int = 6) -> dict[str, torch.Tensor]:
    return {"signal": signals(count), "index": torch.arange(count)}


def prepared(
    given: Signals, augmentation: SignalAugmentation | None = None, train: bool = False, epoch: int = 0
) -> torch.Tensor:
    preparation = given.preparation(augmentation, (), seed=0, centred=True, channels_last=False)
    return preparation(batch(), train, epoch)["signal"]


def test_mean_and_deviation_are_learnt_from_the_samples_that_take_part() -> None:
    values = signals()
    split, positions = TensorSplit({"signal": values}), np.arange(5, 17)
    learnt = Signals(channels=2, length=30).learn(split, positions)
    own = values[5:17].double().transpose(0, 1).flatten(1)
    assert learnt.mean == pytest.approx(own.mean(1).tolist())
    assert learnt.std == pytest.approx(own.std(1, unbiased=False).tolist())
    assert not learnt.learns
    again = Signals(channels=2, length=30).with_learnt(learnt.learnt())
    assert again == learnt


def test_each_channel_is_normalised() -> None:
    given = Signals(channels=2, length=30, mean=(-5.0, 2.0), std=(3.0, 0.1))
    expected = (signals(6) - torch.tensor([-5.0, 2.0]).view(1, -1, 1)) / torch.tensor([3.0, 0.1]).view(1, -1, 1)
    assert torch.allclose(prepared(given), expected, atol=1e-6)


def test_training_alone_is_augmented_and_differs_by_epoch() -> None:
    given = Signals(channels=2, length=30, mean=(0.0,), std=(1.0,))
    made = SignalAugmentation(seed=1, noise=0.5)
    plain = prepared(given)
    first, second = (prepared(given, made, True, epoch) for epoch in (0, 1))
    assert torch.equal(prepared(given, made), plain)
    assert torch.equal(prepared(given, made, True, 0), first)
    assert not torch.equal(first, second)
    assert float((first - plain).std()) == pytest.approx(0.5, rel=0.15)


def test_a_shift_moves_whole_samples_and_zeros_come_in() -> None:
    made = SignalAugmentation(seed=1, shift=0.5)
    ramp = torch.arange(1.0, 41.0).expand(50, 1, 40)
    moved = made(ramp, torch.arange(50), 0)
    steps = set()
    for row in moved[:, 0]:
        there = row[row > 0]
        assert torch.equal(there.diff(), torch.ones(len(there) - 1))
        steps.add(len(there) - 40)
        assert len(there) >= 20
    assert len(steps) > 10


def test_a_factor_lies_in_its_range() -> None:
    factors = SignalAugmentation(seed=1, scale=0.2)(torch.ones(500, 1, 1), torch.arange(500), 3).flatten()
    assert float(factors.min()) == pytest.approx(0.8, abs=0.01)
    assert float(factors.max()) == pytest.approx(1.2, abs=0.01)


@pytest.mark.parametrize("text", ["1,2\n3,4\n5,6\n", "1 2\n3 4\n5 6", "1;2\n3;4\n5;6\n\n"])
def test_a_text_file_has_a_column_for_each_channel(tmp_path: Path, text: str) -> None:
    path = tmp_path / "beat.csv"
    path.write_text(text, encoding="utf-8")
    assert read_signal(path).tolist() == [[1, 3, 5], [2, 4, 6]]
    assert Signals(channels=2, length=3).read(path)["signal"].shape == (1, 2, 3)
    with pytest.raises(InputError, match="2 channels of 3 samples; the net takes 1x96"):
        Signals(channels=1, length=96).read(path)


@pytest.mark.parametrize("content", [b"1,2\n3", b"a,b", b"", b"1,nan", b"\xff\xfe"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "beat.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"beat\.csv"):
        read_signal(path)


def test_an_array_that_holds_code_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "beat.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a table of numbers"):
        read_signal(path)


def test_it_is_told_to_nets_and_shown() -> None:
    given = Signals(channels=2, length=30, sequence=True)
    assert given.told() == {"in_channels": 2, "length": 30, "sequence": True}
    assert given.demands == {"sequence"}
    assert not Signals(channels=2, length=30).demands
    pictures = given.pictures(batch(1))
    assert pictures[0].shape == (160, 240, 3)
    dark = pictures[0].min(2) < 128
    assert dark[:80].any() and dark[80:].any(), "both channels are drawn"


def test_another_shape_is_the_inputs_own_notation() -> None:
    assert Signals(channels=1, length=96).of_shape((2, 5000)).shape == (2, 5000)
    with pytest.raises(InputError, match="expected channels x length"):
        Signals(channels=1, length=96).of_shape((3, 224, 224))


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_task_that_restores_signals_takes_no_noise(noise: float) -> None:
    given = Signals(channels=2, length=30, mean=[0, 0], std=[1, 1])
    augmentation = SignalAugmentation(seed=0, shift=0.1, scale=0.2, noise=noise)
    preparation = given.preparation(augmentation, (), seed=0, centred=True, channels_last=False)
    if not noise:
        preparation.keep_clean()
        return
    with pytest.raises(InputError, match=r"augmentation\.noise=0\.3: .* reproduce the noise; 0 is off"):
        preparation.keep_clean()
