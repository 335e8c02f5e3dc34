"""What a page shows of a net's inside: a section for each technique, and what was left out, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.page.content import made
from cnnexp.report.page.pictures import address_of

if TYPE_CHECKING:
    from cnnexp.visualize.section import Section

WIDEST_PX = 2000
"""A wider picture is made narrower for the page."""


def page_of_inside(
    sections: Mapping[str, tuple[str, Section]], left_out: Sequence[tuple[str, str]], *, title: str, net: str
) -> dict[str, Any]:
    """The sections in plain values.

    Args:
        sections: by technique, in reading order, each with the line that says what it shows. left_out: techniques and
            why they show nothing of this net. title: of the page. net: in words.
    """
    return {
        "title": title,
        "subtitle": f"{net} · {made()}",
        "inside": [
            {
                "technique": name,
                "line": line,
                "title": one.title,
                "seen": one.seen,
                "beware": one.beware,
                "lines": list(one.lines),
                "pictures": [{"name": stem, "source": _address(image)} for stem, image in one.images.items()],
            }
            for name, (line, one) in sections.items()
        ],
        "left_out": [{"technique": name, "reason": reason} for name, reason in left_out],
        "runs": [],
        "columns": [],
        "notes": [],
        "lower": [],
    }


def _address(image: Any) -> str | None:
    from cnnexp.visualize.png import png_bytes

    if image.width > WIDEST_PX:
        image = image.resize((WIDEST_PX, max(1, round(image.height * WIDEST_PX / image.width))))
    return address_of(png_bytes(image))
