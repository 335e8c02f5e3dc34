"""Pictures and what belongs to them (a label file, a mask, an annotation), which share a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cnnexp.data.census import PICTURES, Census
from cnnexp.data.picture_folders import name_in
from cnnexp.errors import InputError
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

_MOST = 0.5
# What tools add to the name of a picture when they name a mask or an annotation after it.
_ADDED = re.compile(r"[-_. ](masks?|labels?|seg|segmentation|gt|annotations?|labelids|json)$")


def settle(
    census: Census,
    lost: Sequence[Path],
    matched: int,
    *,
    kind: str,
    reason: str,
    fix: str,
    root: Path,
) -> None:
    """Enter things without their counterparts as left out.

    Args:
        matched: how many of the kind have theirs. reason: what is the matter with those that do not. fix: of it.

    Raises:
        InputError: they are more than half, so that it is the naming which is at fault.
    """
    total = matched + len(lost)
    if len(lost) > _MOST * total:
        raise InputError(f"{lost[0]}: {reason}, and so {len(lost):,} of {total:,} {kind}; {fix}")
    for path in lost:
        census.leave_out(kind, reason, name_in(root, path), help=fix)


def settle_notes(
    census: Census, notes: Mapping[str, Path], pictures: Mapping[str, Path], *, kind: str, suffix: str, root: Path
) -> None:
    """Enter label files, masks, … that belong to no picture, with the name that they should have where one can tell.

    Args:
        notes, pictures: by their paths without suffix. suffix: of such a note, as it has to be written.

    Raises:
        InputError: as for ``settle``.
    """
    lost = [path for stem, path in notes.items() if stem not in pictures]
    if not lost:
        return
    fix = renaming(lost, pictures, suffix) or f"each is called like its picture: NAME{suffix} for NAME.jpg"
    settle(census, lost, len(notes) - len(lost), kind=kind, reason="without a picture of that name", fix=fix, root=root)


def renaming(lost: Iterable[Path], pictures: Mapping[str, Path], suffix: str) -> str | None:
    """How the first one should be called for which there is a picture of nearly the same name; None where none is."""
    near = {_plain(Path(stem).name): Path(stem).name for stem in pictures}
    for path in lost:
        right = near.get(_plain(path.name))
        if right is not None:
            return f"rename {path.name} to {right}{suffix}"
    return None


def enter_bare(census: Census, bare: Iterable[Path], root: Path, what: str) -> None:
    """Note pictures that are used without a counterpart."""
    for path in bare:
        census.note(PICTURES, what, name_in(root, path))


def _plain(name: str) -> str:
    """A file's name without its suffixes, what tools add, case, and the ways to write an accent."""
    plain = unicodedata.normalize("NFC", name).casefold().strip()
    while (suffix := Path(plain).suffix) and (suffix in PICTURE_SUFFIXES or suffix in {".txt", ".xml", ".json"}):
        plain = plain[: -len(suffix)].strip()
    return _ADDED.sub("", plain)
