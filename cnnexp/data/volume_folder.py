"""Your own volumes with masks: NIfTI files or NumPy arrays of the same name in two folders."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import FileSplit, SplitName, TensorSplit, collate
from cnnexp.data.census import OTHER, Census
from cnnexp.data.class_names import LEFT_OUT, numbering
from cnnexp.data.folders import paired_folders, refuse_empty
from cnnexp.data.mask_meaning import Given, Meaning, meaning_of
from cnnexp.data.mask_words import is_colour, read_mask_values, value_of
from cnnexp.data.matched_files import renaming, settle
from cnnexp.data.memory import MEMORY_BUDGET
from cnnexp.data.own_folder import UNREADABLE, OwnFolder
from cnnexp.data.picture_folders import name_in
from cnnexp.data.samples import InMemory, Sample
from cnnexp.data.text_files import read_names
from cnnexp.data.volume_scan import headers_of, said_of, values_of_volumes
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.volume_files import Header, read_labels, read_volume, suffix_of
from cnnexp.inputs.volumes import Size, stored

log = logging.getLogger(__name__)


class VolumeFolder(OwnFolder):
    """A folder with ``volumes/`` and ``masks/``, split or not as for ``data=mask_folder``; ``masks/X.nii.gz`` belongs
    to ``volumes/X.nii.gz``.

    Every file is brought to one order of axes by its affine; a NumPy array is D×H×W or C×D×H×W in that order already.
    A mask holds a whole number for each voxel; ``mask_meaning`` tells the classes by the numbers of all masks.
    Volumes of another size than ``volume_size`` are cut or filled up around their centres: with the lowest number of
    the volume, and void in the mask. Nothing is resampled.

    Args:
        root, classes, channels, in_memory, unreadable: as for every folder.
        volume_size: depth, height and width of stored volumes.
        window: the numbers that count, as ``Volumes`` has it.
        mask_values: values with their classes, ``{0: background, 2: tumour}``, or a list of values. null: told by the
            masks. void: the value of voxels that count for nothing.
    """

    targets = ("mask",)
    kind: ClassVar[str] = "volumes"
    of_samples: ClassVar[tuple[str, ...]] = ("headers", "meaning")

    def __init__(
        self,
        *,
        root: str | None,
        classes: Sequence[str] | None,
        channels: int,
        volume_size: Size,
        in_memory: InMemory,
        window: tuple[float, float] | None = None,
        unreadable: str = "fail",
        mask_values: Any = None,
        void: Any = None,
    ) -> None:
        depth, height, width = volume_size
        super().__init__(
            root=root,
            classes=classes,
            image_size=(height, width),
            channels=channels,
            in_memory=in_memory,
            unreadable=unreadable,
        )
        self.volume_size, self.window = (depth, height, width), window
        self._said = read_mask_values(mask_values, void)
        if is_colour(void) or (self._said is not None and self._said.coloured):
            raise InputError("data.mask_values: masks of volumes have numbers and no colours, as in {0: background}")
        self._void = None if void is None else value_of(void, False, "data.void")

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples, self.kind)
        _ = self.headers, self.meaning  # refuse what does not fit or cannot be told, and say what was

    def told(self) -> dict[str, Any]:
        return {}

    def found(self) -> dict[SplitName, list[Sample]]:
        return {
            split: self._pairs(volumes, masks)
            for split, volumes, masks in paired_folders(self.folder, "volumes", "masks")
        }

    def _pairs(self, volumes: Path, masks: Path) -> list[Sample]:
        root, census = self.folder, self.counted
        volume_of, mask_of = _by_stem(volumes, root, census), _by_stem(masks, root, Census())
        if not volume_of:
            raise InputError(f"{volumes}: no volumes found (.nii, .nii.gz, .npy)")
        lost = [path for stem, path in mask_of.items() if stem not in volume_of]
        fix = renaming(lost, volume_of, "") or "each is called like its volume"
        settle(census, lost, len(mask_of) - len(lost), kind="masks", root=root, reason="without a volume of that name",
               fix=fix)  # fmt: skip
        without = [path for stem, path in volume_of.items() if stem not in mask_of]
        matched = [stem for stem in volume_of if stem in mask_of]
        settle(census, without, len(matched), kind="volumes", root=root, reason="without a mask",
               fix=f"each has a mask of its name in {masks}")  # fmt: skip
        census.use("masks", len(matched))
        return [Sample(volume_of[stem], stem, mask=mask_of[stem]) for stem in matched]

    def names(self) -> tuple[str, ...]:
        return self.meaning.names

    def listed(self) -> tuple[str, ...] | None:
        named = self._class_list.is_file() or (self._said is not None and self._said.names is not None)
        return self.meaning.names if named else None

    def shown(self, samples: Sequence[Sample]) -> set[int]:
        table = self.mask_values()
        present = values_of_volumes([sample.mask for sample in samples if sample.mask is not None]).present
        return {table[value] for value in present} - {LEFT_OUT, VOID}

    def mask_values(self) -> tuple[int, ...]:
        """The class of each of the 256 values, -1 = not allowed."""
        names = self.class_names()
        order = numbering(names, self.listed() or names, str(self.folder))
        return tuple(order[one] if 0 <= one < len(order) else one for one in self.meaning.table)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        samples = tuple(self.samples[split])
        eight_bits = all(header.eight_bits for header in self.headers)
        decode = VolumeDecoder(samples, self.channels, self.volume_size, self.mask_values(), eight_bits, self.window)
        names = [sample.name for sample in samples]
        voxels = int(np.prod(self.volume_size)) * len(samples)
        held = voxels * (self.channels * (1 if eight_bits else 4) + 1) <= MEMORY_BUDGET
        if self.in_memory is True or (self.in_memory == "auto" and held):
            tensors = collate([decode(place) for place in range(len(samples))])
            return TensorSplit(tensors, names=names, origins=samples)
        return FileSplit(decode, len(samples), names=names, origins=samples)

    @cached_property
    def headers(self) -> list[Header]:
        """Of the volumes of all splits.

        Raises:
            InputError: a volume and its mask do not belong together.
        """
        headers = headers_of(self._every, self.channels)
        for line in said_of(headers, self.volume_size):
            self.counted.remark(line)
        return headers

    @cached_property
    def meaning(self) -> Meaning:
        """What the values stand for.

        Raises:
            InputError: it cannot be told.
        """
        seen = values_of_volumes([sample.mask for sample in self._every if sample.mask is not None])
        meaning = meaning_of(seen, self.folder, self._given(), self._said, self._void)
        if meaning.line is not None:
            log.warning("%s: %s", self.folder, meaning.line)
        return meaning

    @property
    def _every(self) -> list[Sample]:
        return list(dict.fromkeys(sample for split in self.samples.values() for sample in split))

    def _given(self) -> Given | None:
        listed = self._class_list
        if listed.is_file():
            return Given(read_names(listed), str(listed), of_folder=True)
        return None if self.classes is None else Given(self.classes, "data.classes")

    @property
    def _class_list(self) -> Path:
        return self.folder / "classes.txt"

    def _readable(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        if self.unreadable == "fail":
            return samples
        kept = []
        for sample in samples:
            try:
                read_volume(sample.picture, self.channels)
                if sample.mask is not None:
                    read_labels(sample.mask)
            except InputError as error:
                log.warning("left out: %s", error.lines[0])
                self.counted.leave_out(self.kind, UNREADABLE, sample.name)
            else:
                kept.append(sample)
        return kept


@dataclass(frozen=True)
class VolumeDecoder:
    """Position → the tensors of one sample, of one size. Picklable, so that loader workers can hold it."""

    samples: tuple[Sample, ...]
    channels: int
    size: Size
    mask_values: tuple[int, ...]
    eight_bits: bool
    window: tuple[float, float] | None

    def __call__(self, position: int) -> dict[str, Tensor]:
        sample = self.samples[position]
        file = read_volume(sample.picture, self.channels)
        tensors = stored(file, self.window)
        numbers = file.numbers if self.eight_bits else file.numbers.astype(np.float32)
        lowest = numbers.reshape(self.channels, -1).min(1)
        tensors["volume"] = torch.from_numpy(
            np.stack([fitted(*one, self.size) for one in zip(numbers, lowest, strict=True)])
        )
        assert sample.mask is not None
        labels, _ = read_labels(sample.mask)
        mapped = np.asarray(self.mask_values, np.int16)[labels]
        if (mapped < 0).any():
            allowed = ", ".join(str(value) for value, number in enumerate(self.mask_values) if number >= 0)
            wrong = int(labels[mapped < 0][0])
            raise InputError(f"{sample.mask}: holds the value {wrong}, which stands for no class; allowed: {allowed}")
        tensors["mask"] = torch.from_numpy(fitted(mapped.astype(np.uint8), VOID, self.size))
        return tensors


def fitted(values: NDArray[Any], fill: float, size: Sequence[int]) -> NDArray[Any]:
    """Values (D, H, W) cut or filled up to a size around their centre."""
    for axis, (has, wanted) in enumerate(zip(values.shape, size, strict=True)):
        start = max(0, has - wanted) // 2
        values = np.take(values, np.arange(start, start + min(has, wanted)), axis)
        missing = wanted - values.shape[axis]
        around = [(0, 0)] * values.ndim
        around[axis] = (missing // 2, missing - missing // 2)
        values = np.pad(values, around, constant_values=fill) if missing else values
    return np.ascontiguousarray(values)


def _by_stem(folder: Path, root: Path, census: Census) -> dict[str, Path]:
    """Files of volumes in a folder and below it, by their paths in it without suffix; others are entered."""
    found: dict[str, Path] = {}
    for path in walk(folder).files:
        suffix = suffix_of(path)
        if suffix is None:
            census.leave_out(OTHER, "not a volume", name_in(root, path), harmless=True)
            continue
        stem = path.relative_to(folder).as_posix()[: -len(suffix)]
        if stem in found:
            raise InputError(f"{path}: {found[stem].name} has the same name with another suffix; remove one of them")
        found[stem] = path
    return found
