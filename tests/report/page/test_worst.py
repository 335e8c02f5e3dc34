"""The worst pictures of files of predictions as they may be: long, without names, with cells that hold no number."""

from __future__ import annotations

from cnnexp.report.page.worst import MOST, MOST_DRAWN, worst_mistakes


def answer(index: object, probability: str, target: str = "cat", prediction: str = "dog") -> dict[str, str]:
    return {"index": str(index), "target": target, "prediction": prediction, "probability": probability}


def test_no_more_are_named_than_fit_and_all_are_counted() -> None:
    found = worst_mistakes([answer(place, f"{place / 2000:.4f}") for place in range(1200)])
    assert [one.index for one in found.mistakes] == list(range(1199, 1199 - MOST, -1))
    assert found.note == "1,200 of 1,200 test pictures are wrong; first those of which the net was surest"
    assert not found.drawn
    assert "of 1 test texts" in worst_mistakes([answer(0, "0.9")], "text").note
    drawn = worst_mistakes([{"index": str(place), "mse": "0.5"} for place in range(50)])
    assert len(drawn.mistakes) == MOST_DRAWN


def test_a_net_without_mistakes_has_none() -> None:
    found = worst_mistakes([answer(0, "0.9", prediction="cat")])
    assert found.mistakes == () and found.note.startswith("0 of 1 test pictures are wrong")


def test_without_predictions_there_is_a_note() -> None:
    assert worst_mistakes([]).mistakes == () and worst_mistakes([]).note


def test_a_place_that_is_none_leads_to_no_picture() -> None:
    for text in ("", "-3", "1e3", "٣", "9" * 12, "1.0"):
        assert worst_mistakes([answer(text, "0.5")]).mistakes[0].index == -1
    (row,) = worst_mistakes([{"target": "a", "prediction": "b", "probability": "1"}]).mistakes
    assert (row.index, row.name) == (-1, "")


def test_a_cell_without_a_number_is_not_taken_for_certainty() -> None:
    for text in ("", "high", "nan", "-nan"):
        rows = [answer(0, "0.2"), answer(1, text), answer(2, "0.9"), answer(3, text), answer(4, "0.6")]
        assert [one.index for one in worst_mistakes(rows).mistakes][:3] == [2, 4, 0], text


def test_pictures_without_a_score_do_not_shuffle_the_others() -> None:
    for text in ("", "nan"):
        rows = [{"index": str(place), "mse": value} for place, value in enumerate(["0.1", text, "0.9", text, "0.5"])]
        assert [one.index for one in worst_mistakes(rows).mistakes][:3] == [2, 4, 0], text
