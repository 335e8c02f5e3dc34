"""What is timed: cells, each a program in a process of its own, and the rows that set them against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Program = Literal["train", "bare", "bare_loading", "prepare", "plain", "lightning", "timm", "load", "forked", "fresh"]
"""``train``: cnnexp's own. ``bare``: a loop over prepared batches. ``bare_loading``: one that indexes and normalises.
``prepare``: cnnexp's batches without a net. ``plain``, ``lightning``, ``timm``: the peers. ``load``: batches of
torchvision's transforms without a net. ``forked``, ``fresh``: trials of a sweep."""

MARK = "measured "
"""Before the JSON line in which a cell's process answers."""

Transform = Literal["none", "shift", "crop_flip", "everything"]


@dataclass(frozen=True)
class Cell:
    """One program to time.

    Attributes:
        words: of a ``cnnexp train`` line: net, data, batch size, precision. A peer takes the same from it.
        transform: what a peer augments with; cnnexp's own is among ``words``.
        loop: of cnnexp's training, None for its default. compiled: the augmentation.
        epochs: that ``train`` takes, the first of which warms up; the others measure ``seconds`` at least.
        workers: loader processes. limit_s: after so long the process is ended.
        device, threads: the same for all cells of a call.
    """

    program: Program
    words: tuple[str, ...]
    transform: Transform = "none"
    loop: Literal["lightning", "direct"] | None = None
    compiled: bool = False
    workers: int = 0
    epochs: int = 2
    seconds: float = 3.0
    limit_s: float = 180.0
    device: Literal["cpu", "gpu"] = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Rate:
    """What a cell measured in its steady state."""

    images: int
    steps: int
    seconds: float

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds

    @property
    def step_us(self) -> float:
        return self.seconds / self.steps * 1e6


@dataclass(frozen=True)
class Variant:
    """cnnexp in one setting, and what it has to reach against every peer of its row."""

    name: str
    cell: Cell
    target: float


@dataclass(frozen=True)
class Peer:
    """A program that cnnexp is compared with; the fastest of ``cells`` (worker counts) counts."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        figure: ``ratio`` of images per second, at least the target; or ``overhead`` in µs a step, at most.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    peers: tuple[Peer, ...]
    figure: Literal["ratio", "overhead"] = "ratio"


def on_machine(row: Row, device: Literal["cpu", "gpu"], threads: int, quick: bool) -> Row:
    """The row with every cell's device and threads, and the shortest measurement where it is only tried out."""

    def fit(cell: Cell) -> Cell:
        fitted = replace(cell, device=device, threads=threads)
        return replace(fitted, seconds=0.2, epochs=2) if quick else fitted

    variants = tuple(replace(variant, cell=fit(variant.cell)) for variant in row.variants)
    peers = tuple(replace(peer, cells=_tried(tuple(fit(cell) for cell in peer.cells), quick)) for peer in row.peers)
    return replace(row, variants=variants, peers=peers)


def _tried(cells: tuple[Cell, ...], quick: bool) -> tuple[Cell, ...]:
    return cells[:1] if quick else cells


def with_workers(cell: Cell, counts: Sequence[int]) -> tuple[Cell, ...]:
    """The same cell for each number of loader processes."""
    return tuple(replace(cell, workers=count) for count in counts)
