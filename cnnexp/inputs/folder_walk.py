"""The files below a folder, each once: hidden ones are told apart, links are followed and cycles of them end."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from cnnexp.errors import InputError

TWICE = "there twice by links"
BROKEN = "behind a broken link"
NO_FILE = "no file"
_NUMBERED = re.compile(r"(\D*)([0-9]*)", re.ASCII)

# What systems and archivers leave behind, beside names that begin with a dot.
_LEFTOVERS = frozenset(
    {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "thumbs.db",
     "ehthumbs.db", "desktop.ini"}
)  # fmt: skip


@dataclass
class Walk:
    """What lies in a folder: files in the order of their paths, hidden ones, and what is no file to be read."""

    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    odd: list[tuple[Path, str]] = field(default_factory=list)
    """Path, and why: there twice by links, a broken link, a pipe."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's data."""
    return name.startswith(".") or name.lower() in _LEFTOVERS


def by_number(path: Path) -> list[tuple[str, int]]:
    """Sorts files with numbers in their names as they are counted and not as they are spelt: frame2 before frame10."""
    return [(text, int(number or 0)) for text, number in _NUMBERED.findall(path.name)]


def walk(folder: Path, *, deep: bool = True) -> Walk:
    """The files in a folder (``deep``: and below it).

    A folder that is reached again through a link, and a file that two links lead to, count once; the way without a
    link goes first. Links to folders above are not followed.

    Raises:
        InputError: a folder may not be read.
    """
    found = Walk()
    seen = {_identity(above) for above in folder.resolve().parents}
    pending = deque([(folder, False)])
    linked = False
    while pending:
        place, through_link = pending.popleft()
        if (identity := _identity(place)) in seen:
            found.odd.append((place, TWICE))
            continue
        seen.add(identity)
        linked = linked or through_link
        for entry in _entries(place):
            path, link = Path(entry.path), entry.is_symlink()
            if is_hidden(entry.name):
                found.hidden += _below(path) if entry.is_dir(follow_symlinks=False) else [path]
            elif entry.is_dir():
                if deep and link:
                    pending.append((path, True))
                elif deep:
                    pending.appendleft((path, False))
            elif entry.is_file():
                found.files.append(path)
                linked = linked or link
            else:
                found.odd.append((path, BROKEN if link else NO_FILE))
    found.files.sort()
    return _each_once(found) if linked else found


def holds(folder: Path, suffixes: frozenset[str]) -> bool:
    """Whether a file with one of the suffixes lies in a folder or below it."""
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not is_hidden(name)]
        if any(Path(place, name).suffix.lower() in suffixes for name in files if not is_hidden(name)):
            return True
    return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read ({error.strerror}); mend its permissions or move it away"
        ) from error


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _below(folder: Path) -> list[Path]:
    return sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names)


def _each_once(found: Walk) -> Walk:
    """Without the files that were found before under another name; those that are no links go first."""
    seen: set[tuple[int, int]] = set()
    kept = []
    for path in sorted(found.files, key=lambda path: (path.resolve() != path.absolute(), path)):
        identity = _identity(path)
        if identity in seen:
            found.odd.append((path, TWICE))
        else:
            seen.add(identity)
            kept.append(path)
    return Walk(sorted(kept), found.hidden, found.odd)
