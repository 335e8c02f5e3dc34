"""What is used and what is left out, counted and told."""

from __future__ import annotations

import json

from cnnexp.data.census import MOST_NAMES, Census, printable


def counted() -> Census:
    census = Census()
    census.use("pictures", 1180)
    for number in range(60):
        census.leave_out("pictures", "HEIC", f"cat/{number}.heic", help="pip install 'cnnexp[heif]'")
    return census


def test_one_line_tells_all() -> None:
    assert counted().line() == ("1,240 pictures: 1,180 used, 60 left out (60 HEIC: pip install 'cnnexp[heif]')")
    census = counted()
    census.leave_out("label files", "that match no picture", "a.jpg.txt")
    assert census.line().endswith("; 1 label file: 1 left out (1 that match no picture)")


def test_where_all_is_used_there_is_nothing_to_say() -> None:
    census = Census()
    census.use("pictures", 7)
    assert census.line() == "" and census.warnings() == []
    assert census.as_record()["counts"] == {"pictures": {"found": 7, "used": 7, "left_out": [], "noted": []}}


def test_more_than_a_twentieth_is_a_warning() -> None:
    census = counted()  # 60 of 1,240 is 4.8 %
    assert census.warnings() == []
    census.leave_out("pictures", "BMP", "odd.bmp", count=3)  # 63 of 1,243 is 5.1 %
    assert census.warnings() == [
        "63 of 1,243 pictures are left out (60 HEIC: pip install 'cnnexp[heif]', 3 BMP), such as "
        "cat/0.heic, cat/1.heic, cat/2.heic"
    ]


def test_what_is_harmless_is_counted_and_no_warning() -> None:
    census = Census()
    census.use("pictures", 2)
    census.leave_out("pictures", "hidden", "._a.jpg", harmless=True)
    assert census.line() == "3 pictures: 2 used, 1 left out (1 hidden)"
    assert census.warnings() == []


def test_the_record_has_names_up_to_a_number_and_the_whole_count() -> None:
    census = Census()
    for number in range(MOST_NAMES + 5):
        census.leave_out("pictures", "hidden", f"{number}")
    census.remark("train/ is read as a class")
    census.remark("train/ is read as a class")
    record = json.loads(json.dumps(census.as_record()))
    (reason,) = record["counts"]["pictures"]["left_out"]
    assert reason["count"] == MOST_NAMES + 5 and len(reason["names"]) == MOST_NAMES
    assert record["remarks"] == ["train/ is read as a class"]


def test_names_that_are_no_text_can_be_written() -> None:
    assert printable("jörg/\udcff.png") == "jörg/\\xff.png"


def test_what_is_used_and_odd_is_noted_and_a_warning_where_it_is_most() -> None:
    census = Census()
    census.use("pictures", 4)
    census.note("pictures", "without a label file", "a.jpg", count=2)
    assert census.line() == "2 pictures without a label file" and census.warnings() == []
    census.note("pictures", "without a label file", "b.jpg")
    assert census.warnings() == ["3 of 4 pictures are without a label file, such as a.jpg, b.jpg"]
    assert census.as_record()["counts"]["pictures"]["noted"][0]["names"] == ["a.jpg", "b.jpg"]
