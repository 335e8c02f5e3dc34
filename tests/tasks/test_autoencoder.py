"""Squared error and PSNR against numpy, beside principal components."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.data.base import TensorSplit
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.training.pca import pca_error
from tests.augmentation.made import engine
from tests.tasks import tiny


def autoencoder(net: nn.Module | None = None, **changes: object) -> TaskModule:
    return tiny.alone(tiny.module(Autoencoder, net or tiny.ShallowAutoencoder(), **changes))


@torch.no_grad()
def test_errors_are_those_of_all_pixels_of_all_pictures() -> None:
    made, batches = autoencoder(), [tiny.batch(7, 1), tiny.batch(2, 2)]
    for batch in batches:
        made.test_step(batch, 0)
    made.on_test_epoch_end()
    images = np.concatenate([batch["image"].numpy() / 255 for batch in batches])
    rebuilt = made.net(torch.from_numpy(images).float()).double().numpy()
    error = np.square(images - rebuilt).mean()
    assert made.results["test/mse"] == pytest.approx(error, rel=1e-5)
    assert made.results["test/loss"] == pytest.approx(error, rel=1e-5)
    assert made.results["test/psnr"] == pytest.approx(10 * np.log10(1 / error), rel=1e-5)
    each = np.square(images - rebuilt).mean((1, 2, 3))
    assert made.predictions["mse"] == pytest.approx(each[np.argsort([*range(7), *range(2)], kind="stable")], rel=1e-4)


def test_training_measures_the_loss_alone() -> None:
    made = autoencoder()
    made.training_step(tiny.batch(4), 0)
    made.read("train")
    assert set(made.results) == {"train/loss"}


def test_the_reference_is_pca_with_as_many_components() -> None:
    task, data = tiny.task(Autoencoder, tiny.ShallowAutoencoder()), tiny.picture_data(train=90, test=30)
    splits = data.split("train"), np.arange(90), data.split("test")
    assert task.reference(data) == {"pca_mse": pca_error(*splits, components=4, pixels=lambda batch: batch["image"])}
    assert tiny.task(Autoencoder, nn.Sigmoid()).reference(data) == {}


def test_a_prediction_is_a_picture() -> None:
    class Bright(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 - 0.1

    image = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(1, 1, 2, 2)
    (prediction,) = tiny.task(Autoencoder, Bright()).predict({"image": image})
    assert prediction.shape == (2, 2, 1) and prediction.dtype == np.uint8
    assert prediction.ravel().tolist() == [0, round(0.4 * 255), round(0.9 * 255), 255]


def test_the_reference_sees_as_much_of_a_picture_as_the_net() -> None:
    """Stored two pixels larger, and the edge is cut off."""
    stored = [torch.randint(256, (count, 1, 10, 10), dtype=torch.uint8) for count in (90, 30)]
    train, test = (TensorSplit({"image": image}) for image in stored)
    cut, cut_test = (TensorSplit({"image": image[:, :, 1:9, 1:9]}) for image in stored)
    facts = tiny.facts(decode_size=(10, 10))
    data = tiny.picture_data(dataset=tiny.Given(train=train, test=test), facts=facts)
    task = tiny.task(Autoencoder, tiny.ShallowAutoencoder(), facts=facts)
    expected = pca_error(cut, np.arange(90), cut_test, components=4, pixels=lambda batch: batch["image"])
    assert task.reference(data) == {"pca_mse": expected}


def test_pictures_with_noise_are_held_against_those_without() -> None:
    def trained(augmentation: Augmentation | None) -> float:
        made = autoencoder(Same(), augmentation=augmentation)
        made.training_step(tiny.batch(6, 1), 0)
        made.read("train")
        return made.results["train/loss"]

    class Same(nn.Module):
        """What comes in, so that the loss is what lies between input and target."""

        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.factor

    assert trained(None) == trained(engine(crop={"padding": 2}, brightness={"amount": 0.2})) == 0
    assert trained(engine(noise={"sigma": 0.2})) == pytest.approx(0.2**2, rel=0.1)
