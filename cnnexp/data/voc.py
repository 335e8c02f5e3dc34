"""Your own boxes in the format of Pascal VOC: one XML file per picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import (
    picture_by_stem,
    required_folder,
    split_list,
)
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.inputs.corrupt import CorruptFile

Annotation = list[tuple[str, tuple[float, float, float, float]]]


class VOC(OwnFolder):
    """A folder with ``JPEGImages/``, ``Annotations/`` and, if there are fixed splits, ``ImageSets/Main/*.txt``.

    Without lists the pictures are divided 80 / 10 / 10, the same way every time (see ``complete_splits``). The classes
    are those found in the annotations of training, in alphabetical order, unless ``classes`` names them. Everingham et
    al. 2010.
    """

    targets = ("boxes",)
    boxed = True

    def names(self) -> tuple[str, ...]:
        folder = required_folder(self.folder, "Annotations")
        of_training = (folder / f"{stem}.xml" for stem in sorted(self._stems()["train"]))
        return tuple(sorted({name for path in of_training for name, _ in read_annotation(path)}))

    def found(self) -> dict[SplitName, list[Sample]]:
        return {
            split: list(voc_samples(self.folder, stems, self.class_names())) for split, stems in self._stems().items()
        }

    def _stems(self) -> dict[SplitName, list[str]]:
        lists = self.folder / "ImageSets" / "Main"
        listed = {split: split_list(lists, split) for split in SPLITS if (lists / f"{split}.txt").is_file()}
        if "train" not in listed:
            return {"train": [path.stem for path in required_folder(self.folder, "Annotations").glob("*.xml")]}
        return listed


def voc_samples(root: Path, stems: Sequence[str], classes: Sequence[str]) -> tuple[Sample, ...]:
    """The samples of a folder in VOC's layout.

    Raises:
        InputError: a picture or annotation is missing, or names a class that is not among ``classes``.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    pictures = picture_by_stem(required_folder(root, "JPEGImages"))
    annotations = required_folder(root, "Annotations")
    return tuple(_sample(stem, pictures, annotations / f"{stem}.xml", numbers) for stem in stems)


def read_annotation(path: Path) -> Annotation:
    """Class names and boxes of one XML file. VOC counts pixels from 1 and includes the last; the result counts from 0
    and excludes it.

    Raises:
        CorruptFile: not XML, or an object without a name or with a box that is not four numbers.
    """
    try:
        root = ElementTree.parse(path).getroot()
        return [(_text(item, "name"), _box(item)) for item in root.iter("object")]
    except FileNotFoundError as error:
        raise CorruptFile(
            f"{path}: no such file; every picture needs an annotation (with no objects, if it shows none)"
        ) from error
    except (ElementTree.ParseError, ValueError, OSError) as error:
        raise CorruptFile(f"{path}: not a VOC annotation ({error})") from error


def _sample(stem: str, pictures: Mapping[str, Path], annotation: Path, numbers: Mapping[str, int]) -> Sample:
    if stem not in pictures:
        raise CorruptFile(f"{annotation.parent.parent / 'JPEGImages'}: holds no picture {stem}, though one is named")
    objects = read_annotation(annotation)
    for name in sorted({name for name, _ in objects}):
        refuse_unknown(name, list(numbers), annotation, IN_TRAINING)
    boxes, classes = tuple(box for _, box in objects), tuple(numbers[name] for name, _ in objects)
    return Sample(pictures[stem], stem, boxes=boxes, classes=classes)


def _box(item: ElementTree.Element) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(_text(item, f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax"))
    return x1 - 1, y1 - 1, x2, y2


def _text(item: ElementTree.Element, path: str) -> str:
    found = item.findtext(path)
    if found is None or not found.strip():
        raise ValueError(f"an object has no {path}")
    return found.strip()
