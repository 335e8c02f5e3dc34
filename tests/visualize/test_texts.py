"""A text in lines: no word is lost before there is no room, and nothing is wider than the picture."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from cnnexp.visualize.canvas import line_height, text_width
from cnnexp.visualize.texts import MOST_LINES, WIDTH_PX, _lines, text_picture

SENTENCE = "a film that begins well, loses its way in the middle and finds it again before everybody has left"


def lines_of(text: str) -> int:
    """How many lines a picture has, by its height."""
    lines, rest = divmod(text_picture(text).shape[0] - 8, line_height(13))
    assert rest == 0
    return lines


def test_the_words_are_all_there_in_their_order() -> None:
    found = _lines(SENTENCE, 232)
    assert len(found) > 2 and " ".join(found) == SENTENCE
    assert max(text_width(line, 13) for line in found) <= 232
    # the first word of each line would not have fitted into the one before
    for before, line in pairwise(found):
        assert text_width(f"{before} {line.split()[0]}", 13) > 232


def test_a_picture_is_as_high_as_its_lines() -> None:
    assert text_picture(SENTENCE).shape[1:] == (WIDTH_PX, 3)
    assert lines_of("short") == 1 and lines_of(SENTENCE) == len(_lines(SENTENCE, 232))
    assert lines_of("two\nlines are one") == 1


def test_what_finds_no_room_is_cut_with_an_ellipsis() -> None:
    found = _lines(" ".join([SENTENCE] * 9), 232)
    assert len(found) == MOST_LINES == lines_of(" ".join([SENTENCE] * 9))
    assert found[-1].endswith("…") and not any("…" in line for line in found[:-1])
    assert " ".join([SENTENCE] * 9).startswith(" ".join(found).removesuffix("…")), "up to there no word is missing"
    assert max(text_width(line, 13) for line in found) <= 232


def test_a_word_wider_than_the_picture_is_cut_and_the_next_ones_stay() -> None:
    found = _lines("x" * 200 + " after", 232)
    assert found[0].endswith("x…") and text_width(found[0], 13) <= 232
    assert found[1:] == ["after"]


@pytest.mark.parametrize("text", ["", " \n\t ", "\ud800"])
def test_a_text_without_letters_is_a_picture_too(text: str) -> None:
    assert lines_of(text) == 1 and text_picture(text).dtype == np.uint8


def test_ink_stays_in_the_picture() -> None:
    pixels = text_picture("W" * 400)
    assert (pixels < 128).any()
    assert (pixels[:, :2] == 255).all() and (pixels[:, -2:] == 255).all()


def test_a_book_takes_no_longer_than_a_page() -> None:
    began = time.process_time()
    text_picture("w" * 20_000)
    assert time.process_time() - began < 5, "the time grows with the square of what is measured"
