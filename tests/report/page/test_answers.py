"""What a page of answers holds, in plain values, and how a browser shows it."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cnnexp.report.page.answers import SIDE_PX, page_of_answers, shown_as
from cnnexp.report.page.write import write_page
from tests.report.page.chromium import browser
from tests.report.page.conftest import EVIL


def said(*pairs: tuple[str, float]) -> dict[str, Any]:
    top = [{"label": label, "probability": probability} for label, probability in pairs]
    return {**top[0], "top": top}


def page(*rows: dict[str, Any], began_with: str | None = "squeezenet1_0 with a.pth") -> dict[str, Any]:
    sources = [shown_as(Image.new("RGB", (4, 4)))] * len(rows)
    return page_of_answers(
        rows, sources, [], lambda row: [f"box of {row['box']}"],
        title="a run", net="squeezenet1_0", began_with=began_with,
    )  # fmt: skip


def test_a_picture_has_what_was_said_before_and_after() -> None:
    row = {"file": "cells/a.png", **said(("RBC", 0.9), ("WBC", 0.1)), "before": said(("geyser", 0.4))}
    (one,) = page(row)["answers"]
    assert one["name"] == "a.png"
    assert one["sides"] == [
        {"name": "before", "bars": [["geyser", 0.4]], "lines": []},
        {"name": "after", "bars": [["RBC", 0.9], ["WBC", 0.1]], "lines": []},
    ]


def test_without_before_there_is_one_side_and_other_answers_are_lines() -> None:
    content = page({"file": "a.png", "box": "4"}, began_with=None)
    (one,) = content["answers"]
    assert one["sides"] == [{"name": None, "bars": [], "lines": ["box of 4"]}]
    assert content["subtitle"].startswith("squeezenet1_0 · 1 answer · made ")


@pytest.mark.parametrize(
    ("size", "kind", "shown"),
    [((28, 28), "png", (28, 28)), ((SIDE_PX, 9), "png", (SIDE_PX, 9)), ((720, 1440), "jpeg", (180, 360))],
)
def test_small_pictures_are_kept_to_the_pixel_and_large_ones_made_smaller(
    size: tuple[int, int], kind: str, shown: tuple[int, int]
) -> None:
    head, _, content = shown_as(Image.new("L", size, 200)).partition(",")
    assert head == f"data:image/{kind};base64"
    with Image.open(BytesIO(base64.b64decode(content))) as image:
        assert image.size == shown


@pytest.mark.integration
def test_a_browser_shows_them_and_runs_nothing_of_theirs(tmp_path: Path) -> None:
    rows = [{"file": evil, **said((evil, 0.75), ("b", 0.25)), "before": said((f"{evil}!", 0.5))} for evil in EVIL]
    path = write_page(page(*rows, began_with=EVIL[0]), tmp_path / "page.html")
    with browser(tmp_path / "browser") as opened:
        opened.open(path)
        assert opened.complaints == []
        assert len(opened.texts("article")) == len(rows)
        assert opened.texts("article:first-child h3") == ["before", "after"]
        assert opened.texts("article:first-child .number") == ["0.50", "0.75", "0.25"]
        assert opened.texts("article:first-child .after .best") == [EVIL[0]]
        assert opened.evaluate("window.hacked") is None
