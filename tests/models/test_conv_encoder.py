from __future__ import annotations

import torch

from cnnexp.models.conv_autoencoder import ConvAutoencoder
from cnnexp.models.conv_encoder import ConvEncoder


def test_it_is_the_autoencoders_encoder_and_a_linear_layer() -> None:
    whole = ConvAutoencoder(in_channels=1, image_size=(28, 28), bottleneck=8, width=4).eval()
    net = ConvEncoder(in_channels=1, num_classes=3, image_size=(28, 28), bottleneck=8, width=4).eval()
    state = {name: value for name, value in whole.state_dict().items() if name.startswith("encoder.")}
    missing = net.load_state_dict(state, strict=False)
    assert (missing.missing_keys, missing.unexpected_keys) == (["head.weight", "head.bias"], [])
    pictures = torch.rand(2, 1, 28, 28)
    assert torch.equal(net(pictures), net.head(whole.encode(pictures)))
