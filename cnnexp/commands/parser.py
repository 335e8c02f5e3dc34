"""Reading the words after a command: options and ``key=value`` words in any order, mistakes in one line each."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn

from cnnexp.errors import InputError

PLAIN_WORDS = {
    "the following arguments are required:": "missing:",
    "expected one argument": "expected a value after it",
    "invalid int value:": "expected a whole number, not",
    "invalid choice:": "no such choice:",
}
"""What argparse says, and what is said here."""


class CommandParser(argparse.ArgumentParser):
    """argparse, whose errors are lines like any other bad input, without the usage around them."""

    def __init__(self, name: str, purpose: str, example: str) -> None:
        super().__init__(
            prog=f"cnnexp {name}",
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words, with options before, between or after the others.

        Raises:
            InputError: a line for each option that there is not; or the line for what is missing or of another type.
        """
        arguments, unknown = self.parse_known_intermixed_args(list(words))
        if unknown:
            options = [word for word in unknown if word.startswith("-")]
            raise InputError(*(self._unknown(word, words) for word in options or unknown))
        return arguments

    def error(self, message: str) -> NoReturn:
        """One line, with the way to the help.

        Raises:
            InputError: always.
        """
        text = message.removeprefix("argument ")
        for of_argparse, ours in PLAIN_WORDS.items():
            text = text.replace(of_argparse, ours)
        raise InputError(f"{text} ({self.prog} --help shows an example)")

    def _unknown(self, word: str, words: Sequence[str]) -> str:
        name, _, value = word.partition("=")
        key = name.lstrip("-").replace("-", "_")
        options = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        close = difflib.get_close_matches(name, options, n=1, cutoff=0.8)
        if close:
            return f"{word}: there is no such option; did you mean {close[0]}?"
        if any(action.dest == "overrides" for action in self._actions):
            after = list(words)[list(words).index(word) + 1 :]
            value = value or (after[0] if after and "=" not in after[0] else "…")
            return f"{word}: there is no such option; settings are given without dashes, {key}={value}"
        return f"{word}: there is no such option; known are {', '.join(sorted(options))}"
