"""A net for each frame and an LSTM: counts by hand, frames seen in order, one LSTM step by its equations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.cnn_lstm import CNNLSTM
from tests.models.made import counted, learns


def cnn_lstm(**changes: Any) -> CNNLSTM:
    given = dict(in_channels=1, num_classes=8, image_size=(32, 32), widths=(16, 32), features=128, hidden=128)
    return CNNLSTM(**(given | {"layers": 1} | changes))


def small(**changes: Any) -> CNNLSTM:
    return cnn_lstm(**({"image_size": (8, 8), "widths": (3, 4), "features": 6, "hidden": 5} | changes))


def test_the_number_of_parameters() -> None:
    stages = sum(9 * before * now + 2 * now for before, now in ((1, 16), (16, 32)))
    embedding, states = 32 * 8 * 8 * 128 + 128, 4 * (128 * 128 + 128 * 128 + 128 + 128)
    assert counted(cnn_lstm) == stages + embedding + states + (128 * 8 + 8) == 400_248


def test_frames_are_seen_apart_and_in_their_order() -> None:
    torch.manual_seed(0)
    net, clip = small().eval(), torch.randn(2, 1, 5, 8, 8)
    state = cell = torch.zeros(2, 5)
    states = []
    for time in range(5):
        seen = net.act(net.embed(net.features(clip[:, :, time]).flatten(1)))
        gates = seen @ net.lstm.weight_ih_l0.T + net.lstm.bias_ih_l0 + state @ net.lstm.weight_hh_l0.T
        i, f, g, o = (gates + net.lstm.bias_hh_l0).chunk(4, 1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        state = o.sigmoid() * cell.tanh()
        states.append(net.linear(state))
    torch.testing.assert_close(net(clip), torch.stack(states).mean(0))
    assert not torch.allclose(net(clip), net(clip.flip(2))), "another order is another clip"


def test_any_number_of_frames_passes_and_it_learns() -> None:
    assert small().eval()(torch.zeros(1, 1, 1, 8, 8)).shape == (1, 8)
    learns(small(num_classes=4), torch.randn(8, 1, 3, 8, 8))


def test_what_makes_no_net() -> None:
    with pytest.raises(
        InputError, match=r"data.image_size=\[2,4\]: cnn_lstm with 2 pools takes pictures of at least 4"
    ):
        cnn_lstm(image_size=(2, 4))
    with pytest.raises(InputError, match=r"model\.hidden=0"):
        small(hidden=0)
    with pytest.raises(InputError, match=r"model\.(stages|widths)"):
        small(widths=())
