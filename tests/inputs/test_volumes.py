"""Volumes on their way to a net: standardised, cut out and augmented, the mask alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.answers.mask import Mask
from cnnexp.augmentation.volumes import VolumeAugmentation
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.base import Preparation
from cnnexp.inputs.volume_files import VolumeFile
from cnnexp.inputs.volumes import Volumes, stored


def volumes(**changes: Any) -> Volumes:
    return Volumes(**(dict(channels=1, volume_size=(4, 6, 8), mean=(10.0,), std=(5.0,)) | changes))


def prepared(given: Volumes, augmentation: Any = None, centred: bool = True) -> Preparation:
    return given.preparation(augmentation, [Mask(("a", "b"))], seed=3, centred=centred, channels_last=False)


def batch(count: int = 3) -> dict[str, torch.Tensor]:
    volume = torch.arange(count * 4 * 6 * 8).view(count, 1, 4, 6, 8).float()
    return {"volume": volume, "mask": (volume[:, 0] % 251).to(torch.uint8), "index": torch.arange(count)}


def test_by_the_set_or_each_by_its_own() -> None:
    given = batch()
    by_set = prepared(volumes())(given, False, 0)["volume"]
    torch.testing.assert_close(by_set, (given["volume"] - 10) / 5)
    each = prepared(volumes(standardise="volume"))(given, False, 0)["volume"]
    torch.testing.assert_close(each.mean((2, 3, 4)), torch.zeros(3, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(each.std((2, 3, 4), correction=0), torch.ones(3, 1))
    assert torch.equal(prepared(volumes(), centred=False)(given, False, 0)["volume"], given["volume"])


def test_a_part_is_standardised_by_the_whole_file() -> None:
    """Also where a volume was cut down to the size that is stored."""
    numbers = np.random.default_rng(0).normal(50, 20, (1, 4, 6, 8)).astype(np.float32)
    tensors = {key: value[None] for key, value in stored(VolumeFile(numbers)).items()}
    part = {**tensors, "volume": tensors["volume"][..., :4], "index": torch.zeros(1, dtype=torch.int64)}
    said = prepared(volumes(standardise="volume"))(part, False, 0)["volume"]
    np.testing.assert_allclose(said[0], (numbers[..., :4] - numbers.mean()) / numbers.std(), atol=1e-5)


def test_a_window_cuts_before_it_is_measured() -> None:
    numbers = np.array([-1000.0, 0, 100, 3000], np.float32).reshape(1, 1, 2, 2)
    tensors = {key: value[None] for key, value in stored(VolumeFile(numbers), (0, 200)).items()}
    given = {**tensors, "index": torch.zeros(1, dtype=torch.int64)}
    said = prepared(volumes(standardise="volume", window=(0, 200), volume_size=(1, 2, 2)))(given, False, 0)["volume"]
    cut = np.array([0, 0, 100, 200.0])
    np.testing.assert_allclose(said.ravel(), (cut - cut.mean()) / cut.std(), rtol=1e-5)
    picture = volumes(window=(0, 200), volume_size=(1, 2, 2)).pictures(given)[0]
    assert picture[:2, :2, 0].tolist() == [[0, 0], [128, 255]]


def test_mean_and_deviation_are_learnt_from_the_training_samples() -> None:
    given = batch(4)
    learnt = volumes(mean=None, std=None).learn(TensorSplit({"volume": given["volume"]}), np.array([1, 3]))
    values = given["volume"][[1, 3]].double()
    np.testing.assert_allclose(learnt.learnt()["mean"], [values.mean()], rtol=1e-6)
    np.testing.assert_allclose(learnt.learnt()["std"], [values.std(correction=0)], rtol=1e-6)
    assert not volumes(mean=None, std=None, standardise="volume").learns


def test_a_crop_takes_the_mask_along_and_only_in_training() -> None:
    preparation, given = prepared(volumes(crop_size=(2, 3, 5), mean=(0.0,), std=(1.0,))), batch(3)
    seen = set()
    for epoch in range(300):
        out = preparation(given, True, epoch)
        assert out["volume"].shape == (3, 1, 2, 3, 5) and out["mask"].shape == (3, 2, 3, 5)
        assert torch.equal((out["volume"][:, 0] % 251).to(torch.uint8), out["mask"])
        seen |= {int(one) for one in out["volume"][0, 0, 0, 0, 0].view(1)}
        alone = preparation({key: value[1:2] for key, value in given.items()}, True, epoch)
        assert torch.equal(alone["volume"], out["volume"][1:2]), "a function of the sample, not of its batch"
    assert len(seen) > 10 and max(seen) == 2 * 48 + 3 * 8 + 3, "up to the last place: 3·4·4 of them"
    assert torch.equal(preparation(given, False, 0)["mask"], given["mask"])
    assert preparation.augments


def test_truth_follows_what_is_mirrored_and_turned() -> None:
    augmentation = VolumeAugmentation(seed=0, mirror=(0.5, 0.5, 0.5), quarter_turn=(0.5, 0.5, 0.5))
    preparation, given = prepared(volumes(mean=(0.0,), std=(1.0,)), augmentation), batch(8)
    changed = 0
    for epoch in range(10):
        out = preparation(given, True, epoch)
        assert torch.equal((out["volume"][:, 0] % 251).to(torch.uint8), out["mask"])
        changed += int((out["mask"] != given["mask"]).flatten(1).any(1).sum())
        assert torch.equal(preparation(given, True, epoch)["volume"], out["volume"])
    assert 60 < changed <= 80
    assert torch.equal(preparation(given, False, 0)["mask"], given["mask"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"crop_size": (5, 6, 8)}, r"data\.crop_size=\[5,6,8\]: lies not within data\.volume_size=\[4,6,8\]"),
        ({"volume_size": (0, 6, 8)}, r"data\.volume_size=\[0,6,8\]: expected"),
        ({"window": (5, 5)}, r"data\.window=\[5,5\]: expected a lowest and a higher number"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        volumes(**changes)


def test_a_denoiser_is_not_taught_the_noise() -> None:
    with pytest.raises(InputError, match=r"augmentation\.noise=0\.1: of volumes"):
        prepared(volumes(), VolumeAugmentation(seed=0, noise=0.1)).keep_clean()
