"""A gallery is written and read back; what is none, or holds nobody, is one line, and no pickle runs."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from cnnexp.errors import InputError
from cnnexp.runs.gallery import Gallery, read_gallery, write_gallery

ROWS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
HEADER = {"people": ["anna", "anna", "ben"], "pictures": ["anna/1", "anna/2", "ben/1"], "net": "abc", "run": "r1"}


def gallery() -> Gallery:
    return Gallery(ROWS, tuple(HEADER["people"]), tuple(HEADER["pictures"]), "abc", "r1")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_gallery(gallery(), tmp_path / "g.safetensors")
    found = read_gallery(tmp_path / "g.safetensors")
    np.testing.assert_array_equal(found.embedding, ROWS)
    assert (found.people, found.pictures, found.net, found.run) == (
        ("anna", "anna", "ben"), ("anna/1", "anna/2", "ben/1"), "abc", "r1",
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["g.safetensors"], "nothing is left beside it"


def test_the_nearest_is_the_best_picture_of_each_person() -> None:
    found = gallery().nearest(np.array([0.6, 0.8, 0.0]))
    assert [(name, picture) for name, _, picture in found] == [("anna", "anna/2"), ("ben", "ben/1")]
    assert [similar for _, similar, _ in found] == pytest.approx([0.96, 0.0])


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize(
    "content", [b"", b"no gallery", pickle.dumps(Evil()), b"\xff" * 100], ids=["empty", "text", "pickle", "noise"]
)
def test_another_file_is_refused_and_nothing_of_it_runs(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("g.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a gallery that can be read"):
        read_gallery(Path("g.safetensors"))
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        (ROWS, None),
        (ROWS, {**HEADER, "people": ["anna"]}),
        (ROWS, {**HEADER, "net": 3}),
        (ROWS, ["anna"]),
        (ROWS[:0], {**HEADER, "people": [], "pictures": []}),
        (2 * ROWS, HEADER),
        (ROWS * np.nan, HEADER),
        (ROWS.astype(np.float64), HEADER),
        (ROWS[0], HEADER),
    ],
)
def test_a_gallery_that_was_changed_is_refused(rows: Any, header: Any, tmp_path: Path) -> None:
    metadata = None if header is None else {"cnnexp_gallery": json.dumps(header)}
    save_file({"embedding": np.ascontiguousarray(rows)}, tmp_path / "g.safetensors", metadata)
    with pytest.raises(InputError, match="not a gallery that can be read"):
        read_gallery(tmp_path / "g.safetensors")


def test_a_missing_one_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such gallery; cnnexp enrol RUN FOLDER makes one"):
        read_gallery(tmp_path / "g.safetensors")
