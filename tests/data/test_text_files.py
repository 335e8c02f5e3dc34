from __future__ import annotations

import codecs
import logging
from pathlib import Path

import pytest

from cnnexp.data.text_files import read_names, read_text, read_yaml_words
from cnnexp.errors import InputError


@pytest.mark.parametrize(
    "content",
    [
        "Käfer\nBär\n".encode(),
        codecs.BOM_UTF8 + "Käfer\r\nBär".encode(),
        "Käfer \t\r\n\r\n  Bär\r\n".encode("utf-16"),
    ],
)
def test_names_are_read_however_an_editor_saved_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(content)
    assert read_names(path) == ("Käfer", "Bär")


def test_western_letters_are_read_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes("Käfer\nBär\n".encode("latin-1"))
    with caplog.at_level(logging.WARNING):
        assert read_names(path) == ("Käfer", "Bär")
    assert "classes.txt: not UTF-8" in caplog.text
    with pytest.raises(InputError, match=r"classes\.txt: not a text file in UTF-8 \(byte 1\); save it as UTF-8"):
        read_text(path)


def test_yaml_keeps_the_words(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_bytes(codecs.BOM_UTF8 + b"names: [yes, no, on, 1e3, 007, 1.0, null]\r\nnc: 7\r\n")
    assert read_yaml_words(path) == {"names": ["yes", "no", "on", "1e3", "007", "1.0", "null"], "nc": "7"}
    path.write_text("names: [a\n")
    with pytest.raises(InputError, match=r"data\.yaml: not YAML"):
        read_yaml_words(path)
