"""The page of the zoo as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnnexp.config.keys import OptionKeys
from cnnexp.config.model_header import ModelHeader
from cnnexp.report.layers import shape_figure
from cnnexp.report.notation import count_figure, scaled_figure
from cnnexp.report.option_keys import as_row

_INTRODUCTION = """\
# The zoo

Every net that comes with cnnexp, by the name of its option. This page is made from the nets themselves: `make docs`
writes it anew. Parameters and multiply-adds are those of the net on the pictures in the third column, with as many
classes; `cnnexp summary model=NAME` shows them layer by layer for any other size, and `cnnexp list models` says more of
each net.

Beside these, `model=torchvision model.name=NAME` and `model=timm model.name=NAME` are any classifier of those two.
"""
_KEYS = """\
## Keys

What a net can be asked for, with the defaults; `cnnexp list model=NAME` says what each key means and may be. The keys
of every net (`model.weights`, `model.normalisation`, `model.match`, `model.input`) are in [transfer.md](transfer.md).
"""
_HEADINGS = {
    "classification": "Classification",
    "segmentation": "Segmentation",
    "detection": "Detection",
    "autoencoder": "Autoencoders",
    "gan": "Generative adversarial nets",
}


@dataclass(frozen=True)
class ZooRow:
    """A net with its figures on the pictures that it is usually shown.

    Args:
        size: channels, height, width. classes: None where the data says. train: the words after `cnnexp train`.
    """

    option: str
    header: ModelHeader
    task: str
    size: tuple[int, ...]
    classes: int | None
    parameters: int
    multiply_adds: int
    train: tuple[str, ...]


def as_markdown(rows: Iterable[ZooRow], keys: Iterable[OptionKeys] = ()) -> str:
    """The whole page: a table for each task, a line for each net, and the keys of the nets."""
    tasks: dict[str, list[ZooRow]] = {}
    for row in rows:
        tasks.setdefault(row.task, []).append(row)
    blocks = [_INTRODUCTION]
    for task, of_task in sorted(tasks.items(), key=lambda one: [*_HEADINGS, one[0]].index(one[0])):
        heading = _HEADINGS.get(task, task.capitalize().replace("_", " "))
        lines = [f"## {heading}", ""]
        lines.append("| net | paper | pictures | parameters | multiply-adds | to train it here |")
        lines.append("|---|---|---|--:|--:|---|")
        blocks.append("\n".join([*lines, *map(_line, of_task)]) + "\n")
    lines = [as_row(one) for one in keys]
    if lines:
        blocks.append("\n".join([_KEYS, "| net | keys of `model.` |", "|---|---|", *lines]) + "\n")
    return "\n".join(blocks)


def _line(row: ZooRow) -> str:
    classes = f", {count_figure(row.classes)} classes" if row.classes else ""
    cells = (
        f"`{row.option}`: {row.header.name}",
        row.header.paper or "",
        f"{shape_figure(row.size)}{classes}",
        count_figure(row.parameters),
        scaled_figure(row.multiply_adds),
        f"`cnnexp train {' '.join(row.train)}`",
    )
    return f"| {' | '.join(cells)} |"
