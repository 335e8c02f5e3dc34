from __future__ import annotations

import errno
import socket
import time
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from cnnexp.data.download import DownloadFailed, download_to
from cnnexp.errors import InputError
from tests.data.conftest import Server

CONTENT = bytes(range(256)) * 4000


def test_a_file_arrives_whole(server: Server, tmp_path: Path) -> None:
    server.files["/a.bin"] = CONTENT
    download_to(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert len(list(tmp_path.iterdir())) == 1


def test_a_local_file_arrives_too(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(CONTENT)
    download_to(str(tmp_path / "there"), tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == CONTENT


@pytest.mark.parametrize("first", [[500], [503, 502], [0], [0, 500]])
def test_what_may_pass_is_tried_again(server: Server, tmp_path: Path, first: list[int]) -> None:
    server.files["/a.bin"], server.first["/a.bin"] = CONTENT, list(first)
    download_to(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert len(server.asked) == len(first) + 1


@pytest.mark.parametrize(("first", "reason"), [([500] * 3, "answers 500"), ([0] * 3, "broke off")])
def test_after_three_times_nothing_is_left(server: Server, tmp_path: Path, first: list[int], reason: str) -> None:
    server.files["/a.bin"], server.first["/a.bin"] = CONTENT, [*first]
    with pytest.raises(DownloadFailed, match=reason):
        download_to(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert len(server.asked) == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("status", "reason"), [(404, "not there"), (403, "answers 403")])
def test_a_definite_no_is_not_asked_again(server: Server, tmp_path: Path, status: int, reason: str) -> None:
    server.files["/a.bin"], server.first["/a.bin"] = CONTENT, [status]
    with pytest.raises(DownloadFailed, match=reason):
        download_to(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert len(server.asked) == 1


def test_a_closed_port_fails_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        start = time.perf_counter()
        with pytest.raises(DownloadFailed, match="cannot connect"):
            download_to(f"http://127.0.0.1:{unused.getsockname()[1]}/a.bin", tmp_path / "a.bin")
        assert time.perf_counter() - start < 5


def test_a_missing_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="not there"):
        download_to(str(tmp_path / "missing"), tmp_path / "a.bin")


def test_an_unknown_protocol_says_so(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="not an address"):
        download_to("nonsense://a/b", tmp_path / "a.bin")


def test_a_full_disk_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "get_file", full)
    (tmp_path / "there").write_bytes(CONTENT)
    with pytest.raises(InputError, match="CNNEXP_DATA_DIR"):
        download_to(str(tmp_path / "there"), tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
