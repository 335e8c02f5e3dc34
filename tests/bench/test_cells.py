"""Rates, and a row made ready for a machine."""

from __future__ import annotations

import pytest

from cnnexp.bench.cells import Cell, Peer, Rate, Row, Variant, on_machine, with_workers

OWN = Cell("train", ("model=lenet5",), epochs=5, seconds=3.0, loop="direct", compiled=True)
PLAIN = Cell("plain", ("model=lenet5",), transform="shift", limit_s=60.0)
ROW = Row("lenet5", "LeNet-5", (Variant("fast", OWN, 3.5),), (Peer("loop", with_workers(PLAIN, (0, 2, 4))),))


def test_a_rate_is_of_the_seconds_that_it_took() -> None:
    rate = Rate(images=6400, steps=100, seconds=2.0)
    assert rate.images_per_second == 3200 and rate.step_us == pytest.approx(20_000)


def test_all_cells_of_a_row_are_for_one_machine() -> None:
    row = on_machine(ROW, "gpu", 4, quick=False)
    cells = [row.variants[0].cell, *row.peers[0].cells]
    assert {(cell.device, cell.threads) for cell in cells} == {("gpu", 4)}
    assert [cell.workers for cell in row.peers[0].cells] == [0, 2, 4]
    assert (row.variants[0].cell.seconds, row.variants[0].cell.epochs) == (3.0, 5)
    assert row.variants[0].target == 3.5 and row.peers[0].cells[0].transform == "shift"
    assert ROW.variants[0].cell.device == "cpu", "the row given is kept"


def test_a_trial_is_short_and_of_one_number_of_workers() -> None:
    row = on_machine(ROW, "cpu", 1, quick=True)
    own, peers = row.variants[0].cell, row.peers[0].cells
    assert (own.seconds, own.epochs) == (0.2, 2)
    assert [(cell.workers, cell.seconds) for cell in peers] == [(0, 0.2)]
    assert (own.loop, own.compiled, peers[0].limit_s) == ("direct", True, 60.0), "and else the same"
