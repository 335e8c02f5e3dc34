"""The pictures of a user's folder, with all that is left out entered in the census."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cnnexp.data.census import OTHER, PICTURES, Census
from cnnexp.inputs.folder_walk import Walk, walk
from cnnexp.inputs.picture_formats import LONGEST_BEGINNING, PICTURE_SUFFIXES, begins_like_a_picture, other_format

# What lies beside pictures and is none by its name, so that nobody has to look into it.
_BESIDE = frozenset(
    {".txt", ".xml", ".json", ".csv", ".tsv", ".yaml", ".yml", ".md", ".html", ".py", ".ipynb", ".log", ".cache",
     ".db", ".zip", ".tar", ".gz", ".npy", ".npz", ".pt"}
)  # fmt: skip


def pictures_in(folder: Path, root: Path, census: Census, *, deep: bool = True) -> list[Path]:
    """The pictures in a folder (``deep``: and below it), sorted by path; what else lies there is entered.

    Args:
        root: the names in the census are relative to it.
    """
    return _sorted_out(walk(folder, deep=deep), root, census)


def leave_out(
    pictures: Iterable[Path], root: Path, census: Census, reason: str, help: str = "", *, harmless: bool = False
) -> None:
    """Enter pictures that are not used."""
    for path in pictures:
        census.leave_out(PICTURES, reason, name_in(root, path), help=help, harmless=harmless)


def enter_hidden(paths: Iterable[Path], root: Path, census: Census) -> None:
    """Enter hidden files; those that are no pictures anyway are entered apart."""
    for path in paths:
        suffix = path.suffix.lower()
        picture = suffix in PICTURE_SUFFIXES or other_format(suffix) is not None
        census.leave_out(PICTURES if picture else OTHER, "hidden", name_in(root, path), harmless=True)


def enter_unread(root: Path, read: Sequence[Path], word: str, census: Census) -> None:
    """Enter the pictures below folders of a name (``images``, say) of which nothing is read.

    Args:
        read: the folders that are read, and pictures that are.
    """
    known = set(read)
    for path in walk(root).files:
        inside = path.relative_to(root).parts
        if word not in inside[:-1] or path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if path not in known and known.isdisjoint(path.parents):
            census.leave_out(PICTURES, "in a folder that no split reads", name_in(root, path))


def name_in(root: Path, path: Path) -> str:
    """A file's name in the census: its path in the folder, where it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _sorted_out(found: Walk, root: Path, census: Census) -> list[Path]:
    pictures = []
    enter_hidden(found.hidden, root, census)
    for path, why in found.odd:
        census.leave_out(PICTURES, why, name_in(root, path))
    for path in found.files:
        suffix = path.suffix.lower()
        if suffix in PICTURE_SUFFIXES:
            pictures.append(path)
        elif other := other_format(suffix):
            census.leave_out(PICTURES, other[0], name_in(root, path), help=other[1])
        elif suffix not in _BESIDE and _is_picture(path):
            census.leave_out(
                PICTURES, "without a picture's suffix", name_in(root, path), help="rename them to .jpg, say"
            )
        else:
            census.leave_out(OTHER, "not a picture", name_in(root, path), harmless=True)
    return pictures


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return begins_like_a_picture(file.read(LONGEST_BEGINNING))
    except OSError:
        return False
