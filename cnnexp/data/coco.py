"""Your own boxes in the format of COCO: one JSON file per split."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnexp.data.base import SplitName
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import split_of, subfolders
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError


class COCO(OwnFolder):
    """A folder with ``annotations/instances_train2017.json`` (any name with train, val or test in it) and the pictures
    in ``train2017/``, ``images/train2017/``, ``images/`` or beside the JSON file; or with one JSON file for all (then
    see ``complete_splits``).

    The classes are the training file's categories in the order of their ids, unless ``classes`` names some of them: the
    others are left out. So are the boxes of crowds. Lin et al. 2014.
    """

    targets = ("boxes",)
    boxed = True

    def names(self) -> tuple[str, ...]:
        path = self._files["train"]
        return tuple(name for _, name in sorted(_categories(path, _read(path)).items()))

    def found(self) -> dict[SplitName, list[Sample]]:
        numbers, of_training = {name: number for number, name in enumerate(self.class_names())}, self.names()
        return {
            split: read_samples(path, picture_folders(self.folder, path, split), numbers, of_training)
            for split, path in self._files.items()
        }

    @cached_property
    def _files(self) -> dict[SplitName, Path]:
        return find_annotation_files(self.folder)


def find_annotation_files(root: Path) -> dict[SplitName, Path]:
    """The JSON file of each split; a single file without a split in its name is train.

    Raises:
        InputError: there is none, or two for one split.
    """
    files = [
        path for folder in (root / "annotations", root, *subfolders(root)) for path in sorted(folder.glob("*.json"))
    ]
    files = list(dict.fromkeys(files))
    instances = [path for path in files if path.name.startswith("instances")]  # beside captions_ and person_keypoints_
    files = instances or files
    if len(files) == 1:
        return {"train": files[0]}
    found: dict[SplitName, Path] = {}
    for path in files:
        split = split_of(path.stem) or split_of(path.parent.name)
        if split is None:
            continue
        if split in found:
            raise InputError(f"{path}: {found[split].name} is for {split} too; keep one of them")
        found[split] = path
    if "train" not in found:
        raise InputError(f"{root}: no annotation file for training; expected annotations/instances_train.json")
    return found


def picture_folders(root: Path, annotations: Path, split: SplitName) -> list[Path]:
    """Where the pictures of an annotation file may lie, most likely first."""
    named = [
        folder
        for parent in (root, root / "images")
        if parent.is_dir()
        for folder in subfolders(parent)
        if split_of(folder.name) == split
    ]
    return [*named, annotations.parent, root / "images", root]


def read_samples(
    path: Path, folders: Sequence[Path], numbers: dict[str, int], of_training: Sequence[str]
) -> list[Sample]:
    """The pictures of a file with their boxes.

    Args:
        numbers: of the classes that are taken. of_training: all categories that the training file has.

    Raises:
        InputError: the file is not in the format of COCO, a picture is in none of the folders, or a box is of a
            category that training has not.
    """
    content = _read(path)
    categories = _categories(path, content)
    boxes: dict[Any, list[tuple[float, float, float, float]]] = defaultdict(list)
    classes: dict[Any, list[int]] = defaultdict(list)
    try:
        images = {image["id"]: str(image["file_name"]) for image in content["images"]}
        for number, note in enumerate(content["annotations"]):
            name = categories.get(note["category_id"])
            if note["image_id"] not in images or name is None:
                raise InputError(f"{path}: annotations[{number}] names an image or a category that is not in the file")
            if note.get("iscrowd"):
                continue
            refuse_unknown(name, of_training, f"{path}: annotations[{number}]", IN_TRAINING)
            if name not in numbers:
                continue
            x, y, width, height = (float(value) for value in note["bbox"])
            boxes[note["image_id"]].append((x, y, x + width, y + height))
            classes[note["image_id"]].append(numbers[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not in the format of COCO ({type(error).__name__}: {error})") from error
    return [
        Sample(_find(name, folders), name, boxes=tuple(boxes[image]), classes=tuple(classes[image]))
        for image, name in images.items()
    ]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not a JSON file ({error})") from error
    missing = [
        key for key in ("images", "annotations", "categories") if not isinstance(content, dict) or key not in content
    ]
    if missing:
        raise InputError(f"{path}: not in the format of COCO, it has no {missing[0]!r}")
    return content


def _categories(path: Path, content: dict[str, Any]) -> dict[int, str]:
    try:
        return {int(category["id"]): str(category["name"]) for category in content["categories"]}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: a category has no id or no name") from error


def _find(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        f"{name}: an annotation file names this picture, and it is in none of {', '.join(str(f) for f in folders)}"
    )
