"""Nearest codes by hand, and what is drawn of codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnexp.models.dense_autoencoder import DenseAutoencoder
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.coding import nearest
from tests.tasks import tiny


def test_nearest_codes_by_hand() -> None:
    codes = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [2.0, 0.0]])
    assert nearest(codes, np.array([3, 1]), 3).tolist() == [[3, 0, 2, 4], [1, 4, 0, 3]]
    assert nearest(codes, np.array([0]), 9).shape == (1, 5)


def gallery(bottleneck: int) -> dict[str, Any]:
    net = DenseAutoencoder(
        in_channels=1, image_size=(tiny.SIDE, tiny.SIDE), hidden=(), bottleneck=bottleneck, decoder=None, tied=False,
        activation="relu", leaky_slope=None, output="sigmoid",
    )  # fmt: skip
    task, data = tiny.task(Autoencoder, net), tiny.picture_data(train=20, test=30)
    batch = data.split("test").batch(torch.arange(30))
    output = task.step(task.prepare(batch, False), "test")
    rows = task.rows(batch, output)
    assert rows["code"].shape == (30, bottleneck)
    return task.gallery(data, rows)


def test_a_code_of_two_numbers_is_mapped() -> None:
    assert set(gallery(2)) == {"codes", "neighbours", "code_map"}
    assert set(gallery(1)) == set(gallery(3)) == {"codes", "neighbours"}


def test_a_net_without_a_code_has_nothing_to_draw() -> None:
    assert tiny.task(Autoencoder, torch.nn.Sigmoid()).gallery(tiny.picture_data(), {"index": np.arange(3)}) == {}
