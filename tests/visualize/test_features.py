from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnexp.models.vae import VAE
from cnnexp.visualize.features import features_of


class Net(nn.Module):
    """Doubles, averages over places, answers; a norm that writes into its input stands between."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(2, 3, 1, bias=False)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.body(x)).mean((2, 3)))


@pytest.fixture
def net() -> Net:
    made = Net().eval()
    made.body.weight.data = torch.tensor([[1.0, 0], [0, 1], [-1, 0]])[:, :, None, None]
    return made


def picture() -> Tensor:
    return torch.stack([torch.tensor([[0.0, 1], [2, 3]]), torch.full((2, 2), 5.0)])[None]


def test_they_go_into_the_head(net: Net) -> None:
    found = features_of(net, [picture(), 2 * picture()])
    assert found.values.tolist() == [[1.5, 5, 0], [3, 10, 0]]
    assert found.what == "what goes into head"


def test_the_maps_of_a_layer_are_averaged_over_their_places(net: Net) -> None:
    """As they left the layer: the activation after it writes into them."""
    found = features_of(net, [picture()], "body")
    assert found.values.tolist() == [[1.5, 5, -1.5]]
    assert found.what == "the answer of body, averaged over places"


def test_patches_in_a_row_are_averaged_and_not_their_numbers() -> None:
    net = nn.Sequential(nn.Flatten(2), nn.Linear(4, 4, bias=False), nn.Flatten(), nn.Linear(8, 2)).eval()
    net[1].weight.data = 2 * torch.eye(4)
    assert features_of(net, [picture()], "1").values.tolist() == [[5, 6, 7, 8]]


def test_of_a_variational_autoencoder_they_are_the_means_of_the_codes() -> None:
    torch.manual_seed(0)
    net = VAE(in_channels=1, image_size=(8, 8), kind="mlp", hidden=(16,), width=None, bottleneck=3).eval()
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(features_of(net, [x]).values, net.encode(x)[0])
    assert features_of(net, [x]).what == "the code"


def test_a_head_that_sees_the_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="samples themselves"):
        features_of(nn.Sequential(nn.Flatten(), nn.Linear(8, 2)), [picture()])


def test_a_layer_without_a_row_for_each_sample_is_refused(net: Net) -> None:
    class Halves(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(0, 1)

    with pytest.raises(ValueError, match="a row for each sample"):
        features_of(nn.Sequential(Halves(), nn.Linear(2, 2)), [picture()], "0")
