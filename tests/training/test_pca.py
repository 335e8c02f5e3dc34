"""The error of principal components against scikit-learn's PCA."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from cnnexp.data.base import TensorSplit
from cnnexp.training.pca import CHUNK, MOST_PIXELS, pca_error


def correlated(count: int, seed: int) -> TensorSplit:
    """Pictures 1×4×5 that live near a plane of three dimensions."""
    generator = np.random.default_rng(seed)
    base = np.random.default_rng(0).normal(size=(3, 20)) * np.array([[60], [40], [20]])
    pixels = 128 + generator.normal(size=(count, 3)) @ base + generator.normal(size=(count, 20)) * 4
    return TensorSplit({"image": torch.from_numpy(pixels.clip(0, 255).astype(np.uint8)).view(count, 1, 4, 5)})


def pixels(batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return batch["image"]


def flat(split: TensorSplit, positions: np.ndarray) -> np.ndarray:
    shown: np.ndarray = split.tensors["image"][torch.from_numpy(positions)].flatten(1).double().numpy() / 255
    return shown


@pytest.mark.parametrize("components", [1, 3, 20])
def test_the_error_is_that_of_sklearn(components: int) -> None:
    train, test = correlated(CHUNK + 200, 1), correlated(CHUNK + 1, 2)
    positions = np.arange(50, CHUNK + 150)  # a part of the split, over the border of a chunk
    reference = PCA(components, svd_solver="full").fit(flat(train, positions))
    shown = flat(test, np.arange(len(test)))
    expected = np.square(shown - reference.inverse_transform(reference.transform(shown))).mean()
    assert pca_error(train, positions, test, components, pixels) == pytest.approx(expected, rel=1e-6, abs=1e-15)


def test_only_the_samples_that_take_part_are_learnt_from() -> None:
    train, test = correlated(300, 1), correlated(50, 2)
    few, all_ = (pca_error(train, positions, test, 2, pixels) for positions in (np.arange(10), np.arange(300)))
    assert few is not None and all_ is not None
    assert few > 1.05 * all_


def test_large_pictures_have_no_answer() -> None:
    split = TensorSplit({"image": torch.zeros(2, 1, 1, MOST_PIXELS + 1, dtype=torch.uint8)})
    assert pca_error(split, np.arange(2), split, 1, pixels) is None


def test_it_is_of_the_pixels_that_the_net_sees() -> None:
    train, test = correlated(300, 1), correlated(50, 2)
    cut, cut_test = (TensorSplit({"image": one.tensors["image"][:, :, 1:3, 1:4]}) for one in (train, test))
    found = pca_error(train, np.arange(300), test, 2, lambda batch: batch["image"][:, :, 1:3, 1:4])
    assert found == pca_error(cut, np.arange(300), cut_test, 2, pixels)
    assert found != pca_error(train, np.arange(300), test, 2, pixels)
