"""Samples as points in the plane, looked at in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.report.page.map import page_of_map
from cnnexp.report.page.write import write_page
from tests.report.page.chromium import browser

PICTURES = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
VIEWS = {"t-SNE": [(0, 0), (1, 0), (1, 1)], "PCA": [(0, 0), (0, 1), (1, 1)]}


def content(labels: list[int] | None) -> dict:
    names = ["test 0", "test 1", "<b>"]
    return page_of_map(VIEWS, PICTURES, names, labels, ["cat", "dog", "owl"], title="map", notes=["a note"])


def test_classes_that_occur_have_a_colour() -> None:
    found = content([2, 0, 2])["map"]
    assert [(label, name) for label, name, _ in found["classes"]] == [(0, "cat"), (2, "owl")]
    assert len({colour for *_, colour in found["classes"]}) == 2
    assert content(None)["map"]["classes"] == []


@pytest.mark.integration
def test_the_nearest_point_shows_its_picture(tmp_path: Path) -> None:
    made = content([2, 0, 2])
    path = write_page(made, tmp_path / "map.html")
    moved = """(([x, y]) => {
      const svg = document.querySelector(".map svg"), box = svg.getBoundingClientRect();
      const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
      svg.dispatchEvent(new PointerEvent("pointermove", place));
    })"""
    with browser(tmp_path / "browser") as opened:
        opened.open(path)
        assert opened.evaluate("document.querySelectorAll('.map svg circle').length") == 4
        assert opened.evaluate("document.querySelector('.near').hidden") is True
        opened.evaluate(f"{moved}([0.98, 0.98])")  # below at the right: the second point of t-SNE
        assert opened.texts(".near p") == ["cat · test 1"]
        assert opened.evaluate("document.querySelector('.near img').src") == made["map"]["samples"][1]["source"]
        opened.click(".tools button", 1)
        opened.evaluate(f"{moved}([0.02, 0.02])")  # above at the left: the same in the other view
        assert opened.texts(".near p") == ["cat · test 1"]
        opened.click(".map .link", 1)
        opened.evaluate(f"{moved}([0.02, 0.02])")  # owls alone are there
        assert opened.evaluate("document.querySelector('.near').hidden") is True
        opened.evaluate(f"{moved}([0.98, 0.02])")
        assert opened.texts(".near p") == ["owl · <b>"]
        assert opened.complaints == [] and opened.stopped == []
