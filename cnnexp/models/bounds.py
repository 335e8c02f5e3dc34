"""Numbers that make no net: refused by name, before a layer fails on them."""

from __future__ import annotations

from collections.abc import Sequence

from cnnexp.errors import InputError


def at_least_one(**values: int) -> None:
    """Check arguments by their names in the configuration.

    Raises:
        InputError: a line for each that is below 1.
    """
    wrong = [
        f"model.{name}={value}: expected a whole number of at least 1" for name, value in values.items() if value < 1
    ]
    if wrong:
        raise InputError(*wrong)


def not_negative(**values: float) -> None:
    """The same for numbers that may be 0.

    Raises:
        InputError: a line for each that is below 0, or no number.
    """
    wrong = [
        f"model.{name}={value:g}: expected a number of at least 0" for name, value in values.items() if not value >= 0
    ]
    if wrong:
        raise InputError(*wrong)


def all_at_least_one(**lists: Sequence[int]) -> None:
    """The same for lists.

    Raises:
        InputError: a line for each that holds a number below 1.
    """
    wrong = [
        f"model.{name}=[{','.join(map(str, values))}]: expected whole numbers of at least 1"
        for name, values in lists.items()
        if any(value < 1 for value in values)
    ]
    if wrong:
        raise InputError(*wrong)
