"""The baseline made by hand: its counts, what it cannot take, and that only the linear layer learns."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.hog_linear import HOGLinear
from tests.models.made import learns, parameters


def made(**changes: Any) -> HOGLinear:
    arguments: dict[str, Any] = dict(in_channels=1, num_classes=10, image_size=(28, 28))
    return HOGLinear(**(arguments | dict(orientations=9, cell=7, block=2) | changes))


def test_parameter_count() -> None:
    assert parameters(made()) == 3 * 3 * 4 * 9 * 10 + 10 == 3_250
    assert parameters(made(in_channels=3, image_size=(64, 128), cell=8)) == 7 * 15 * 36 * 10 + 10


def test_logits_are_linear_in_the_features() -> None:
    net, picture = made(), torch.rand(4, 1, 28, 28)
    expected = net.hog(picture).flatten(1) @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(picture), expected)


def test_every_weight_learns() -> None:
    learns(made(), torch.rand(4, 1, 28, 28))


def test_a_picture_smaller_than_a_block_is_refused_with_a_cell_that_fits() -> None:
    with pytest.raises(InputError, match=r"model\.cell=7: .* 14 pixels wide, and the picture is 13x30; model\.cell=3"):
        made(image_size=(13, 30))
    made(image_size=(13, 30), cell=3)
