"""The keys of an option as text for a terminal, and for the page of the zoo."""

from __future__ import annotations

import re
import textwrap

from cnnexp.config.keys import Key, OptionKeys, key_word

INDENT = 6


def as_text(option: OptionKeys, width: int) -> str:
    """Each key with its default, what it may be and what it is for, and an example line."""
    head = f"{option.group}={option.name}: "
    lines = [_wrapped(f"{head}{option.purpose}", width, 0, 2)]
    if option.brings:
        lines.append(_wrapped(f"brings {', '.join(option.brings)}", width, 2, 4))
    own, others = ([key for key in option.keys if key.own is wanted] for wanted in (True, False))
    lines += ["", *(_entry(key, width) for key in own)] if own else []
    if others:
        lines += ["", f"  keys of every {option.group}", *(_entry(key, width) for key in others)]
    if not option.keys:
        lines += ["", "  it has no keys"]
    return "\n".join([*lines, "", f"  for example: {option.example}"])


def _entry(key: Key, width: int) -> str:
    lines = [_wrapped(f"{key.name}={_cut(key.default)}", width, 2, INDENT)]
    if key.meaning:
        lines.append(_wrapped(plain(key.meaning), width, INDENT, INDENT))
    if key.allowed:
        lines.append(_wrapped(f"({key.allowed})", width, INDENT, INDENT))
    return "\n".join(lines)


def plain(text: str) -> str:
    """A text of a docstring or comment without marks of code, in the words of a command line."""
    return re.sub(r"\bNone\b", "null", re.sub(r"`+", "", text))


def _cut(value: str, most: int = 60) -> str:
    """A value such as a list of a hundred classes, cut."""
    return value if len(value) <= most else f"{value[:most].rpartition(',')[0]},…]"


def _wrapped(text: str, width: int, first: int, rest: int) -> str:
    return textwrap.fill(
        text, width, initial_indent=" " * first, subsequent_indent=" " * rest, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def as_row(option: OptionKeys) -> str:
    """A row of a table: the option, and its own keys with their defaults."""
    words = [key_word(key).strip("'").removeprefix(f"{option.group}.") for key in option.keys if key.own]
    return f"| `{option.name}` | {', '.join(f'`{word}`' for word in words)} |"
