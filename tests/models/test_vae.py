"""The variational autoencoder's net: two numbers for each of the code, dense or convolutional."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.vae import VAE
from tests.models.made import parameters

KINDS: dict[str, dict[str, Any]] = {"mlp": {"hidden": (16, 9)}, "conv": {"width": 4}}


def vae(kind: str, **changes: Any) -> VAE:
    given: dict[str, Any] = dict(in_channels=1, image_size=(28, 28), bottleneck=20, hidden=None, width=None)
    return VAE(**(given | {"kind": kind} | changes))


def test_parameters_by_hand() -> None:
    encoder = 784 * 400 + 400 + 400 * 40 + 40
    decoder = 20 * 400 + 400 + 400 * 784 + 784
    assert parameters(vae("mlp")) == encoder + decoder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(28, 28), (9, 14)])
def test_shapes(kind: str, size: tuple[int, int]) -> None:
    net, pictures = vae(kind, image_size=size, bottleneck=3, in_channels=3, **KINDS[kind]), torch.rand(4, 3, *size)
    mean, log_variance = net.encode(pictures)
    assert mean.shape == log_variance.shape == (4, 3)
    assert net.decode(mean).shape == pictures.shape


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_comes_back_by_the_mean_of_its_codes(kind: str) -> None:
    net, pictures = vae(kind, **KINDS[kind]).eval(), torch.rand(2, 1, 28, 28)
    assert torch.equal(net(pictures), net.decode(net.encode(pictures)[0]).sigmoid())


@pytest.mark.parametrize(
    ("kind", "changes", "line"),
    [
        ("conv", {"hidden": (400,)}, "model.hidden: model.kind=conv has no dense hidden layers"),
        ("mlp", {"width": 8}, "model.width: model.kind=mlp has no maps"),
        ("mlp", {"bottleneck": 0}, "model.bottleneck=0"),
        ("mlp", {"hidden": (0,)}, "model.hidden"),
    ],
)
def test_sizes_of_the_other_kind_are_refused(kind: str, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        vae(kind, **changes)
