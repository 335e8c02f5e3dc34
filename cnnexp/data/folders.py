"""Finding things in a user's folder: its root, its pictures, its splits."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.census import Census, printable
from cnnexp.data.fixed_splits import divide, hold_out
from cnnexp.data.picture_folders import pictures_in
from cnnexp.data.text_files import read_text
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.folder_walk import is_hidden
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

log = logging.getLogger(__name__)
T = TypeVar("T")

SPLIT_WORDS: dict[SplitName, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_ALL_WORDS = frozenset(word for words in SPLIT_WORDS.values() for word in words)
_NUMBERED = re.compile(rf"({'|'.join(sorted(_ALL_WORDS, key=len, reverse=True))})[-_ ]?\d*")
# What a folder of data is recognised by, so that it is not taken for one around it.
_LAYOUT_FOLDERS = frozenset({"images", "labels", "masks", "annotations", "jpegimages", "imagesets"})
_LAYOUT_FILES = frozenset({".yaml", ".yml", ".json", ".csv", ".xml", *PICTURE_SUFFIXES})


def existing_root(root: str | None, option: str) -> Path:
    """The user's folder.

    Raises:
        InputError: none was named, or it is not a folder.
    """
    if root is None:
        raise InputError(f"data={option} reads a folder of yours: add data.root=FOLDER")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise InputError(f"data.root={root}: {'not a folder' if folder.exists() else 'no such folder'}")
    return folder


def entered(root: Path) -> Path:
    """The folder itself, or the one that an archive put into it: a single folder of folders, with no data beside it."""
    inner = subfolders(root)
    if len(inner) != 1 or not subfolders(inner[0]) or inner[0].name.lower() in _LAYOUT_FOLDERS | _ALL_WORDS:
        return root
    beside = (path for path in root.iterdir() if path.is_file() and not is_hidden(path.name))
    if any(path.suffix.lower() in _LAYOUT_FILES or path.name == "classes.txt" for path in beside):
        return root
    return entered(inner[0])


def required_folder(root: Path, name: str) -> Path:
    folder = root / name
    if not folder.is_dir():
        there = ", ".join(sorted(p.name for p in root.iterdir())[:8]) or "nothing"
        raise InputError(f"{root}: holds no folder {name} (it holds {there})")
    return folder


def subfolders(folder: Path) -> list[Path]:
    """Folders in alphabetical order, without hidden ones."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def class_folders(folder: Path) -> list[Path]:
    """The subfolders, each of which stands for a class by its name.

    Raises:
        InputError: a name is not UTF-8, or two are one folder, by a link.
    """
    found, real = subfolders(folder), dict[Path, str]()
    odd = [one.name for one in found if printable(one.name) != one.name]
    if odd:
        raise InputError(f"{folder}/{printable(odd[0])}: a class whose name is not UTF-8; rename the folder")
    for one in found:
        if (other := real.setdefault(one.resolve(), one.name)) != one.name:
            raise InputError(f"{one}: the same folder as {other}, by a link; remove one of the two classes")
    return found


def split_folders(root: Path, *, numbered: bool = False) -> dict[SplitName, Path]:
    """The subfolders that are called train, val (valid, validation) and test, whatever their case; ``numbered``: also
    with a number behind it, such as train2017.

    Raises:
        InputError: two folders are of one split.
    """
    found: dict[SplitName, Path] = {}
    for folder in subfolders(root):
        word = _NUMBERED.fullmatch(folder.name.lower())
        if word is None or (word[0] != word[1] and not numbered):
            continue
        split = next(split for split in SPLITS if word[1] in SPLIT_WORDS[split])
        if split in found:
            raise InputError(f"{root}: {found[split].name} and {folder.name} both look like {split}; remove one")
        found[split] = folder
    return found


