"""Filters over words on a sheet: a row a filter, its groups of words the darker the more it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, above, font, framed, line_height, shortened, words

HEAD_PX, CELL_PX, GAP_PX, FONT_PX, PAD_PX = 230, 170, 4, 12, 5
_DEEPEST = (120, 170, 225)


@dataclass(frozen=True)
class WordsRow:
    """A filter: what is said of it, and its groups of words with their answers, the largest first."""

    told: str
    grams: Sequence[tuple[str, float]]


def words_image(rows: Sequence[WordsRow], title: str) -> Image.Image:
    """The rows under a title."""
    return framed(above([words(title, FONT_PX + 2), *(_row(row) for row in rows)], GAP_PX))


def _row(row: WordsRow) -> Image.Image:
    height = line_height(FONT_PX) + 2 * PAD_PX
    sheet = Image.new("RGB", (HEAD_PX + len(row.grams) * (CELL_PX + GAP_PX), height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((0, PAD_PX), shortened(row.told, FONT_PX, HEAD_PX - 8), fill=INK, font=font(FONT_PX))
    highest = row.grams[0][1]
    for place, (gram, value) in enumerate(row.grams):
        left, share = HEAD_PX + place * (CELL_PX + GAP_PX), max(0.0, value / highest)
        shade = tuple(round(255 - share * (255 - full)) for full in _DEEPEST)
        pen.rectangle((left, 0, left + CELL_PX, height - 1), fill=shade)
        pen.text((left + PAD_PX, PAD_PX), shortened(gram, FONT_PX, CELL_PX - 2 * PAD_PX), fill=INK, font=font(FONT_PX))
    return sheet
