"""The page "what this net has learnt", as a browser shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.report.page.inside import WIDEST_PX, page_of_inside
from cnnexp.report.page.write import write_page
from cnnexp.visualize.section import Section
from tests.report.page.chromium import browser

SECTIONS = {
    "filters": (
        "weights of the first layer",
        Section(
            "six filters", {"filters": Image.new("RGB", (120, 90), "red")}, ["a <b>line</b>"], {}, "Edges.", "Use."
        ),
    ),
    "loss-surface": (
        "the loss around the weights",
        Section(
            "a bowl",
            {"wide": Image.new("RGB", (2 * WIDEST_PX, 40)), "high": Image.new("RGB", (9, 99))},
            [],
            {},
            "A",
            "B",
        ),
    ),
}


def test_pictures_come_as_they_are_unless_they_are_wide() -> None:
    content = page_of_inside(SECTIONS, [("shift", "takes signals")], title="t", net="n")
    first, second = content["inside"]
    assert [one["name"] for one in second["pictures"]] == ["wide", "high"]
    assert first["pictures"][0]["source"].startswith("data:image/png;base64,")
    assert content["left_out"] == [{"technique": "shift", "reason": "takes signals"}]


@pytest.mark.integration
def test_sections_stand_in_their_order_with_what_is_seen_and_what_is_left_out(tmp_path: Path) -> None:
    content = page_of_inside(SECTIONS, [("shift", "takes signals")], title="What this net has learnt", net="lenet5")
    path = write_page(content, tmp_path / "all.html")
    with browser(tmp_path / "browser") as opened:
        opened.open(path)
        assert opened.texts("h2") == ["filters", "loss surface", "Left out"]
        assert opened.texts(".contents a") == ["filters", "loss surface"]
        assert opened.evaluate("Array.from(document.querySelectorAll('img'), (one) => one.naturalWidth)") == [
            120, WIDEST_PX, 9,
        ]  # fmt: skip
        assert opened.texts("#filters p")[1:] == ["What is seen. Edges.", "What it does not prove. Use."]
        assert "a <b>line</b>" in opened.evaluate("document.querySelector('#filters pre').textContent")
        assert opened.texts("td") == ["shift", "takes signals"]
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert opened.complaints == [] and opened.stopped == []
