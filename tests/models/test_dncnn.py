"""The parameters of the authors' code, and that the noise is what is learnt."""

from __future__ import annotations

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.dncnn import DnCNN
from tests.models.made import counted, learns
from tests.models.restoring import seen_px


def test_it_has_the_parameters_of_the_authors_code() -> None:
    """640 + 15 (36,864 + 128) + 576 for DnCNN-S on grey pictures."""
    assert counted(lambda: DnCNN(in_channels=1, depth=17, width=64)) == 556_096


def test_it_takes_from_the_picture_what_it_holds_for_noise() -> None:
    net, picture = DnCNN(in_channels=2, depth=4, width=5).eval(), torch.rand(1, 2, 9, 12)
    with torch.no_grad():
        assert torch.equal(net(picture), picture - net.noise(picture))
        assert (net(picture) - picture).abs().max() < 0.2, "it begins near the picture"


@pytest.mark.parametrize(("depth", "factor"), [(3, 1), (8, 1), (5, 2)])
def test_it_sees_as_far_as_it_says(depth: int, factor: int) -> None:
    net = DnCNN(in_channels=1, factor=factor, depth=depth, width=2)
    assert net.reach - 1 <= seen_px(net) <= net.reach
    if factor == 1:
        assert seen_px(net) == depth, "2 depth + 1 pixels, as the paper says"


def test_every_weight_learns() -> None:
    learns(DnCNN(in_channels=3, factor=2, depth=3, width=4), torch.rand(2, 3, 9, 8))


@pytest.mark.parametrize("wrong", [{"depth": 2, "width": 3}, {"depth": 3, "width": 0}], ids=str)
def test_what_is_no_dncnn_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least"):
        DnCNN(in_channels=1, **wrong)
