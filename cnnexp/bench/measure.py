"""Rows measured: a process for each cell, in an order that cancels a drift, until decided or until time is up."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from cnnexp.bench.cells import MARK, Cell, Peer, Rate, Row, Variant
from cnnexp.statistics.medians import LOOKS, Interval, Verdict, median_interval, verdict

HEATS = 2
"""Runs of each worker count of a peer before the better one is chosen."""

Outcome = Rate | str
"""What a cell measured, or the line that it failed with."""


@dataclass
class Comparison:
    """One setting of cnnexp against one peer.

    Attributes:
        figures: one for each round. interval: of their median, at the last look. verdict: what follows.
    """

    variant: Variant
    peer: str
    figures: list[float] = field(default_factory=list)
    interval: Interval = field(default_factory=lambda: Interval(-math.inf, math.inf))
    verdict: Verdict = "undecided"


@dataclass
class Measured:
    """A row with everything that was measured for it.

    Attributes:
        rates: by the name of a variant or peer, in order; a variant has two for each round.
        again: for each variant, its first run of a round compared with its second: the same program twice.
        failures: the line of each cell that could not be measured, by name. workers: chosen, by peer.
    """

    row: Row
    rates: dict[str, list[Rate]] = field(default_factory=dict)
    comparisons: list[Comparison] = field(default_factory=list)
    again: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)
    rounds: int = 0

    @property
    def verdict(self) -> Verdict:
        """Reached against every peer, missed against one, or undecided."""
        found = {one.verdict for one in self.comparisons}
        if "missed" in found:
            return "missed"
        whole = len(self.comparisons) == len(self.row.variants) * len(self.row.peers)
        return "reached" if found == {"reached"} and whole and not self.failures else "undecided"


def measure(
    row: Row,
    until: float,
    run: Callable[[Cell], Outcome],
    looks: Sequence[int] = LOOKS,
    clock: Callable[[], float] = time.monotonic,
) -> Measured:
    """Repeat the rounds of a row until every comparison is decided, the looks are used up, or the time is.

    Args:
        until: a moment of ``clock`` after which no round begins that would end later. run: measures a cell.
        looks: rounds after which the intervals are looked at; none for one round that decides nothing.
    """
    found = Measured(row)
    peers = {peer.name: cell for peer in row.peers if (cell := _chosen(peer, run, found)) is not None}
    variants = {variant.name: variant.cell for variant in row.variants}
    longest = 0.0
    while found.rounds < max(looks, default=1) and clock() + longest <= until and variants and peers:
        began = clock()
        _round(order_of_round(list(variants), list(peers), found.rounds), {**variants, **peers}, run, found)
        longest = max(longest, clock() - began)
        variants = {name: cell for name, cell in variants.items() if name not in found.failures}
        peers = {name: cell for name, cell in peers.items() if name not in found.failures}
        if found.rounds in looks:
            _look(found)
            if found.comparisons and all(one.verdict != "undecided" for one in found.comparisons):
                return found
    if looks and found.rounds not in looks:
        _look(found)  # in the place of the look that there is no more time for
    return found


def order_of_round(variants: Sequence[str], peers: Sequence[str], number: int) -> list[str]:
    """Who runs when in round ``number``, from 0: cnnexp, the peers, cnnexp again the other way round.

    The peers' order is drawn for two rounds, and the second goes through it backwards. So a machine that gets slower
    and slower weighs on all alike: each stands in the middle, on average.
    """
    drawn = random.Random(number // 2).sample(list(peers), len(peers))
    return [*variants, *(reversed(drawn) if number % 2 else drawn), *reversed(variants)]


def _chosen(peer: Peer, run: Callable[[Cell], Outcome], found: Measured) -> Cell | None:
    """The peer with the number of workers that is best for it."""
    if len(peer.cells) == 1:
        found.workers[peer.name] = peer.cells[0].workers
        return peer.cells[0]
    fastest: dict[int, float] = {}
    for place in [*range(len(peer.cells)), *reversed(range(len(peer.cells)))][: HEATS * len(peer.cells)]:
        outcome = run(peer.cells[place])
        if isinstance(outcome, Rate):
            fastest[place] = max(fastest.get(place, 0.0), outcome.images_per_second)
        else:
            found.failures[peer.name] = outcome
    if not fastest:
        return None
    found.failures.pop(peer.name, None)  # it runs with another number of workers
    best = peer.cells[max(fastest, key=lambda place: fastest[place])]
    found.workers[peer.name] = best.workers
    return best


def _round(order: Sequence[str], cells: dict[str, Cell], run: Callable[[Cell], Outcome], found: Measured) -> None:
    """Every cell of the order once; a round counts for those that finished all their runs in it."""
    measured: dict[str, list[Rate]] = {}
    for name in order:
        if name in found.failures:
            continue
        outcome = run(cells[name])
        if isinstance(outcome, Rate):
            measured.setdefault(name, []).append(outcome)
        else:
            found.failures[name] = outcome
    whole = {name: rates for name, rates in measured.items() if name not in found.failures}
    for name, rates in whole.items():
        found.rates.setdefault(name, []).extend(rates)
    for variant in found.row.variants:
        if variant.name in whole:
            first, second = whole[variant.name]
            found.again.setdefault(variant.name, []).append(figure(found.row, [first], second))
            for peer in found.row.peers:
                if peer.name in whole:
                    comparison = _comparison(found, variant, peer.name)
                    comparison.figures.append(figure(found.row, whole[variant.name], whole[peer.name][0]))
    found.rounds += 1


def _comparison(found: Measured, variant: Variant, peer: str) -> Comparison:
    for one in found.comparisons:
        if one.variant.name == variant.name and one.peer == peer:
            return one
    found.comparisons.append(Comparison(variant, peer))
    return found.comparisons[-1]


def figure(row: Row, ours: Sequence[Rate], other: Rate) -> float:
    """What a round says: how many times as fast cnnexp is, or how many µs a step of it takes longer."""
    if row.figure == "overhead":
        return sum(rate.step_us for rate in ours) / len(ours) - other.step_us
    logarithms = [math.log(rate.images_per_second / other.images_per_second) for rate in ours]
    return math.exp(sum(logarithms) / len(logarithms))


def _look(found: Measured) -> None:
    for one in found.comparisons:
        one.interval = median_interval(one.figures)
        one.verdict = verdict(one.interval, one.variant.target, at_most=found.row.figure == "overhead")


def in_own_process(cell: Cell) -> Outcome:
    """Measure a cell in a fresh process; the line that it failed with, if it did."""
    command = [sys.executable, "-m", "cnnexp.bench.child", json.dumps(asdict(cell))]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=_environment(cell),
        start_new_session=True,  # so that its loader workers end with it
    )
    try:
        out, err = process.communicate(timeout=cell.limit_s)
    except subprocess.TimeoutExpired:
        return f"ended after {cell.limit_s:.0f} s, which is the limit"
    finally:
        _end(process)
    lines = [line for line in out.splitlines() if line.startswith(MARK)]
    if process.returncode != 0 or not lines:
        last = [line for line in err.splitlines() if line.strip()][-1:]
        return last[0] if last else f"ended with status {process.returncode} and without a word"
    return Rate(**json.loads(lines[-1].removeprefix(MARK)))


def _environment(cell: Cell) -> dict[str, str]:
    """The same for every cell: the threads of all libraries, and no GPU where the processor is timed."""
    threads = str(cell.threads)
    same = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **same, **({"CUDA_VISIBLE_DEVICES": ""} if cell.device == "cpu" else {})}


def _end(process: subprocess.Popen[str]) -> None:
    """End what is left of a process and of those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of them are gone
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
