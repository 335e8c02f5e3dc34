"""Rounds with programs whose speed is known: their order, what follows from them, and what is done when one fails."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from cnnexp.bench.cells import Cell, Peer, Rate, Row, Variant, with_workers
from cnnexp.bench.measure import Outcome, figure, in_own_process, measure, order_of_round
from cnnexp.statistics.medians import LOOKS

WORDS = ("model=linear", "data=mnist5k")


class Machine:
    """Measures by a table: images per second by program and workers, times noise, divided by a drift with each run."""

    def __init__(self, speeds: dict[str, float | str], noise: float = 0.02, drift: float = 1.0) -> None:
        self.speeds, self.noise, self.drift = speeds, noise, drift
        self.calls: list[str] = []
        self._draw = random.Random(3)

    def __call__(self, cell: Cell) -> Outcome:
        name = f"{cell.program}{cell.workers or ''}{cell.loop or ''}"
        self.calls.append(name)
        speed = self.speeds[name]
        if isinstance(speed, str):
            return speed
        speed *= self._draw.lognormvariate(0, self.noise) / self.drift ** len(self.calls)
        return Rate(images=6400, steps=100, seconds=6400 / speed)


def row(peers: Sequence[Peer], target: float = 1.3) -> Row:
    return Row("row", "a row", (Variant("cnnexp", Cell("train", WORDS), target),), tuple(peers))


def peer(name: str, workers: Sequence[int] = (0,)) -> Peer:
    return Peer(name, with_workers(Cell(name, WORDS), workers))  # type: ignore[arg-type]


def test_cnnexp_stands_around_the_peers_and_each_peer_in_the_middle_on_average() -> None:
    orders = [order_of_round(["a", "b"], ["p", "q", "r"], number) for number in range(12)]
    assert all(order[:2] == ["a", "b"] and order[-2:] == ["b", "a"] for order in orders)
    assert all(sorted(order[2:5]) == ["p", "q", "r"] for order in orders)
    for first, second in zip(orders[::2], orders[1::2], strict=True):
        assert all(first.index(name) + second.index(name) == 6 for name in "pqr")
    assert len({tuple(order) for order in orders}) > 3


def test_a_machine_that_slows_down_changes_no_figure() -> None:
    found = measure(row([peer("plain"), peer("timm")]), 1e9, Machine({"train": 200, "plain": 100, "timm": 100}, 0, 1.1))
    medians = [sorted(one.figures) for one in found.comparisons]
    assert [(one[2] * one[3]) ** 0.5 for one in medians] == pytest.approx([2.0, 2.0], rel=1e-9)


@pytest.mark.parametrize(
    ("speed", "expected", "rounds"),
    [(160.0, "reached", LOOKS[0]), (110.0, "missed", LOOKS[0]), (130.0, "undecided", LOOKS[-1])],
)
def test_it_repeats_until_it_is_decided(speed: float, expected: str, rounds: int) -> None:
    machine = Machine({"train": speed, "plain": 100.0})
    found = measure(row([peer("plain")]), 1e9, machine)
    assert (found.verdict, found.rounds) == (expected, rounds)
    assert Counter(machine.calls) == {"train": 2 * rounds, "plain": rounds}


def test_every_peer_has_to_be_left_behind() -> None:
    speeds: dict[str, float | str] = {"train": 150.0, "plain": 100.0, "timm": 140.0}
    found = measure(row([peer("plain"), peer("timm")]), 1e9, Machine(speeds))
    assert [one.verdict for one in found.comparisons] == ["reached", "missed"]
    assert found.verdict == "missed"


def test_no_round_begins_that_would_end_too_late() -> None:
    """Each look at the clock is a second, a round three: five of them would end before the tenth second."""
    now = iter(range(1000))
    found = measure(row([peer("plain")]), 10, Machine({"train": 200.0, "plain": 100.0}), clock=lambda: next(now))
    assert 0 < found.rounds < LOOKS[0]
    assert found.verdict == "undecided"


def test_one_round_without_a_look_decides_nothing() -> None:
    found = measure(row([peer("plain")]), 1e9, Machine({"train": 900.0, "plain": 100.0}), looks=())
    assert (found.rounds, found.verdict) == (1, "undecided")


def test_the_better_number_of_workers_counts() -> None:
    machine = Machine({"train": 200.0, "plain": 80.0, "plain1": 120.0, "plain2": 100.0})
    found = measure(row([peer("plain", (0, 1, 2))]), 1e9, machine, looks=())
    assert found.workers == {"plain": 1}
    assert Counter(machine.calls) == {"plain": 2, "plain1": 3, "plain2": 2, "train": 2}


def test_a_program_that_fails_is_named_and_left_out() -> None:
    speeds: dict[str, float | str] = {"train": 200.0, "plain": 100.0, "timm": "no such library"}
    machine = Machine(speeds)
    found = measure(row([peer("plain"), peer("timm")]), 1e9, machine)
    assert found.failures == {"timm": "no such library"}
    assert [one.peer for one in found.comparisons] == ["plain"]
    assert machine.calls.count("timm") == 1
    assert found.verdict == "undecided", "one of the peers was not measured"


def test_a_number_of_workers_that_fails_does_not_count_against_the_others() -> None:
    machine = Machine({"train": 200.0, "plain": 80.0, "plain1": "out of memory"})
    found = measure(row([peer("plain", (0, 1))]), 1e9, machine, looks=())
    assert (found.failures, found.workers) == ({}, {"plain": 0})


def test_figures_by_hand() -> None:
    ours, other = [Rate(100, 10, 1.0), Rate(100, 10, 4.0)], Rate(100, 10, 4.0)
    assert figure(row([]), ours, other) == pytest.approx(2.0)  # the geometric mean of 4 and 1
    overhead = Row("row", "a row", (), (), figure="overhead")
    assert figure(overhead, ours, Rate(100, 10, 2.0)) == pytest.approx((100_000 + 400_000) / 2 - 200_000)


@pytest.fixture
def tiny() -> Callable[..., Cell]:
    def cell(**changes: object) -> Cell:
        return Cell(**{"program": "bare_loading", "words": WORDS, "seconds": 0.05, **changes})  # type: ignore[arg-type]

    return cell


@pytest.mark.slow
def test_a_cell_in_its_own_process(tiny: Callable[..., Cell]) -> None:
    outcome = in_own_process(tiny())
    assert isinstance(outcome, Rate), outcome
    assert outcome.seconds >= 0.05
    assert outcome.images == 64 * outcome.steps


@pytest.mark.slow
def test_a_process_that_fails_answers_with_its_last_line(tiny: Callable[..., Cell]) -> None:
    outcome = in_own_process(tiny(words=("model=linaer",)))
    assert isinstance(outcome, str)
    assert "did you mean linear?" in outcome


def test_a_process_that_takes_too_long_is_ended(tiny: Callable[..., Cell]) -> None:
    assert in_own_process(tiny(limit_s=0.2)) == "ended after 0 s, which is the limit"
