"""The quiz: pictures of both kinds, played in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.report.page.answers import shown_as
from cnnexp.report.page.quiz import page_of_quiz
from cnnexp.report.page.write import write_page
from tests.report.page.chromium import browser

REAL = [shown_as(Image.new("L", (8, 8), 100 + place)) for place in range(5)]
MADE = [shown_as(Image.new("L", (8, 8), place)) for place in range(5)]


def test_every_picture_is_there_once_and_the_order_is_the_seed_s() -> None:
    content, same, other = (page_of_quiz(REAL, MADE, title="q", net="n", seed=seed)["quiz"] for seed in (0, 0, 1))
    assert content == same and content != other
    assert sorted(one["source"] for one in content if one["real"]) == sorted(REAL)
    assert sorted(one["source"] for one in content if not one["real"]) == sorted(MADE)


@pytest.mark.integration
def test_it_is_played_to_its_end(tmp_path: Path) -> None:
    """One who says real to all has half of them right, which is chance: P(5 or more of 10) = 638 / 1,024."""
    content = page_of_quiz(REAL, MADE, title="Real or generated?", net="dcgan", seed=3)
    path = write_page(content, tmp_path / "quiz.html")
    with browser(tmp_path / "browser") as opened:
        opened.open(path)
        assert opened.texts(".score") == ["10 pictures, half of them real"]
        for place, picture in enumerate(content["quiz"]):
            assert opened.evaluate("document.querySelector('.asked').src") == picture["source"]
            opened.click(".quiz button", 0)
            kind = "Right: it is real." if picture["real"] else "Wrong: it is generated."
            assert opened.texts(".told") == [kind]
            right = sum(one["real"] for one in content["quiz"][: place + 1])
            assert opened.texts(".score") == [f"{right} of {place + 1} right"]
        assert opened.evaluate("document.querySelector('.asked').offsetParent") is None, "nothing is asked any more"
        assert opened.evaluate("document.querySelectorAll('.sheet img').length") == 10
        assert opened.texts(".over > p") == [
            "5 of 5 generated pictures were taken for real.",
            "By guessing one comes this far 62 times in 100: this may be luck.",
        ]
        opened.click(".over button")
        assert opened.texts(".score") == ["10 pictures, half of them real"]
        for picture in content["quiz"]:
            key = "r" if picture["real"] else "g"
            opened.evaluate(f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}))")
        assert opened.texts(".over > p")[1].startswith("By guessing one comes this far less than once in 1,000 times")
        assert opened.complaints == [] and opened.stopped == []
