from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.visualize.loss_surface import axis_of, filter_normalised, moving, points_of, project
from cnnexp.visualize.loss_surface_chart import line_image, surface_image
from cnnexp.visualize.surface_points import SurfacePoints, digest_of


def net() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ConvTranspose2d(3, 4, 2), nn.Flatten(), nn.Linear(4, 5)]
    return nn.Sequential(*layers).eval()


def test_each_filter_of_a_direction_is_as_long_as_the_net_s() -> None:
    made = net()
    with torch.no_grad():
        made[0].weight[1] = 0  # a dead filter does not move
    first, second = filter_normalised(made, seed=3, count=2)
    for direction in (first, second):
        for place, layer in ((0, made[0]), (4, made[4])):
            ours, theirs = direction[f"{place}.weight"].detach().numpy(), layer.weight.detach().numpy()
            for one, other in zip(ours, theirs, strict=True):
                assert np.sqrt((one**2).sum()) == pytest.approx(np.sqrt((other**2).sum()), rel=1e-5)
        ours, theirs = direction["2.weight"].numpy(), made[2].weight.detach().numpy()  # maps lie along the second axis
        for place in range(4):
            length = np.sqrt((theirs[:, place] ** 2).sum())
            assert np.sqrt((ours[:, place] ** 2).sum()) == pytest.approx(length, rel=1e-5)
        for name in ("0.bias", "1.weight", "1.bias", "2.bias", "4.bias"):
            assert not direction[name].any(), name
    assert not torch.equal(first["4.weight"], second["4.weight"])
    assert torch.equal(filter_normalised(made, seed=3, count=1)[0]["4.weight"], first["4.weight"])
    assert not torch.equal(filter_normalised(made, seed=4, count=1)[0]["4.weight"], first["4.weight"])


def test_weights_are_moved_by_steps_and_put_back_to_the_bit() -> None:
    made = net()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    directions = filter_normalised(made, 0, 2)
    with pytest.raises(RuntimeError, match="stopped"), moving(made, directions) as moved:
        moved.to([0.5, -2.0])
        wanted = before["4.weight"] + 0.5 * directions[0]["4.weight"] - 2 * directions[1]["4.weight"]
        assert torch.allclose(made[4].weight, wanted, atol=1e-6)
        moved.to([0.0, 0.0])
        assert torch.equal(made[4].weight, before["4.weight"])
        moved.to([1.0, 0.0])
        raise RuntimeError("stopped")
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_points_begin_in_the_middle_and_hold_it_exactly() -> None:
    assert axis_of(0.3, 5) == [-0.3, -0.15, 0, 0.15, 0.3]
    assert points_of([axis_of(2, 3)])[0] == (0.0,)
    square = points_of([axis_of(1, 19)] * 2)
    assert square[0] == (0.0, 0.0) and len(set(square)) == 361
    assert {abs(step) for step in square[-1]} == {1.0}
    assert points_of([[-8, -4, 0, 4], [0, 1]])[:4] == [(0, 0), (-4, 0), (4, 0), (-8, 0)]


def test_projection_by_hand() -> None:
    """(3, 4, 5) − (1, 1, 1) = (2, 3, 4) on (1, 0, 0) and (1, 1, 0): −1 and 3; 4 + 9 of 4 + 9 + 16 is held."""
    centre, weights = {"w": torch.ones(3), "mean": torch.zeros(1)}, {"w": torch.tensor([3.0, 4, 5]), "mean": 9}
    directions = [{"w": torch.tensor([1.0, 0, 0])}, {"w": torch.tensor([1.0, 1, 0])}]
    steps, held = project(weights, centre, directions)
    assert steps == pytest.approx((-1, 3))
    assert held == pytest.approx(13 / 29)
    assert project(centre, centre, directions) == ((0, 0), 1)


def test_points_are_kept_and_found_again_for_the_same_weights_alone(tmp_path: Path) -> None:
    points = SurfacePoints(tmp_path / "new", {"weights": "a"})
    points.add((0.1, -0.2), 1 / 3)
    points.add((1.0, 1.0), math.inf)
    again = SurfacePoints(tmp_path / "new", {"weights": "a"})
    assert again[0.1, -0.2] == 1 / 3 and math.isnan(again[1.0, 1.0])
    assert (0.1, -0.2) not in SurfacePoints(tmp_path / "new", {"weights": "b"})
    assert points.path is not None
    content = json.loads(points.path.read_text())
    points.path.write_text(json.dumps({**content, "of": {"weights": "b"}}))
    with pytest.raises(InputError, match="of other weights"):
        SurfacePoints(tmp_path / "new", {"weights": "a"})
    points.path.write_text("[1")
    with pytest.raises(InputError, match="damaged; delete it"):
        SurfacePoints(tmp_path / "new", {"weights": "a"})


def test_what_has_no_number_is_left_out_of_the_drawing() -> None:
    """A warning would be an error."""
    axis = axis_of(1, 5)
    losses = np.add.outer(np.square(axis), np.square(axis)) + 0.001
    losses[0, 0] = np.nan
    image = surface_image([axis, axis], losses, "title", path={1: (0.5, 0.5), 2: (0.0, 0.0)})
    assert len(image.getcolors(1 << 24)) > len(surface_image([axis, axis], losses, "title").getcolors(1 << 24)) / 2
    line_image(axis, losses[2], "title")


def test_a_digest_is_of_names_and_values_and_takes_tied_weights() -> None:
    one = torch.zeros(3)
    assert digest_of({"a": one, "b": one}) == digest_of({"a": one.clone(), "b": torch.zeros(3)})
    assert len({digest_of({"a": one}), digest_of({"b": one}), digest_of({"a": one + 1})}) == 3
