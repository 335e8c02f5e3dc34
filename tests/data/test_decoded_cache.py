"""Decoded pictures in the cache: found again by what they were made of, and never in the way of a run."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnexp.data import decoded_cache
from cnnexp.data.decoded_cache import key_of, load, save

ARRAYS = {"image": np.arange(12, dtype=np.uint8).reshape(1, 3, 2, 2), "boxes": np.array([[0.5, 1.5]], np.float32)}


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "decoded").iterdir())


def test_what_was_saved_is_loaded_with_its_types(cache: Path) -> None:
    assert load("a") is None
    save("a", ARRAYS)
    found = load("a")
    assert found is not None and list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
    assert load("b") is None and files(cache) == ["a.npz"], "no half file is left"


def test_a_second_save_takes_the_place_of_the_first(cache: Path) -> None:
    save("a", ARRAYS)
    save("a", {"image": np.zeros(3)})
    found = load("a")
    assert found is not None and list(found) == ["image"]


def test_a_key_is_of_path_size_time_and_way(tmp_path: Path) -> None:
    one, other = tmp_path / "one.png", tmp_path / "other.png"
    one.write_bytes(b"12")
    other.write_bytes(b"34")
    os.utime(one, ns=(10**18, 10**18))
    os.utime(other, ns=(10**18, 10**18))
    first = key_of([one, other], "how")
    others = [key_of([other, one], "how"), key_of([one], "how"), key_of([one, other], ["how"])]
    os.utime(one, ns=(10**18, 10**18 + 1))
    others.append(key_of([one, other], "how"))
    os.utime(one, ns=(10**18, 10**18))
    assert key_of([one, other], "how") == first
    one.write_bytes(b"123")
    os.utime(one, ns=(10**18, 10**18))
    others.append(key_of([one, other], "how"))
    one.unlink()
    others.append(key_of([one, other], "how"))
    assert len({first, *others}) == 7
    assert len(first) == 32 and first.isalnum()


def test_another_way_of_decoding_leaves_the_old_files_unused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of([tmp_path], "how")
    monkeypatch.setattr(decoded_cache, "_FORMAT", decoded_cache._FORMAT + 1)
    assert key_of([tmp_path], "how") != before


def whole(cache: Path) -> bytes:
    save("a", ARRAYS)
    return (cache / "decoded" / "a.npz").read_bytes()


@pytest.mark.parametrize("kept", [0, 4, 100, -30])
def test_a_file_that_was_cut_is_not_there(kept: int, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = whole(cache)
    (cache / "decoded" / "a.npz").write_bytes(content[:kept])
    assert load("a") is None
    assert "a.npz: damaged" in caplog.text and "decoding the pictures again" in caplog.text


def test_a_changed_byte_is_found(cache: Path) -> None:
    content = bytearray(whole(cache))
    content[content.index(ARRAYS["image"].tobytes())] ^= 1
    (cache / "decoded" / "a.npz").write_bytes(content)
    assert load("a") is None


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("a pickle was opened",))


def test_a_pickle_is_not_opened(cache: Path) -> None:
    (cache / "decoded").mkdir(parents=True)
    np.savez(cache / "decoded" / "a.npz", image=np.array([Bomb()], dtype=object))
    assert load("a") is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_costs_only_the_time(
    number: int, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(out: Any, **arrays: Any) -> None:
        out.write(b"half")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(np, "savez", refuse)
    save("a", ARRAYS)
    assert "not kept" in caplog.text and files(cache) == []
    assert load("a") is None


def test_a_fault_of_our_own_is_no_full_disk(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(out: Any, **arrays: Any) -> None:
        raise TypeError("no array")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(TypeError):
        save("a", ARRAYS)
    assert files(cache) == [], "no half file is left"
