"""What is said of a picture by a net that tells real ones from its own."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from cnnexp.answers.generated import Generated

ANSWER = Generated()
PICTURE = np.full((8, 8, 1), 40, np.uint8)


def answer(real: float, grey: int = 200) -> dict[str, object]:
    return {"real": torch.tensor(real), "picture": np.full((8, 8, 1), grey, np.uint8)}


@pytest.mark.parametrize(("real", "said"), [(0.0, "generated"), (0.499, "generated"), (0.5, "real"), (1.0, "real")])
def test_from_a_half_on_a_picture_is_taken_for_real(real: float, said: str) -> None:
    row = ANSWER.as_json(answer(real), PICTURE)
    assert row == {"real": pytest.approx(real), "taken_for": said}
    assert json.loads(json.dumps(row)) == row


def test_the_figure_and_the_word_agree_to_the_last_digit() -> None:
    row = ANSWER.as_json(answer(0.49999997), PICTURE)
    assert (row["real"], row["taken_for"]) == (0.5, "real")


def test_a_line_says_both() -> None:
    (line,) = ANSWER.lines(ANSWER.as_json(answer(0.25), PICTURE))
    assert line.split() == ["taken", "for", "generated", "0.2500", "real"]


def test_the_picture_asked_about_stands_at_the_left_of_one_made_up() -> None:
    drawn = np.asarray(ANSWER.image(PICTURE, answer(0.9)))
    middle = drawn.shape[1] // 2
    left, right = (set(np.unique(half)) for half in (drawn[:90, :middle], drawn[:90, middle:]))
    assert 40 in left and 40 not in right and 200 in right and 200 not in left


def test_a_sheet_holds_the_pictures_that_were_made_up_ten_in_a_row() -> None:
    answers = [answer(0.5, grey) for grey in range(100, 112)]
    (name, sheet), *others = ANSWER.sheets([PICTURE] * 12, answers, {}).items()
    pixels = np.asarray(sheet)
    assert (name, others) == ("samples", [])
    assert set(range(100, 112)) <= set(np.unique(pixels)) and 40 not in pixels
    rows = [int((pixels == grey).any((1, 2)).argmax()) for grey in (100, 109, 110)]
    assert rows[0] == rows[1] < rows[2]
