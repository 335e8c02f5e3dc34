"""Fixtures for the tests of cnnexp.data: caches of their own, and a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cnnexp.data import download


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and no mirror."""
    folder = tmp_path_factory.mktemp("own") / "cache"  # not in tmp_path, which may be a data set's folder
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(folder))
    monkeypatch.delenv("CNNEXP_DATA_MIRROR", raising=False)
    return folder


@pytest.fixture(scope="session")
def mirrored(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that all tests of downloaded data share, filled from the mirror alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNEXP_DATA_DIR", str(folder))
        patch.setenv("CNNEXP_DATA_MIRROR", str(mirror))
        yield folder


class Server:
    """Serves ``files`` by path. ``first`` holds, by path, statuses to answer first; 0 cuts the answer short."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.first: dict[str, list[int]] = {}
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSES_S", (0.0, 0.0))
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            content = state.files.get(self.path)
            statuses = state.first.get(self.path, [])
            status = statuses.pop(0) if statuses else 200 if content is not None else 404
            body = content or b""
            self.send_response(status or 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status in (0, 200):
                self.wfile.write(body if status else body[: len(body) // 2])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
