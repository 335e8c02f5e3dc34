"""Asking a run to stop: Ctrl-C, a signal from a scheduler, or a number of steps that was wanted for trying."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

from cnnexp.errors import Interrupted


class StopRequested(Exception):
    """The fit ended before its last epoch, with everything saved. ``status`` is stopped or interrupted."""

    def __init__(self, status: str, step: int) -> None:
        super().__init__(f"{status} after step {step}")
        self.status = status
        self.step = step


class StopSignal:
    """Turns the first SIGINT or SIGTERM into a wish that the run sees after its batch, and the second into an end."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.wished = False
        self._old: dict[int, Any] = {}

    def install(self) -> None:
        """Begin to listen; may be called again after something else has taken the signals."""
        for number in self.SIGNALS:
            current = signal.getsignal(number)
            if current != self._received:
                self._old.setdefault(number, current)
                signal.signal(number, self._received)

    def remove(self) -> None:
        """Give the signals back to whoever had them."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old = {}

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.wished:
            raise Interrupted("stopped at once; the last checkpoint is what is left")
        self.wished = True
        if sys.stderr.isatty():
            print("\nstopping and saving; Ctrl-C again to stop at once", file=sys.stderr)
