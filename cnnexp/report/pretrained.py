"""Nets with published weights as a table: how large, how deep, how good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid
from cnnexp.report.notation import MISSING, count_figure, scaled_figure
from cnnexp.report.plain_text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


@dataclass(frozen=True)
class PretrainedNet:
    """A net of a library and what is known of its weights.

    Args:
        name: in the library. option: of the group `model` that is this net; None where the library's own is needed.
        weights: their name in the library. file_mb: size of their file; ``estimated``: from the net.
        depth: layers with weights on the longest path: see `cnnexp.anatomy.depth`.
        top1: accuracy on ImageNet's validation set in per cent. multiply_adds: for one picture. None: not said.
    """

    name: str
    option: str | None
    library: str
    weights: str
    file_mb: float
    estimated: bool
    parameters: int
    depth: int
    top1: float | None
    multiply_adds: int | None

    @property
    def words(self) -> list[str]:
        """What names the net and its weights on the command line."""
        named = [f"model={self.option}"] if self.option else [f"model={self.library}", f"model.name={self.name}"]
        return [*named, f"model.weights={self.weights}"]


def ordered(nets: Iterable[PretrainedNet], by: str) -> list[PretrainedNet]:
    """By name; by accuracy from the best on; by size, parameters or depth from the smallest on. Unknown ones last."""
    return sorted(nets, key=lambda net: (*_rank(net, by), net.option or net.name))


def _rank(net: PretrainedNet, by: str) -> tuple[bool, float]:
    if by == "top1":
        return net.top1 is None, -(net.top1 or 0.0)
    return False, {"size": net.file_mb, "parameters": net.parameters, "depth": net.depth}.get(by, 0.0)


def as_content(nets: Sequence[PretrainedNet]) -> list[dict[str, Any]]:
    """The same for other programs."""
    keys = ("name", "option", "library", "weights", "file_mb", "estimated", "parameters", "depth", "top1")
    return [
        {**{key: getattr(net, key) for key in (*keys, "multiply_adds")}, "words": net.words, "file_mb": net.file_mb}
        for net in nets
    ]


class PretrainedTable:
    """A line for each net, within 80 columns."""

    def __init__(self, nets: Sequence[PretrainedNet]) -> None:
        self.nets = list(nets)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        yield Grid(self._columns())
        yield Text()
        for line in self._notes():
            yield Text(line, style="dim")

    def _columns(self) -> list[Column]:
        cells = {
            "net": [printable(f"{net.option}*" if net.option else net.name) for net in self.nets],
            "from": [net.library for net in self.nets],
            "MB": [f"{net.file_mb:,.1f}" for net in self.nets],
            "parameters": [count_figure(net.parameters) for net in self.nets],
            "depth": [str(net.depth) for net in self.nets],
            "top-1": [MISSING if net.top1 is None else f"{net.top1:.1f}" for net in self.nets],
            "mult-adds": [scaled_figure(net.multiply_adds) for net in self.nets],
        }
        return [Column(name, tuple(texts), place, place > 1) for place, (name, texts) in enumerate(cells.items())]

    def _notes(self) -> Iterator[str]:
        yield "MB: of the file, in 2²⁰ bytes; timm does not say, so of the net's numbers"
        yield "depth: convolutions and dense layers on the longest path, squeezes too"
        yield "top-1: accuracy on ImageNet's validation set in per cent, by the library"
        yield "*: model=NET model.weights=…; others: model=torchvision model.name=NET"
