"""What a net's YAML says of it in its one line: its name, its paper, its parameters, and for which pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAPER = re.compile(r"\(([A-Z][^(),]*? (?:19|20)\d\d)\b")
_PARAMETERS = re.compile(r"([\d,]*\d) parameters")
_SIDE = re.compile(r"\b([2-9]\d|\d{3})x\1\b")
_FRAMES = re.compile(r"\b(\d+) (?:RGB|grey) frames")
_CLASSES = re.compile(r"\b(1,000|ten|\d+) classes")


@dataclass(frozen=True)
class ModelHeader:
    """Facts of a net; None for what its line does not say.

    Args:
        paper: authors and year. parameters: with these pictures. side: of a picture in pixels. grey: one channel.
        frames: of a clip of such pictures.
    """

    name: str
    paper: str | None
    parameters: int | None
    side: int | None
    grey: bool
    classes: int | None
    frames: int | None = None


def model_header(line: str) -> ModelHeader:
    """Read a line such as ``ResNet-20 for 32x32 pictures (He 2015, section 4.2): 269,722 parameters``."""
    patterns = (_PAPER, _PARAMETERS, _SIDE, _CLASSES, _FRAMES)
    paper, parameters, side, classes, frames = (one.search(line) for one in patterns)
    return ModelHeader(
        name=re.split(r" \(|[:;,] | for | on ", line)[0],
        paper=paper[1] if paper else None,
        parameters=int(parameters[1].replace(",", "")) if parameters else None,
        side=int(side[1]) if side else None,
        grey="grey" in line,
        classes={"1,000": 1000, "ten": 10}.get(classes[1]) or int(classes[1]) if classes else None,
        frames=int(frames[1]) if frames else None,
    )


def takes_a_name(line: str) -> bool:
    """Whether it is no net itself but stands for all of a library's."""
    return line.startswith("Any ")
