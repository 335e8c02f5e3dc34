"""Files that a command is asked to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnexp.errors import InputError

_PAGE = ("page", "an HTML file", ".html")
_KINDS = {"plot": ("chart", "a PNG", ".png"), "html": _PAGE, "quiz": _PAGE}


def check_file(option: str, text: str | None) -> None:
    """A file to write has the ending of its kind, and a folder to be in; None is fine.

    Args:
        option: plot, html or quiz.

    Raises:
        InputError: it has not.
    """
    if text is None:
        return
    path, (name, kind, ending) = Path(text), _KINDS[option]
    if path.suffix.lower() != ending:
        raise InputError(f"--{option} {text}: the {name} is {kind}; name it so: {name}{ending}")
    if path.is_dir():
        raise InputError(f"--{option} {text}: this is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--{option} {text}: there is no folder {path.parent}; make it first")


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """What goes wrong while the file is written is said in one line.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        from cnnexp.runs.write import disk_error

        raise disk_error(error, path.absolute().parent, f"--{option} FILE") from error
