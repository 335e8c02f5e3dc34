"""Numbers that make no net: refused by name, before a layer fails on them."""

from __future__ import annotations

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
