"""How figures are written in tables: scores, durations, counts, settings."""

from __future__ import annotations

import json
import math
from typing import Any

from cnnexp.report.plain_text import printable
from cnnexp.report.scores import higher_is_better

MISSING = "-"


def metric_figure(name: str, value: Any) -> str:
    """A metric's value with the digits that mean something: four for a score, two for decibels."""
    if not is_number(value):
        return MISSING
    if not math.isfinite(value):
        return str(float(value))
    if name.rsplit("/", 1)[-1] == "psnr":
        return f"{value:.2f}"
    if higher_is_better(name) and abs(value) <= 1:
        return f"{value:.4f}"
    return f"{value:.4g}"


def duration_figure(seconds: Any) -> str:
    """``0.8 s``, ``48 s``, ``12 min 31 s``, ``2 h 05 min``, ``3 d 04 h``."""
    if not is_number(seconds) or not math.isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = whole // 60
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02} h"


def count_figure(count: Any) -> str:
    """A whole number with its thousands apart."""
    return f"{round(count):,}" if is_number(count) and math.isfinite(count) else MISSING


def setting_figure(value: Any) -> str:
    """A configuration value as it would be written on the command line."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(setting_figure(item) for item in value) + "]"
    return printable(value)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
