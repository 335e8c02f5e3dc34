"""A word on the terminal while libraries load, which takes seconds, and gone again before anything else is said."""

from __future__ import annotations

import os
import sys

_CLEAR_LINE = "\r\x1b[2K"
_shown = False


def loading() -> None:
    """Say that libraries are being loaded; nothing where nobody looks, or in a process that another one started."""
    global _shown
    if sys.stderr.isatty() and "LOCAL_RANK" not in os.environ and os.environ.get("TERM") != "dumb":
        sys.stderr.write("loading PyTorch …")
        sys.stderr.flush()
        _shown = True


def loaded() -> None:
    """Take it back; before a command's own first word."""
    global _shown
    if _shown:
        sys.stderr.write(_CLEAR_LINE)
        sys.stderr.flush()
        _shown = False
