"""What a technique shows of a net: pictures, figures, and in two sentences what is seen and what it does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


class NotFitting(InputError):
    """A net that has nothing of what a technique shows: a line with the reason, which begins with a small letter.

    Of one technique it is bad input; a page of all of them leaves the technique out and says why.
    """


@dataclass(frozen=True)
class Section:
    """What came out.

    Attributes:
        title: in a line, the net and what it was asked about. images: pictures by file name without suffix.
        lines: what a terminal shows, at most 80 columns. figures: the same in plain values, for JSON.
        seen, beware: a sentence or two each for a reader: what is to be seen, and what it does not prove.
        pages: whole pages for a browser by file name without suffix, where there is something to hover over.
    """

    title: str
    images: Mapping[str, Image]
    lines: Sequence[str]
    figures: Mapping[str, Any]
    seen: str
    beware: str
    pages: Mapping[str, str] = field(default_factory=dict)