def split_of(name: str) -> SplitName | None:
    """The split that a file or folder name speaks of as a word of its own ("instances_val2017" → val)."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((split for split in SPLITS if words & set(SPLIT_WORDS[split])), None)


def paired_folders(root: Path, pictures: str, notes: str) -> Iterator[tuple[SplitName, Path, Path]]:
    """Split, folder of pictures, folder of what belongs to them, in whichever of three layouts the user chose.

    Raises:
        InputError: none of ``train/PICTURES``, ``PICTURES/train`` and ``PICTURES`` is there, or its counterpart is not.
    """
    outer = split_folders(root, numbered=True)
    if not outer and (root / pictures).is_dir():
        inner = split_folders(root / pictures, numbered=True)
        if inner and "train" not in inner:
            raise InputError(f"{root / pictures}: holds {', '.join(p.name for p in inner.values())} but no train")
        if not inner:
            yield "train", root / pictures, required_folder(root, notes)
        for split, folder in inner.items():
            yield split, folder, required_folder(root / notes, folder.name)
        return
    if "train" not in outer:
        raise InputError(f"{root}: expected {pictures}/ and {notes}/, or train/{pictures}/ and train/{notes}/")
    for split in SPLITS:
        if split in outer:
            yield split, required_folder(outer[split], pictures), required_folder(outer[split], notes)


def by_stem(pictures: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Pictures in a folder and below it, by their paths in it without suffix, such as "cam2/007".

    Raises:
        InputError: two pictures have the same stem, so that it is not known which one an annotation means.
    """
    found: dict[str, Path] = {}
    for path in pictures:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            raise InputError(f"{path}: {found[stem].name} has the same name with another suffix; remove one of them")
        found[stem] = path
    return found


def picture_by_stem(folder: Path, root: Path, census: Census) -> dict[str, Path]:
    """The pictures in a folder and below it by their stems; what is left out there is entered.

    Raises:
        InputError: as for ``by_stem``.
    """
    return by_stem(pictures_in(folder, root, census), folder)


def split_list(folder: Path, split: SplitName) -> list[str]:
    """The stems that FOLDER/train.txt, val.txt or test.txt lists, one a line (what follows a blank is ignored)."""
    path = folder / f"{split}.txt"
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError as error:
        raise CorruptFile(f"{path}: no such file; {folder} must hold train.txt, val.txt and test.txt") from error
    except InputError as error:
        raise CorruptFile(*error.lines) from error
    return [re.split(r"\s", line.strip())[0] for line in lines if line.strip()]


def complete_splits(
    found: Mapping[SplitName, Sequence[T]],
    key: Callable[[T], str],
    label: Callable[[T], int] = lambda item: 0,
    groups: Callable[[Sequence[T]], Sequence[str]] | None = None,
    kind: str = "pictures",
) -> dict[SplitName, list[T]]:
    """Fill in the splits that a folder does not have; always the same way, and stratified by ``label``.

    Only train: it is divided 80 / 10 / 10. No val: a tenth of train is held out. No test: val is used for both, and a
    warning says so.

    Args:
        found: what the folder has; train at least.
        key: sorts the items, so that the order in which they were found does not matter.
        groups: of items, those that may not be divided; None where each stands for itself. kind: what they are called.
    """
    splits = {split: sorted(items, key=key) for split, items in found.items()}
    train = splits["train"]
    labels = [label(item) for item in train]
    together = None if groups is None else groups(train)
    if splits.keys() == {"train"}:
        return {split: [train[i] for i in positions] for split, positions in divide(labels, together).items()}
    if "val" not in splits:
        kept, held = hold_out(labels, max(1, len(train) // 10), together)
        splits["train"], splits["val"] = [train[i] for i in kept], [train[i] for i in held]
    if "test" not in splits:
        log.warning("no %s for test: those for validation are used, so test scores will be too good", kind)
        splits["test"] = splits["val"]
    return splits


def refuse_empty(root: Path, splits: Mapping[SplitName, Sequence[object]], kind: str = "pictures") -> None:
    """Raises InputError if a split has no pictures, or what else its samples are called."""
    for split in SPLITS:
        if not splits[split]:
            raise InputError(f"{root}: no {kind} for {split}; it takes a few per split, at least ten in all")
