from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.palette import VOID, class_colour, ink_on

# Machado, Oliveira and Fernandes 2009, severity 1.0: how linear RGB looks to the colour-blind.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def cielab(colours: list[tuple[int, int, int]], seen_as: object = ((1, 0, 0), (0, 1, 0), (0, 0, 1))) -> np.ndarray:
    parts = np.array(colours) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(seen_as).T, 0, 1)
    xyz = linear @ np.array(TO_XYZ).T / (0.95047, 1, 1.08883)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def least_distance(points: np.ndarray) -> float:
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    return float(distances[~np.eye(len(points), dtype=bool)].min())


@pytest.mark.parametrize("sight", [PROTANOPIA, DEUTERANOPIA], ids=["protanopia", "deuteranopia"])
@pytest.mark.parametrize(("classes", "distance"), [(7, 17), (24, 12)])
def test_the_colour_blind_tell_the_classes_apart(sight: object, classes: int, distance: float) -> None:
    assert least_distance(cielab([class_colour(index) for index in range(classes)], sight)) > distance


def test_the_classes_are_far_apart_for_everyone_else() -> None:
    assert least_distance(cielab([class_colour(index) for index in range(24)])) > 25


def test_every_class_has_a_colour_of_its_own_and_none_is_grey() -> None:
    colours = [class_colour(index) for index in range(250)]
    assert len(set(colours)) == 250
    assert min(max(colour) - min(colour) for colour in colours) > 40
    assert VOID not in colours
    assert class_colour(-1) == VOID


def test_the_ink_reads_on_the_colour() -> None:
    assert ink_on((255, 255, 0)) == (0, 0, 0)
    assert ink_on((0, 0, 128)) == (255, 255, 255)
