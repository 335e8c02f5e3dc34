"""Where the pictures of a folder for YOLO lie, and the label file of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.folders import by_stem, paired_folders
from cnnexp.data.picture_folders import enter_unread, pictures_in
from cnnexp.data.text_files import read_text, read_yaml_words
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk

_KEYS: dict[SplitName, tuple[str, ...]] = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
_NO_LABELS = frozenset({"classes.txt", "predefined_classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt"})


@dataclass
class Part:
    """The pictures of a split.

    Attributes:
        where: what is said of it. root: the folder around it, which names are relative to.
        labels: for each picture its name, and the path that its label file has if there is one.
        label_files: those that are there, whether or not they belong to a picture.
    """

    where: str
    root: Path
    labels: dict[Path, tuple[str, Path]] = field(default_factory=dict)
    label_files: list[Path] = field(default_factory=list)


def settings_file(root: Path) -> Path | None:
    """data.yaml, dataset.yaml, or the only YAML file of a folder."""
    for name in ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml"):
        if (root / name).is_file():
            return root / name
    others = sorted(path for path in root.iterdir() if path.suffix.lower() in (".yaml", ".yml") and path.is_file())
    return others[0] if len(others) == 1 else None


def yolo_parts(root: Path, census: Census) -> dict[SplitName, Part]:
    """The splits that a folder has: those that its settings name, else those of its layout.

    Raises:
        InputError: there is no training split; a picture is in two splits.
    """
    settings = settings_file(root)
    named = {} if settings is None else _named_parts(root, settings, census)
    if "train" in named:
        return _apart(named, census)
    folders = list(paired_folders(root, "images", "labels"))
    enter_unread(root, [images for _, images, _ in folders], "images", census)
    return {split: _folder_part(images, labels, root, census) for split, images, labels in folders}


def _folder_part(images: Path, labels: Path, root: Path, census: Census) -> Part:
    part = Part(str(images), root, label_files=_label_files(labels))
    for stem, path in by_stem(pictures_in(images, root, census), images).items():
        part.labels[path] = (path.relative_to(images).as_posix(), labels / f"{stem}.txt")
    return part


def _named_parts(root: Path, settings: Path, census: Census) -> dict[SplitName, Part]:
    content = read_yaml_words(settings)
    if not isinstance(content, dict):
        return {}
    base = _base(root, str(content.get("path") or ""))
    parts: dict[SplitName, Part] = {}
    read: list[Path] = []
    for split, keys in _KEYS.items():
        entries = next((_entries(content[key]) for key in keys if content.get(key)), [])
        places = {entry: _place(entry, base, root) for entry in entries}
        found = [place for place in places.values() if place is not None]
        missing = [entry for entry, place in places.items() if place is None]
        if found and missing:
            raise InputError(f"{settings}: {split}: {missing[0]} is not there; mend the path or take it out")
        if missing:
            census.remark(f"{settings}: {split}: {missing[0]} is not there, and so passed over")
        if found:
            parts[split] = _part_of(found, base, root, census, f"{settings}, {split}")
            read += [*found, *parts[split].labels]
    if "train" in parts:
        enter_unread(root, read, "images", census)
    return parts


def _entries(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _base(root: Path, path: str) -> Path:
    """What the entries are relative to."""
    return _place(path, root, root) or root if path else root


def _place(entry: str, base: Path, root: Path) -> Path | None:
    """What an entry names: as it is written, else by its last parts in the folder that the user named, since settings
    hold the paths of the machine that they were written on."""
    written = entry.strip().replace("\\", "/")
    parts = [part for part in PurePosixPath(written).parts if part not in ("/", ".")]
    inside = [root.joinpath(*parts[first:]) for first in range(len(parts)) if parts[first] != ".."]
    literal = [base / written, root / written]
    # "../train/images" is how exports of Roboflow write train/images, whatever lies beside the folder
    candidates = [*inside, *literal] if parts and parts[0] == ".." else [*literal, *inside]
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _part_of(places: Sequence[Path], base: Path, root: Path, census: Census, where: str) -> Part:
    part = Part(where, root)
    folders: dict[Path, None] = {}
    for place in places:
        pictures = pictures_in(place, root, census) if place.is_dir() else list(_listed(place, base, root, census))
        for path in pictures:
            label = _label_of(path)
            inside = place if place.is_dir() and len(places) == 1 else root
            name = path.relative_to(inside).as_posix() if path.is_relative_to(inside) else path.name
            part.labels[path] = (name, label)
            folders.setdefault(label.parent)
    by_label: dict[Path, Path] = {}
    for path, (_, label) in part.labels.items():
        if label in by_label:
            raise InputError(
                f"{path}: {by_label[label].name} has the same name with another suffix; remove one of them"
            )
        by_label[label] = path
    if all(place.is_dir() for place in places):  # a list takes some pictures of a folder, and so some of its labels
        part.label_files = [path for folder in folders if folder.is_dir() for path in _label_files(folder, deep=False)]
    else:
        part.label_files = [label for label in by_label if label.is_file()]
    return part


def _label_of(picture: Path) -> Path:
    """In labels/ for the last images/ of its path, else beside the picture."""
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _listed(path: Path, base: Path, root: Path, census: Census) -> Iterator[Path]:
    """The pictures that a text file lists, relative to it or to the folder."""
    lines = dict.fromkeys(line.strip() for line in read_text(path).splitlines() if line.strip())
    places = {line: _listed_picture(line, path.parent, base, root) for line in lines}
    missing = [line for line, place in places.items() if place is None]
    if len(missing) > len(lines) / 2:
        raise InputError(f"{path}: lists {missing[0]}, which is not there, as {len(missing):,} of {len(lines):,} are")
    for line in missing:
        census.leave_out(PICTURES, f"listed in {path.name} and not there", line)
    yield from dict.fromkeys(place for place in places.values() if place is not None)


def _listed_picture(line: str, beside: Path, base: Path, root: Path) -> Path | None:
    near = next((path for path in (beside / line, base / line) if path.is_file()), None)
    return near or _place(line, base, root)


def _label_files(folder: Path, *, deep: bool = True) -> list[Path]:
    files = walk(folder, deep=deep).files
    return [path for path in files if path.suffix.lower() == ".txt" and path.name.lower() not in _NO_LABELS]


def _apart(parts: Mapping[SplitName, Part], census: Census) -> dict[SplitName, Part]:
    """The splits without those that are another one once more, as in small samples of large sets.

    Raises:
        InputError: two splits share some of their pictures.
    """
    kept: dict[SplitName, Part] = {}
    for split in SPLITS:
        if split not in parts:
            continue
        pictures = _absolute(parts[split])
        for other, part in kept.items():
            theirs = _absolute(part)
            if theirs == pictures:
                census.remark(f"{parts[split].where}: the pictures of {other} once more, and so passed over")
                break
            shared = theirs & pictures
            if shared:
                raise InputError(
                    f"{parts[split].where}: {min(shared)} is in {other} as well ({len(shared):,} such pictures); "
                    "let each picture be in one split"
                )
        else:
            kept[split] = parts[split]
    return kept


def _absolute(part: Part) -> set[str]:
    return {os.path.abspath(path) for path in part.labels}
