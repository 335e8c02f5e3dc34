"""The dense autoencoder: widths, weights that are transposes, and codes between 0 and 1 where they are sparse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.dense_autoencoder import DenseAutoencoder, Transposed


def autoencoder(**changes: Any) -> DenseAutoencoder:
    given: dict[str, Any] = dict(
        in_channels=1, image_size=(4, 5), hidden=(12, 8), bottleneck=3, decoder=None, tied=False, activation="relu",
        leaky_slope=None, output="sigmoid",
    )  # fmt: skip
    torch.manual_seed(0)
    return DenseAutoencoder(**(given | changes))


def widths(net: nn.Module) -> list[tuple[int, int]]:
    return [(one.in_features, one.out_features) for one in net.modules() if isinstance(one, nn.Linear)]


def test_the_decoder_mirrors_the_encoder_unless_it_is_said() -> None:
    there = [(20, 12), (12, 8), (8, 3)]
    assert widths(autoencoder()) == [*there, (3, 8), (8, 12), (12, 20)]
    assert widths(autoencoder(decoder=(6,))) == [*there, (3, 6), (6, 20)]
    assert widths(autoencoder(hidden=())) == [(20, 3), (3, 20)]


@pytest.mark.parametrize("tied", [False, True])
def test_forward_is_decode_of_encode(tied: bool) -> None:
    net, pictures = autoencoder(tied=tied), torch.rand(2, 1, 4, 5)
    assert net.encode(pictures).shape == (2, 3)
    assert torch.equal(net(pictures), net.decode(net.encode(pictures)))
    assert net(pictures).shape == pictures.shape and 0 <= net(pictures).min() <= net(pictures).max() <= 1


def test_tied_weights_are_the_transposes_after_a_step_too() -> None:
    net, pictures = autoencoder(tied=True, activation="tanh"), torch.rand(8, 1, 4, 5)
    assert len(list(net.parameters())) == 3 * 2 + 3, "the decoder adds biases alone"
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    before = [one.detach().clone() for one in net.parameters()]
    (net(pictures) - pictures).square().mean().backward()
    optimizer.step()
    assert all(not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    (first, second, third) = (one for one in net.encoder if isinstance(one, nn.Linear))
    transposed = net.decoder[0]
    assert isinstance(transposed, Transposed)
    z = torch.randn(5, 3)
    by_hand = (z @ third.weight + transposed.biases[0]).tanh()
    by_hand = (by_hand @ second.weight + transposed.biases[1]).tanh()
    by_hand = (by_hand @ first.weight + transposed.biases[2]).sigmoid()
    torch.testing.assert_close(net.decode(z), by_hand.view(5, 1, 4, 5))


def test_a_copy_of_a_tied_net_is_tied_to_itself() -> None:
    """As averaged weights are, and what a checkpoint is put into."""
    import copy

    net = autoencoder(tied=True)
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.encoder[1].weight.zero_()  # type: ignore[union-attr, operator]
    z = torch.randn(2, 3)
    assert not torch.equal(net.decode(z), other.decode(z))
    other.load_state_dict(net.state_dict())
    assert torch.equal(net.decode(z), other.decode(z))


def test_codes_of_a_sparse_net_are_activities() -> None:
    pictures = 50 * torch.rand(64, 1, 4, 5)
    assert autoencoder().encode(pictures).min() < 0
    codes = autoencoder(sparsity=0.1).encode(pictures)
    assert 0 <= codes.min() <= codes.max() <= 1


def test_a_linear_net_has_nothing_but_matrices() -> None:
    net = autoencoder(activation="linear", output="linear")
    x, y = torch.rand(2, 1, 1, 4, 5)
    torch.testing.assert_close(net(x + y) + net(torch.zeros_like(x)), net(x) + net(y))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tied": True, "decoder": (8, 11)}, r"model.tied=true: decoder \[8,11\] is not the mirror image of hidden"),
        ({"bottleneck": 0}, "model.bottleneck=0"),
        ({"hidden": (4, 0)}, r"model.hidden=\[4,0\]"),
        ({"leaky_slope": 0.1}, "model.leaky_slope"),
    ],
)
def test_nets_that_make_no_sense_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        autoencoder(**changes)
