"""Your own boxes or masks in the format of COCO: one JSON file per split."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnexp.answers.mask import BACKGROUND
from cnnexp.data.base import SplitName
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.coco_masks import box_around, read_region, stated_size
from cnnexp.data.drawn_masks import OUTLINED, Drawing, Region, kind_of, use_objects, values_of_classes
from cnnexp.data.folders import split_of, subfolders
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out, pictures_in
from cnnexp.data.samples import Box, Sample
from cnnexp.data.text_files import read_text
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import is_hidden
from cnnexp.inputs.picture_files import Size

NO_OUTLINE = "without an outline of three points or more"
CROWDS = "of crowds, neither learnt nor counted"


class COCO(OwnFolder):
    """A folder with ``annotations/instances_train2017.json`` (any name with train, val or test in it) and the pictures
    in ``train2017/``, ``images/train2017/``, ``images/`` or beside the JSON file; or with one JSON file for all (then
    see ``complete_splits``).

    The classes are the training file's categories in the order of their ids, unless ``classes`` names some of them: the
    others are left out. The boxes of crowds are neither learnt nor counted as missed. Where the task learns masks, the
    segmentations are drawn, those of crowds too, on a background that is the first class (see ``Drawing`` for those
    that overlap); where it learns instances they are drawn with a number each. Lin et al. 2014.
    """

    targets = ("boxes", "mask", "instances")

    def names(self) -> tuple[str, ...]:
        path = self._files["train"]
        names = tuple(_categories(path, _read(path)).values())
        return with_background(names) if self.target == "mask" else names

    def mask_values(self) -> tuple[int, ...] | None:
        return values_of_classes(len(self.class_names())) if self.target == "mask" else None

    def found(self) -> dict[SplitName, list[Sample]]:
        if self.target == "mask":
            refuse_no_background(self.classes)
        numbers, of_training = {name: number for number, name in enumerate(self.class_names())}, self.names()
        found: dict[SplitName, list[Sample]] = {}
        places: set[Path] = set()
        for split, path in self._files.items():
            folders = picture_folders(self.folder, path, split)
            found[split] = read_samples(path, folders, numbers, of_training, self.counted, self.target)
            for sample in found[split]:
                places.add(next(folder for folder in folders if folder in sample.picture.parents))
        self._enter_unnamed(places, {sample.picture for samples in found.values() for sample in samples})
        return found

    def _enter_unnamed(self, places: Set[Path], used: Set[Path]) -> None:
        """Pictures beside those that are read, of which no annotation file speaks."""
        for folder in sorted(places):
            if places.isdisjoint(folder.parents) or folder == self.folder:
                pictures = pictures_in(folder, self.folder, self.counted, deep=folder != self.folder)
                unnamed = (path for path in pictures if path not in used)
                leave_out(unnamed, self.folder, self.counted, "named by no annotation file")

    @cached_property
    def _files(self) -> dict[SplitName, Path]:
        return find_annotation_files(self.folder)


def find_annotation_files(root: Path) -> dict[SplitName, Path]:
    """The JSON file of each split; a single file without a split in its name is train.

    Raises:
        InputError: there is none, or two for one split.
    """
    files = [
        path
        for folder in (root / "annotations", root, *subfolders(root))
        for path in sorted(folder.glob("*.json"))
        if not is_hidden(path.name)
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


def with_background(names: Sequence[str]) -> tuple[str, ...]:
    """The classes of masks: the background, and the others in their order."""
    return (BACKGROUND, *(name for name in names if name != BACKGROUND))


def refuse_no_background(names: Sequence[str] | None) -> None:
    """Raises InputError unless the background is the first of the classes that are asked for."""
    if names is not None and names[:1] != (BACKGROUND,):
        raise InputError(
            f"data.classes: the first class of masks is what is outlined by nobody: data.classes=[{BACKGROUND},"
            f"{','.join(names)}]"
        )


def read_samples(
    path: Path,
    folders: Sequence[Path],
    numbers: Mapping[str, int],
    of_training: Sequence[str],
    census: Census,
    target: str | None = "boxes",
) -> list[Sample]:
    """The pictures of a file with their boxes, or with their masks where that is the target, or alone; what is left out
    is entered.

    Args:
        numbers: of the classes that are taken. of_training: all categories that the training file has.

    Raises:
        InputError: the file is not in the format of COCO; two images have one id; most annotations are of no image, or
            most pictures in none of the folders; a box is of a category that training has not.
    """
    content = _read(path)
    images = _images(path, content)
    classes = (numbers, of_training)
    notes = {} if target is None else _notes_by_image(path, content, images, classes, census, target)
    boxes: dict[str, list[tuple[Box | Region, int, bool]]] = {}
    for image, name in images.items():
        if name in boxes:
            census.note(PICTURES, "named twice in an annotation file, their boxes put together", name)
        before = boxes.setdefault(name, [])
        before += [one for one in notes.get(image, ()) if one not in before] if before else notes.get(image, ())
    places = {name: _find(name, folders) for name in boxes}
    _settle_missing(path, [name for name, place in places.items() if place is None], len(places), folders, census)
    there = [Sample(place, name) for name, place in places.items() if place is not None]
    if target in OUTLINED:
        sizes = {images[_id(one["id"])]: stated_size(one) for one in content["images"]}
        there = [_drawn(one, [region for region, *_ in boxes[one.name]], path, sizes[one.name]) for one in there]
        if target == "instances":
            there = [_classed(one, boxes[one.name]) for one in there]
        use_objects(census, (one.drawn for one in there if one.drawn is not None))
        return there
    return [_boxed(one, boxes[one.name]) for one in there]


def _boxed(sample: Sample, notes: Sequence[tuple[Any, int, bool]]) -> Sample:
    return replace(_classed(sample, notes), boxes=tuple(box for box, *_ in notes))


def _classed(sample: Sample, notes: Sequence[tuple[Any, int, bool]]) -> Sample:
    classes, ignored = tuple(number for _, number, _ in notes), tuple(crowd for *_, crowd in notes)
    return replace(sample, classes=classes, ignored=ignored)


def _drawn(sample: Sample, regions: Sequence[Any], path: Path, size: Size | None) -> Sample:
    return replace(sample, drawn=Drawing(tuple(regions), f"{path}, {sample.name}", size))


def _images(path: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """File names by the ids of images.

    Raises:
        InputError: an image has no id or no name, or two have the same id.
    """
    images: dict[str, str] = {}
    twice = []
    try:
        for number, image in enumerate(content["images"]):
            key, name = _id(image["id"]), str(image["file_name"]).replace("\\", "/")
            if images.setdefault(key, name) != name:
                twice.append((number, key, name))
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: images[{number}] has no id or no file_name") from error
    if twice:
        number, key, name = twice[0]
        raise InputError(
            f"{path}: images[{number}], {name}, has the id {key} of {images[key]} ({len(twice):,} such images), so "
            "that it is not known whose the annotations are; give each image an id of its own"
        )
    return images


def _notes_by_image(
    path: Path,
    content: Mapping[str, Any],
    images: Mapping[str, str],
    classes: tuple[Mapping[str, int], Sequence[str]],
    census: Census,
    target: str,
) -> dict[str, list[tuple[Box | Region, int, bool]]]:
    """Boxes or regions, their classes, and whether each is of a crowd, by image.

    Args:
        classes: ``numbers`` and ``of_training`` of ``read_samples``.
    """
    numbers, of_training = classes
    categories, kind = _categories(path, content), kind_of(target)
    found: dict[str, list[tuple[Box | Region, int, bool]]] = defaultdict(list)
    lost = []
    for number, note in enumerate(content["annotations"]):
        where = f"{path}: annotations[{number}]"
        try:
            image, category = _id(note["image_id"]), _id(note["category_id"])
        except (KeyError, TypeError) as error:
            raise InputError(f"{where}: not in the format of COCO ({type(error).__name__}: {error})") from error
        if category not in categories:
            raise InputError(f"{where} names the category {category}, which is not in the file")
        if image not in images:
            lost.append((number, image))
        elif categories[category] not in numbers:
            refuse_unknown(categories[category], of_training, where, IN_TRAINING)
            census.leave_out(kind, "of classes that are not asked for", images[image], harmless=True)
        else:
            number, crowd = numbers[categories[category]], bool(note.get("iscrowd"))
            place = (
                _box(where, images[image], note)
                if target == "boxes"
                else read_region(f"{where}, of {images[image]}", note, number)
            )
            if place is None:
                census.leave_out(kind, NO_OUTLINE, images[image])
                continue
            found[image].append((place, number, crowd))
            if crowd and target != "mask":
                census.note(kind, CROWDS, images[image])
    if target in OUTLINED and not any(found.values()) and content["annotations"]:
        raise InputError(f"{path}: no annotation has a segmentation ({census.line()}); boxes alone are no masks")
    if lost:
        number, image = lost[0]
        total = len(content["annotations"])
        if len(lost) > total / 2:
            raise InputError(
                f"{path}: annotations[{number}] names an image that is not in the file ({image}), and so do "
                f"{len(lost):,} of {total:,}; their image_id has to be the id of an image"
            )
        for number, _ in lost:
            census.leave_out(kind, "of an image that is not in the file", f"{path.name}: annotations[{number}]")
    return found


def _box(where: str, name: str, note: Mapping[str, Any]) -> Box:
    region = None if note.get("bbox") else read_region(f"{where}, of {name}", note)
    if region is not None:
        return box_around(region)
    try:
        x, y, width, height = (float(value) for value in note["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{where}, of {name}: has no bbox of four numbers, x y width height; write one or take the annotation out"
        ) from error
    return x, y, x + width, y + height


def _settle_missing(path: Path, missing: Sequence[str], total: int, folders: Sequence[Path], census: Census) -> None:
    if len(missing) > total / 2:
        raise InputError(
            f"{missing[0]}: {path.name} names this picture, and it is in none of {', '.join(map(str, folders))} "
            f"({len(missing):,} of {total:,} such pictures)"
        )
    for name in missing:
        census.leave_out(PICTURES, "that are not there", name)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not a JSON file ({error})") from error
    missing = [
        key
        for key in ("images", "annotations", "categories")
        if not isinstance(content, dict) or not isinstance(content.get(key), list)
    ]
    if missing:
        raise InputError(f"{path}: not in the format of COCO, it has no {missing[0]!r}")
    return content


def _categories(path: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """Names by ids, in the order of the ids: as numbers where all are."""
    try:
        categories = {_id(category["id"]): str(category["name"]) for category in content["categories"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: a category has no id or no name") from error
    if all(key.isdecimal() for key in categories):
        return dict(sorted(categories.items(), key=lambda item: int(item[0])))
    return dict(sorted(categories.items()))


def _id(value: Any) -> str:
    """An id, which some tools write as a number and some as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (list, dict)) or value is None:
        raise TypeError(f"{value!r} is no id")
    return str(value).strip()


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)
