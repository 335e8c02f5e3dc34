"""The errors that a person can mend, and the exit statuses they end in."""

from __future__ import annotations

from typing import Any


class InputError(Exception):
    """Bad input: one or more lines, each naming what was given, what is allowed and what to do.

    The command line prints the lines on stderr, without a traceback, and exits with status 2.
    """

    exit_status = 2

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines

    def __reduce__(self) -> tuple[type[InputError], tuple[str, ...], dict[str, Any]]:
        """Copied to another process, it has the same lines."""
        return type(self), self.lines, self.__dict__


class DiskFull(InputError):
    """There is no room for what has to be written; a run goes on when there is."""


class RunFailed(Exception):
    """A run that began and could not go on (a loss that is not finite, a rank that died). Exit status 1."""

    exit_status = 1


class Interrupted(Exception):
    """The person asked the run to stop. Exit status 130."""

    exit_status = 130
