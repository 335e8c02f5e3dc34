"""Configurations of many runs, which have most of their text in common: each part of the text is parsed once.

YAML is slow to read (some 10 ms for a run's configuration), and ten thousand runs differ in a few lines.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_NEXT_KEY = re.compile(r"\n(?=[A-Za-z_])")
_ONE_NUMBER = re.compile(r"([A-Za-z_]\w*): (-?(?:0|[1-9]\d*))(\.\d+(?:e[-+]\d+)?)?")
_INDENT = "\n  "
# What ties parts of a text to each other: anchors, aliases, text in blocks, directives, further documents.
_TIES = ("&", "*", "|", ">", "%", "\n---", "\n...", "\r", "\t")
# libyaml's, where PyYAML was built with it: the same values, ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_SHARED = 100_000
"""Parts that are kept; a folder of strangers' runs that have nothing in common shall not fill the memory."""


class Sections:
    """Reads mappings in YAML's block style, a part for each key at the left margin.

    Equal parts become one object, shared by all configurations that hold it: they are to be read, never changed.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Any]] = {}

    def read(self, text: str) -> dict[str, Any] | None:
        """The mapping; None where the text is not made of parts that mean the same alone as together."""
        if any(tie in text for tie in _TIES) or text.startswith(("-", ".")):
            return None
        return self._mapping(text.removesuffix("\n"))

    def _mapping(self, text: str) -> dict[str, Any] | None:
        content: dict[str, Any] = {}
        for part in _NEXT_KEY.split(text):
            found = self._known.get(part) or self._parsed(part)
            if found is None:
                return None
            content[found[0]] = found[1]
        return content

    def _parsed(self, part: str) -> tuple[str, Any] | None:
        found = _number(part) or self._group(part) or _by_yaml(part)
        if found is not None and len(self._known) < MOST_SHARED:
            self._known[part] = found
        return found

    def _group(self, part: str) -> tuple[str, Any] | None:
        """A key with a mapping below it, which is read part by part again."""
        key, _, body = part.partition(":\n")
        if not key.isidentifier() or not body.startswith("  ") or f"\n{body}".count("\n") != part.count(_INDENT):
            return None
        content = self._mapping(body[2:].replace(_INDENT, "\n"))
        return None if content is None else (key, content)


def _number(part: str) -> tuple[str, Any] | None:
    """``lr: 0.01``, which differs in every run of a search."""
    found = _ONE_NUMBER.fullmatch(part)
    if found is None:
        return None
    key, whole, rest = found.groups()
    return key, int(whole) if rest is None else float(whole + rest)


def _by_yaml(part: str) -> tuple[str, Any] | None:
    try:
        content = yaml.load(part, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or len(content) != 1:
        return None
    ((key, value),) = content.items()
    return (key, value) if isinstance(key, str) else None
