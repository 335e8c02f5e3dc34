"""A real browser without a window, led through the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_S = 60.0


def find_program() -> str:
    """Chromium's path; without one the test is skipped."""
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    pytest.skip("needs Chromium to look at the page: install one (Debian, Ubuntu: apt install chromium)")


class Page:
    """One page in the browser. Mistakes of its script, refusals of its policy and requests are written down."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._loop, self._socket, self._number = loop, socket, 0
        self._loaded = 0
        self.complaints: list[str] = []
        self.stopped: list[str] = []
        self._asked: dict[str, str] = {}

    @property
    def requests(self) -> list[str]:
        """What was asked for since the last ``open``, but what the page's policy stopped."""
        return list(self._asked.values())

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, parameters), WAIT_S))

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        own = self._number
        await self._socket.send_json({"id": own, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == own:
                assert "error" not in message, message
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif message.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif message.get("method") == "Page.loadEventFired":
            self._loaded += 1
        elif message.get("method") == "Network.requestWillBeSent":
            self._asked[parameters["requestId"]] = parameters["request"]["url"]
        elif message.get("method") == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            self.stopped.append(self._asked.pop(parameters["requestId"], ""))

    def open(self, path: Path) -> None:
        """Load a file and wait until its script has drawn it."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        self._asked.clear()
        self.stopped.clear()
        before = self._loaded
        self.call("Page.navigate", url=path.as_uri())
        self._loop.run_until_complete(asyncio.wait_for(self._load(before), WAIT_S))
        self.until("document.documentElement.dataset.drawn === 'yes'")

    async def _load(self, before: int) -> None:
        while self._loaded == before:
            self._note(json.loads((await self._socket.receive()).data))

    def until(self, condition: str) -> None:
        """Wait for a condition of the page."""
        self.evaluate(
            f"new Promise((done, fail) => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 20); "
            f"setTimeout(() => fail(new Error('waited in vain')), {int(WAIT_S * 500)}); look(); }})"
        )

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """What a person reads in the elements."""
        return list(self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"))

    def click(self, selector: str, place: int = 0) -> None:
        """Press the mouse on the middle of an element."""
        middle = self.evaluate(
            f"(() => {{ const e = document.querySelectorAll({json.dumps(selector)})[{place}]; "
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.move(*middle)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=middle[0], y=middle[1], button="left", clickCount=1)

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def screenshot(self, path: Path, whole: bool = True) -> Path:
        """What it looks like, as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))
        return path


@contextmanager
def browser(folder: Path, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """An empty page in a browser that ends with the block.

    Args:
        folder: empty, for the browser's own files.
    """
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    words += [f"--user-data-dir={folder}", f"--window-size={width},{height}", "--no-first-run", "--disable-extensions"]
    words += ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"]
    environment = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(
        [find_program(), *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        port = next((line for line in process.stderr if "DevTools listening on" in line), "")
        assert port, "the browser did not start"
        loop = asyncio.new_event_loop()
        session = loop.run_until_complete(_session())
        try:
            address = port.split("ws://")[1].split("/")[0]
            yield Page(loop, loop.run_until_complete(_connect(session, address)))
        finally:
            loop.run_until_complete(session.close())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            process.terminate()
            process.stderr.read()
            process.wait(timeout=30)


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def _connect(session: aiohttp.ClientSession, address: str) -> aiohttp.ClientWebSocketResponse:
    async with session.get(f"http://{address}/json/list") as answer:
        pages = [one for one in await answer.json() if one["type"] == "page"]
    return await session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
