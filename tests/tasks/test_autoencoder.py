"""Squared error and PSNR against numpy, beside principal components; pictures of another size than the net's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.tasks.autoencoder import Autoencoder, resized
from cnnexp.training.pca import pca_error
from tests.tasks import tiny


def autoencoder(net: nn.Module | None = None) -> Autoencoder:
    return tiny.alone(Autoencoder(tiny.parts(net or tiny.ShallowAutoencoder())))


@torch.no_grad()
def test_errors_are_those_of_all_pixels_of_all_pictures() -> None:
    task, batches = autoencoder(), [tiny.batch(7, 1), tiny.batch(2, 2)]
    for batch in batches:
        task.test_step(batch, 0)
    task.on_test_epoch_end()
    images = np.concatenate([batch["image"].numpy() / 255 for batch in batches])
    rebuilt = task.net(torch.from_numpy(images).float()).double().numpy()
    error = np.square(images - rebuilt).mean()
    assert task.results["test/mse"] == pytest.approx(error, rel=1e-5)
    assert task.results["test/loss"] == pytest.approx(error, rel=1e-5)
    assert task.results["test/psnr"] == pytest.approx(10 * np.log10(1 / error), rel=1e-5)
    each = np.square(images - rebuilt).mean((1, 2, 3))
    assert task.predictions["mse"] == pytest.approx(each[np.argsort([*range(7), *range(2)], kind="stable")], rel=1e-4)


def test_training_measures_the_loss_alone() -> None:
    task = autoencoder()
    task.training_step(tiny.batch(4), 0)
    task.read("train")
    assert set(task.results) == {"train/loss"}


def test_the_reference_is_pca_with_as_many_components() -> None:
    task, data = autoencoder(), tiny.picture_data(train=90, test=30)
    expected = pca_error(data.split("train"), np.arange(90), data.split("test"), components=4)
    assert task.reference(data) == {"pca_mse": expected}
    assert autoencoder(nn.Sigmoid()).reference(data) == {}


def test_a_prediction_is_a_picture() -> None:
    class Bright(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 - 0.1

    image = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(1, 1, 2, 2)
    (prediction,) = autoencoder(Bright()).predict(image)
    assert prediction.shape == (2, 2, 1) and prediction.dtype == np.uint8
    assert prediction.ravel().tolist() == [0, round(0.4 * 255), round(0.9 * 255), 255]


def test_an_answer_is_the_error_at_the_size_of_the_net() -> None:
    picture = np.full((4, 4, 1), 51, np.uint8)
    answer = autoencoder().answer(np.full((4, 4, 1), 102, np.uint8), picture)
    assert answer == {"mse": pytest.approx(0.04), "psnr": pytest.approx(10 * np.log10(25), abs=0.01)}
    larger = np.full((16, 20, 3), 51, np.uint8)
    assert autoencoder().answer(np.full((4, 4, 1), 102, np.uint8), larger)["mse"] == pytest.approx(0.04, abs=1e-3)
    assert autoencoder().answer(picture, picture)["mse"] == 0.0


def test_pictures_are_brought_to_the_size_and_channels_of_the_net() -> None:
    net_size = np.zeros((5, 7, 3), np.uint8)
    assert resized(np.full((12, 9, 1), 80, np.uint8), net_size).shape == (5, 7, 3)
    assert (resized(np.full((12, 9, 1), 80, np.uint8), net_size) == 80).all()
    image = autoencoder().image(np.full((12, 9, 1), 80, np.uint8), net_size)
    assert image.height > image.width / 2 and min(image.size) > 10
