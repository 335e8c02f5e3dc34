from __future__ import annotations

import numpy as np
import torch

from cnnexp.data.coloured_scenes import COLOURS, MOST_DIGITS, NOTHING, Painted, coloured_scenes
from cnnexp.data.digit_scenes import compose


def test_each_digit_has_one_colour_in_its_own_shades() -> None:
    made, plain = coloured_scenes(2, "val", 60), compose(2, "val", np.arange(60), MOST_DIGITS)
    assert (made.digits == plain.classes).all()
    assert ((made.colours == NOTHING) == (plain.classes == NOTHING)).all()
    assert set(made.colours[made.colours != NOTHING].tolist()) == set(range(len(COLOURS)))
    painted = Painted("image", (64, 64))({"image": torch.from_numpy(made.pictures)})["image"].numpy()
    assert painted.shape == (60, 3, 64, 64) and painted.dtype == np.uint8
    values = np.array(list(COLOURS.values()))
    for scene in range(60):
        for place, colour in enumerate(made.colours[scene]):
            inside = plain.instances[scene] == place + 1
            grey = plain.pictures[scene][inside] // 4 / 63
            expected = np.rint(grey[:, None] * values[colour])
            assert (painted[scene].transpose(1, 2, 0)[inside] == expected).all()
        assert not painted[scene][:, plain.instances[scene] == 0].any(), "the background is black"


def test_centres_are_those_of_the_boxes() -> None:
    made, plain = coloured_scenes(0, "test", 20), compose(0, "test", np.arange(20), MOST_DIGITS)
    ys, xs = np.nonzero(plain.instances[3] == 1)
    assert made.centres[3, 0].tolist() == [(xs.min() + xs.max() + 1) / 2, (ys.min() + ys.max() + 1) / 2]


def test_a_scene_does_not_depend_on_how_many_there_are() -> None:
    few, many, others = (coloured_scenes(seed, "train", count) for seed, count in ((1, 5), (1, 9), (2, 5)))
    assert (few.pictures == many.pictures[:5]).all() and (few.colours == many.colours[:5]).all()
    assert (few.pictures != others.pictures).any()


def test_pictures_of_another_size() -> None:
    codes = torch.from_numpy(coloured_scenes(0, "test", 2).pictures)
    assert Painted("image", (32, 48))({"image": codes, "label": codes})["image"].shape == (2, 3, 32, 48)
