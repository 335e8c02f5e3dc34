from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.table import Table, read_table
from cnnexp.errors import InputError


def table(folder: Path, content: str | bytes, name: str = "t.csv") -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_that_of_the_header(separator: str, tmp_path: Path) -> None:
    found = table(tmp_path, f"file{separator}label\na.png{separator}cat\n")
    assert found.header == ("file", "label")
    assert [row.cells for row in found.rows] == [{"file": "a.png", "label": "cat"}]


def test_as_spreadsheets_save_it(tmp_path: Path) -> None:
    """A byte-order mark, Windows ends, blank rows, blanks at the ends; quotes, line breaks and separators in a cell."""
    text = '\ufefffile;label ;note\r\n\r\n"a;1.png"; cat ;"two\r\nlines"\r\n;;\r\nb.png;dog;say ""\r\n'
    found = table(tmp_path, text)
    assert found.header == ("file", "label", "note")
    assert [row.line for row in found.rows] == [3, 6]
    assert found.rows[0].cells == {"file": "a;1.png", "label": "cat", "note": "two\r\nlines"}


def test_encodings_and_the_line_of_excel(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert table(tmp_path, "file,label\na.png,Käfer\n".encode("cp1252")).rows[0].cells["label"] == "Käfer"
    assert "not UTF-8" in caplog.text
    assert table(tmp_path, "file,label\na.png,Käfer\n".encode("utf-16")).rows[0].cells["label"] == "Käfer"
    found = table(tmp_path, "sep=;\nfile;label\na,b.png;cat\n")
    assert (found.rows[0].cells["file"], found.rows[0].line) == ("a,b.png", 3)


def test_an_index_without_a_name_and_empty_cells_at_the_end(tmp_path: Path) -> None:
    found = table(tmp_path, ",file,label,,\n0,a.png,cat,,\n1,b.png,dog\n")
    assert found.header == ("file", "label")
    assert [row.cells["label"] for row in found.rows] == ["cat", "dog"]


def test_numbers_with_a_decimal_comma_only_where_no_comma_separates(tmp_path: Path) -> None:
    semicolons = table(tmp_path, "file;n\na.png;1,5\n")
    assert [semicolons.number(text) for text in ("1,5", "-2", "1e3", "1.234,5", "inf", "1_0", "x")] == [
        1.5, -2, 1000, None, None, None, None,
    ]  # fmt: skip
    assert table(tmp_path, "file,n\na.png,1\n").number("1,5") is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", r"t\.csv: is empty"),
        ("file,label\n", "has a header and no rows"),
        ("a.png,cat\nb.png,dog\n", "begins with a row and no header"),
        ("file,label,label\na.png,cat,dog\n", "two columns are called label"),
        ("file,label\na.png,cat\nb.png,dog,tame\n", r"t\.csv:3: 3 cells, and the header has 2; .* in quotes"),
        ("file,label\nb.png\n", r"t\.csv:2: 1 cells"),
        ('file,label\na.png,"cat\nb.png,dog\n', r"t\.csv:2: .*is a quote missing"),
        ("sep=#\nfile#label\na#b\n", "separator '#'"),
    ],
)
def test_what_is_no_table_is_refused(content: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected):
        table(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(InputError, match=rf"{name}: (no such file|reading Parquet takes)"):
            read_table(tmp_path / name)


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"file": ["a.png", "b.png"], "age": [3.5, None], "tags": [["x", "y"], []], "grade": [1, 2]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert [row.cells for row in found.rows] == [
        {"file": "a.png", "age": "3.5", "tags": "x;y", "grade": "1"},
        {"file": "b.png", "age": "", "tags": "", "grade": "2"},
    ]
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(InputError, match=r"bad\.parquet: not a Parquet file"):
        read_table(tmp_path / "bad.parquet")
