"""What a page "real or generated?" shows: pictures of both kinds in an order that tells nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from cnnexp.report.page.content import made


def page_of_quiz(real: Sequence[str], generated: Sequence[str], *, title: str, net: str, seed: int) -> dict[str, Any]:
    """The quiz in plain values.

    Args:
        real, generated: addresses of pictures, as many of each. net: what made them up, in words. seed: of the order.
    """
    pictures = [
        {"source": source, "real": is_real} for is_real in (True, False) for source in (generated, real)[is_real]
    ]
    random.Random(seed).shuffle(pictures)
    return {
        "title": title,
        "subtitle": f"{net} · {made()}",
        "quiz": pictures,
        "runs": [],
        "columns": [],
        "notes": [],
        "lower": [],
    }
