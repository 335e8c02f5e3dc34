"""How figures are written in tables: scores, durations, counts, settings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
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


def sample_noun(summary: Mapping[str, Any]) -> str:
    """What a sample of the run's data is called: ``picture``, ``sound``, …; pictures where the record does not say."""
    noun = summary.get("samples_are")
    return printable(noun) if isinstance(noun, str) else "picture"


def counts_in_words(summary: Mapping[str, Any]) -> dict[str, str]:
    """What was counted in a run's test, by title: ``right 508, wrong class 3, missed 20``."""
    titles = summary.get("counts")
    return {
        str(title): ", ".join(f"{str(word).replace('_', ' ')} {count_figure(count)}" for word, count in words.items())
        for title, words in (titles.items() if isinstance(titles, Mapping) else ())
        if isinstance(words, Mapping) and words
    }


def scaled_figure(count: Any) -> str:
    """A count in three or four digits: ``416,520``, ``1.81 M``, ``105.4 M``, ``11.51 G``."""
    if not is_number(count) or not math.isfinite(count):
        return MISSING
    return count_figure(count) if abs(count) < 1e6 else _scaled(count / 1e6, ("M", "G", "T", "P"), significant=4)


def bytes_figure(count: Any) -> str:
    """An amount of memory: ``960 B``, ``18.8 kB``, ``3.21 MB``, ``11.9 GB``."""
    if not is_number(count) or not math.isfinite(count):
        return MISSING
    if abs(count) < 1e3:
        return f"{round(count)} B"
    return _scaled(count / 1e3, ("kB", "MB", "GB", "TB"), significant=3)


def _scaled(value: float, units: Sequence[str], significant: int) -> str:
    """The value in the largest unit that leaves at least 1 of it."""
    unit, *larger = units
    while abs(value) >= 999.95 and larger:
        value, unit = value / 1000, larger.pop(0)
    digits = max(0, min(2, significant - len(str(int(abs(value))))))
    return f"{value:,.{digits}f} {unit}"


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
