from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.cams import last_maps, pooled
from cnnexp.visualize.saliency import METHODS, Look, Settings, energy, half_within, look
from cnnexp.visualize.saliency_image import drawn_map, saliency_image
from cnnexp.visualize.scores import class_score
from cnnexp.visualize.section import NotFitting


class BrightSpot(nn.Module):
    """Says class 1 where something is bright: the mean of ReLU(3×3 mean - 0.3)."""

    def __init__(self) -> None:
        super().__init__()
        self.spot, self.relu, self.head = nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Linear(1, 2, bias=False)
        with torch.no_grad():
            self.spot.weight.fill_(1 / 9)
            self.spot.bias.fill_(-0.3)
            self.head.weight.copy_(torch.tensor([[-1.0], [1.0]]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.spot(x)).mean((2, 3)))


def scene() -> tuple[Tensor, np.ndarray]:
    """A picture 32×32 with a bright square of 8×8, and where that is."""
    x, region = torch.zeros(1, 1, 32, 32), np.zeros((32, 32), bool)
    x[0, 0, 10:18, 4:12], region[10:18, 4:12] = 1, True
    return x, region


def settings(net: nn.Module, x: Tensor, number: int) -> Settings:
    layer = last_maps(net, class_score(net, number), x)
    return Settings(8, 0.05, 16, 4, torch.zeros_like(x), layer, pooled(net, x), number)


def test_every_method_finds_where_it_is() -> None:
    """The square is a sixteenth of the picture. The deconvnet does not ask what came into the ReLU: here it sees
    nothing but the convolution."""
    net, (x, region) = BrightSpot().eval(), scene()
    found = look(Look(net, class_score(net, 1), x, settings(net, x, 1)), list(METHODS))
    for name, one in found.items():
        assert one.values.shape == (32, 32), name
        if name != "deconvnet":
            assert energy(one.values, region) > (0.9 if name == "integrated" else 0.5) > 2 / 16, name
            assert half_within(one.values) < 0.1, name
    assert energy(found["deconvnet"].values, region) == pytest.approx(1 / 16, rel=0.05)
    more = found["integrated"].more
    assert more is not None and more["sum"] == pytest.approx(more["score_less_baseline"], rel=2 / 16)
    assert found["guided"].more == {"relus": 1}


def test_what_speaks_against_a_class_has_no_energy() -> None:
    net, (x, region) = BrightSpot().eval(), scene()
    found = look(Look(net, class_score(net, 0), x, settings(net, x, 0)), ["cam", "integrated"])
    assert float(found["cam"].values.max()) <= 0 and found["integrated"].values.sum() < 0
    assert math.isnan(energy(found["cam"].values, region))


def test_a_grad_cam_with_nothing_above_0_says_so() -> None:
    net, (x, _) = BrightSpot().eval(), scene()
    own = replace(settings(net, x, 0), cam_layer="relu")
    notes = [look(Look(net, class_score(net, k), x, own), ["grad-cam"])["grad-cam"].note for k in (0, 1)]
    assert notes == ["32×32 maps of relu; none of it is above 0: name another --cam-layer", "32×32 maps of relu"]


def test_energy_and_half_by_hand() -> None:
    values = np.array([[4.0, -9.0], [2.0, 2.0]])
    region = np.array([[True, True], [False, False]])
    assert energy(values, region) == 0.5
    assert half_within(values) == 0.25
    assert half_within(np.ones((2, 4))) == 0.5
    assert math.isnan(half_within(-np.ones((2, 2))))


def test_methods_that_do_not_suit() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(1024, 2)).eval()
    x, _ = scene()
    one = Look(net, class_score(net, 1), x, settings(net, x, 1))
    for name in ("cam", "grad-cam", "hirescam"):
        with pytest.raises(NotFitting, match=f"^{name}: "):
            look(one, [name])


def test_drawn() -> None:
    """Red for, blue against, the picture in grey beneath what is coarse; boxes on all of them."""
    net, (x, _) = BrightSpot().eval(), scene()
    picture = (255 * x[0, 0].numpy()).astype(np.uint8)[..., None]
    found = look(Look(net, class_score(net, 1), x, settings(net, x, 1)), ["integrated", "cam", "guided", "gradient"])
    red, _, blue = drawn_map(picture, found["integrated"]).getpixel((7, 13))  # type: ignore[misc]
    assert red > blue + 50
    assert drawn_map(picture, found["guided"]).getpixel((30, 30)) == (128, 128, 128)
    sheet = saliency_image(picture, found, "title", "1", [(4, 10, 12, 18)])
    plain = saliency_image(picture, found, "title", "1")
    assert sheet.size == plain.size and sheet.width > 3 * 224
    green = (np.asarray(sheet) == (0, 158, 115)).all(2)
    assert green.sum() > 5 * 4 * 7 * 7 and not (np.asarray(plain) == (0, 158, 115)).all(2).any()
