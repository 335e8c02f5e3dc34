"""Reading the words after a command: options and ``key=value`` words in any order, mistakes in one line each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError


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
            raise InputError(*(self._unknown(word, words) for word in unknown if word.startswith("-")) or unknown)
        return arguments

    def error(self, message: str) -> NoReturn:
        """One line, with the way to the help.

        Raises:
            InputError: always.
        """
        text = message.removeprefix("argument ").replace("the following arguments are required:", "missing:")
        raise InputError(f"{text} ({self.prog} --help shows an example)")

    def _unknown(self, word: str, words: Sequence[str]) -> str:
        name, _, value = word.partition("=")
        key = name.lstrip("-").replace("-", "_")
        options = [option for action in self._actions for option in action.option_strings if option.startswith("--")]
        hint = did_you_mean(name, options)
        if hint.startswith("did"):
            return f"{word}: there is no such option; {hint}"
        if any(action.dest == "overrides" for action in self._actions):
            after = list(words)[list(words).index(word) + 1 :]
            value = value or (after[0] if after and "=" not in after[0] else "…")
            return f"{word}: there is no such option; settings are given without dashes, {key}={value}"
        return f"{word}: there is no such option; {hint or f'{self.prog} --help lists them'}"
