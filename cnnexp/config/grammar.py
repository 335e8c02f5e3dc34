"""Hydra's grammar of ``key=value`` words, widened: names in any script, and quoted keys of mappings."""

from __future__ import annotations

import re
import shlex
import string
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_KNOWN = frozenset(string.ascii_letters + string.digits + "_-/\\+.$%*@?|:=,()[]{} \t\"'")
"""The characters that Hydra's lexer takes outside quotes; the others get a stand-in while it reads."""
_OPENING, _CLOSING = "([{", ")]}"


def parse(text: str) -> Override:
    """A word as Hydra reads it, where letters outside ASCII, ``~``, ``#``, ``!`` and the like are letters as any other,
    and a key in a mapping may stand in quotes: ``{"255,0,0": car}``.

    Raises:
        HydraException: the word is not in the grammar.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    stand_ins = _StandIns(text)
    override = OverridesParser.create().parse_override(stand_ins.text)
    return replace(
        override,
        key_or_group=stand_ins.restored(override.key_or_group),
        _value=stand_ins.restored(override._value),
        input_line=text,
    )


def as_plain_text(key: str, value: str) -> str:
    """The word that sets a key to a text just as it stands, as it is typed in a shell."""
    return shlex.quote(f"{key}={quoted(value)}")


def quoted(value: str) -> str:
    """A text in the quotes of Hydra's grammar, so that it is read back as it stands."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return str(QuotedString(text=value.replace("${", "\\${"), quote=Quote.double).with_quotes())


class _StandIns:
    """A word in which whatever Hydra's lexer does not know is replaced by ASCII letters, and the way back."""

    def __init__(self, text: str) -> None:
        self._mark = "Zq"
        while self._mark in text:
            self._mark += "q"
        self._originals: list[str] = []
        self._back = re.compile(f"{self._mark}([0-9]+)Z")
        self.text = self._replaced(text)

    def restored(self, node: Any) -> Any:
        """What Hydra understood, with the originals in it, at every depth."""
        from hydra.core.override_parser.types import ChoiceSweep, Glob, QuotedString

        if isinstance(node, str):
            return self._back.sub(lambda found: self._originals[int(found[1])], node)
        if isinstance(node, QuotedString):
            return replace(node, text=self.restored(node.text))
        if isinstance(node, list):
            return [self.restored(item) for item in node]
        if isinstance(node, dict):
            return {self.restored(key): self.restored(item) for key, item in node.items()}
        if isinstance(node, ChoiceSweep):
            return replace(node, list=self.restored(node.list))
        if isinstance(node, Glob):
            return replace(node, include=self.restored(node.include), exclude=self.restored(node.exclude))
        return node

    def _replaced(self, text: str) -> str:
        parts: list[str] = []
        brackets: list[str] = []
        place = 0
        while place < len(text):
            letter = text[place]
            if letter in "\"'" and (end := _end_of_quotes(text, place)) is not None:
                inside = text[place : end + 1]
                is_key = brackets[-1:] == ["{"] and text[end + 1 :].lstrip().startswith(":")
                parts.append(self._stand_in(_unquoted(inside)) if is_key else inside)
                place = end + 1
                continue
            if letter in _OPENING:
                brackets.append(letter)
            elif letter in _CLOSING and brackets:
                brackets.pop()
            parts.append(letter if letter in _KNOWN else self._stand_in(letter))
            place += 1
        return "".join(parts)

    def _stand_in(self, original: str) -> str:
        self._originals.append(original)
        return f"{self._mark}{len(self._originals) - 1}Z"


def _end_of_quotes(text: str, start: int) -> int | None:
    """Where the quotes that open at ``start`` close: at the next such quote that no backslash escapes."""
    place = start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == text[start]:
            return place
        place += 1
    return None


def _unquoted(text: str) -> str:
    return re.sub(r"\\([\\\"'])", r"\1", text[1:-1])
