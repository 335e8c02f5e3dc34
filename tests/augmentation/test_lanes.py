"""Which numbers an operation is given, and what the numbers are made into."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.augmentation.lanes import Lanes, chosen, logarithmic, normal, symmetric
from cnnexp.draws import uniform

KEY = 0xA46
LAST = np.nextafter(1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "place"),
    [("crop", 0), ("mirror", 2), ("elastic", 10), ("noise", 18), ("mixing", 21)],
)
def test_an_operation_s_numbers_are_those_of_earlier_versions(name: str, place: int) -> None:
    """A run that is repeated draws what it drew."""
    index = np.array([0, 7, 59_999])
    drawn = Lanes({"other": 2, name: 3}, seed=5).draw(index, 11)[name]
    expected = uniform(KEY, 5, 11, index[:, None], place * 256 + np.arange(3)[None])
    assert np.array_equal(drawn, expected)


def test_an_operation_of_ones_own_has_its_place_from_its_name_in_every_process() -> None:
    place = 22 + 0x1DE54F73 % 2**20  # the CRC-32 of "blur"
    drawn = Lanes({"blur": 2}, seed=1).draw(np.arange(4), 0)["blur"]
    assert np.array_equal(drawn, uniform(KEY, 1, 0, np.arange(4)[:, None], place * 256 + np.arange(2)[None]))


def test_epochs_may_come_in_any_order() -> None:
    lanes, index = Lanes({"crop": 2}, seed=1), np.arange(5)
    in_order = [lanes.draw(index, epoch)["crop"] for epoch in (0, 1, 2)]
    backwards = [lanes.draw(index, epoch)["crop"] for epoch in (2, 1, 0)]
    assert all(np.array_equal(*pair) for pair in zip(in_order, reversed(backwards), strict=True))
    assert not np.array_equal(in_order[0], in_order[1])


def test_without_operations_there_are_no_numbers() -> None:
    assert Lanes({}, seed=0).draw(np.arange(3), 0) == {}


def test_a_probability_of_0_is_never_and_of_1_always() -> None:
    u = np.array([[0.0], [0.5], [LAST]])
    assert chosen(u, 0.0).tolist() == [False] * 3
    assert chosen(u, 0.5).tolist() == [True, False, False]
    assert chosen(u, 1.0).tolist() == [True] * 3


def test_ranges_by_hand() -> None:
    u = np.array([0.0, 0.25, 0.5, LAST])
    assert symmetric(u).tolist() == pytest.approx([-1, -0.5, 0, 1])
    assert symmetric(u).max() < 1
    assert logarithmic(u, (0.25, 4.0)).tolist() == pytest.approx([0.25, 0.5, 1, 4])


def test_a_normal_number_is_finite_for_every_draw() -> None:
    u, v = (one.ravel() for one in np.meshgrid([0.0, 1 - np.exp(-2), LAST], [0.0, 0.25, 0.5, 0.75]))
    numbers = normal(u, v).reshape(4, 3)
    assert np.isfinite(numbers).all()
    assert numbers[:, 0].tolist() == pytest.approx([0] * 4)
    assert numbers[:, 1].tolist() == pytest.approx([2, 0, -2, 0], abs=1e-12)
