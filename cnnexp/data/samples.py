"""Pictures on disk with their labels, boxes or masks, decoded into memory or one at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.instances import tight_boxes
from cnnexp.data import decoded_cache
from cnnexp.data.base import FileSplit, TensorSplit, collate
from cnnexp.data.drawn_masks import Drawing, nearest
from cnnexp.data.memory import fits_in_memory
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import LYING, Palette, alike, read_mask
from cnnexp.inputs.picture_files import PLAIN, Look, Size, fit_boxes, read_picture

Box = tuple[float, float, float, float]
"""x1 y1 x2 y2."""

InMemory = bool | Literal["auto"]

SMALLEST_BOX = 1.0
"""A box must be longer than this in both directions, in pixels of the original picture, to be kept."""

SLOW_DECODE_S = 3.0
"""Decoding that took longer is kept in the cache folder for the next run."""

_CHUNK = 256  # samples whose objects are boxed at once

THREADS = min(4, os.cpu_count() or 1)  # Pillow decodes outside the interpreter lock


@dataclass(frozen=True)
class Sample:
    """One picture file and what is known of it.

    ``labels`` are classes of which it may have several, or none; ``values`` the numbers that belong to it. Its mask is
    a file, or ``drawn``; its objects are the regions that are drawn, or ``parts``, a mask file for each, and have
    ``classes``. ``boxes`` are x1 y1 x2 y2 in pixels of the file's picture, or as fractions of its width and
    height where ``relative``. They may reach over the edge: decoding clips them. ``ignored`` marks those that count
    neither as found nor as missed; it is empty where there are none. ``hard``: they are single objects, and no crowds.
    ``columns`` is what else a table says of it, such as whose it is; all samples of a data set have the same ones.
    """

    picture: Path
    name: str
    label: int | None = None
    labels: tuple[int, ...] | None = None
    values: tuple[float, ...] | None = None
    mask: Path | None = None
    drawn: Drawing | None = None
    parts: tuple[Path, ...] = ()
    boxes: tuple[Box, ...] = ()
    classes: tuple[int, ...] = ()
    relative: bool = False
    ignored: tuple[bool, ...] = ()
    hard: bool = False
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)

    def truth(self, classes: Sequence[str]) -> int | str | None:
        """Its label, or with their classes' names its labels, its regions or its boxes in an order of their own; or its
        numbers."""
        if self.values is not None:
            return repr(self.values)
        if self.labels is not None:
            return repr([classes[number] for number in self.labels])
        if self.drawn is not None:
            regions = self.drawn.regions
            marked = (repr(self.ignored),) if any(self.ignored) else ()
            return repr([*((classes[one.value : one.value + 1], one.outlines, one.runs) for one in regions), *marked])
        if self.parts:
            return repr([(classes[number], path.name) for number, path in zip(self.classes, self.parts, strict=True)])
        if not self.boxes:
            return self.label
        named = (classes[number] if number < len(classes) else str(number) for number in self.classes)
        marked = (repr(self.ignored),) if any(self.ignored) else ()
        return repr((self.label, self.relative, sorted(zip(named, self.boxes, strict=True)), *marked))


@dataclass(frozen=True)
class Decoder:
    """Position → the tensors of one sample. Picklable, so that loader workers can hold it.

    ``mask_values`` maps each of the 256 values of a mask file to a class, -1 = not allowed; None where there are no
    masks. The values of coloured masks are places in ``palette``. ``boxed`` says whether the samples have boxes (a
    picture may have none), ``ignoring`` whether some of those count for nothing; ``instanced`` whether objects are told
    apart, whose boxes are those of their pixels. ``label_count``: how many classes
    there are, where a sample may have several. ``look``: how files become 8 bits.
    """

    samples: tuple[Sample, ...]
    image_size: Size
    channels: int
    boxed: bool = False
    ignoring: bool = False
    instanced: bool = False
    mask_values: tuple[int, ...] | None = None
    label_count: int = 0
    palette: Palette | None = None
    look: Look = PLAIN

    @property
    def numbered(self) -> bool:
        """Whether objects are told apart, if only to find their boxes."""
        return self.instanced or (self.boxed and any(sample.parts for sample in self.samples[:1]))

    def __call__(self, position: int) -> dict[str, Tensor]:
        pixels, original = self.pixels(position)
        return self.boxed_tight({**pixels, **self.notes(position, original)})

    def boxed_tight(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """A sample, or a batch of them, whose objects have the boxes of their pixels."""
        if not self.numbered:
            return tensors
        numbers, classes = tensors["instances"], tensors["classes"]
        if not self.instanced:
            tensors = {key: value for key, value in tensors.items() if key != "instances"}
        if classes.ndim == 1:
            boxes, kept = (one[0] for one in tight_boxes(numbers[None], classes[None]))
        else:
            parts = [tight_boxes(*part) for part in zip(numbers.split(_CHUNK), classes.split(_CHUNK), strict=True)]
            boxes, kept = (torch.cat(part) for part in zip(*parts, strict=True))
        return {**tensors, "boxes": boxes, "classes": kept}

    def pixels(self, position: int) -> tuple[dict[str, Tensor], Size]:
        """Image uint8 (C, H, W), mask uint8 (H, W) or instances int16 (H, W) where there are any, and height and width
        in the file."""
        sample = self.samples[position]
        image, original = read_picture(sample.picture, self.image_size, self.channels, look=self.look)
        if self.numbered:
            return {"image": image, "instances": torch.from_numpy(self._numbers(sample, original))}, original
        if sample.parts and self.mask_values is not None:
            classes = np.array([0, *(number + 1 for number in sample.classes)], np.uint8)
            return {"image": image, "mask": torch.from_numpy(classes[self._numbers(sample, original)])}, original
        if sample.drawn is not None:
            return {"image": image, "mask": torch.from_numpy(sample.drawn.mask(original, self.image_size))}, original
        if sample.mask is None:
            return {"image": image}, original
        return {"image": image, "mask": self._mask(sample.picture, sample.mask, original)}, original

    def notes(self, position: int, original: Size) -> dict[str, Tensor]:
        """What is known beside the pixels: label (), labels (K,) of 0 and 1, value (K,), or boxes (M, 4) in pixels of
        the resized picture, classes (M,), and which are ignored (M,) and ``hard`` (M,); of objects
        classes and ignored alone."""
        sample = self.samples[position]
        notes = {} if sample.label is None else {"label": torch.tensor(sample.label)}
        if sample.labels is not None:
            notes["labels"] = torch.zeros(self.label_count, dtype=torch.uint8)
            notes["labels"][list(sample.labels)] = 1
        if sample.values is not None:
            notes["value"] = torch.tensor(sample.values, dtype=torch.float32)
        if self.numbered:
            notes["classes"] = torch.tensor(sample.classes, dtype=torch.int64)
            if self.ignoring:
                notes["ignored"] = torch.tensor(sample.ignored or (False,) * len(sample.classes), dtype=torch.bool)
        elif self.boxed:
            boxes = torch.tensor(sample.boxes, dtype=torch.float32).reshape(-1, 4)
            kept, usable = clip_boxes(boxes * _extent(original) if sample.relative else boxes, original)
            notes["boxes"] = fit_boxes(kept, original, self.image_size)
            notes["classes"] = torch.tensor(sample.classes, dtype=torch.int64)[usable]
            if self.ignoring:
                ignored = sample.ignored or (False,) * len(sample.boxes)
                notes["ignored"] = torch.tensor(ignored, dtype=torch.bool)[usable]
                if sample.hard:
                    notes["hard"] = notes["ignored"]
        return notes

    def _numbers(self, sample: Sample, original: Size) -> NDArray[np.int16]:
        """The number of each pixel's object, counted from 1; of several the last one's."""
        if sample.drawn is not None:
            return sample.drawn.numbers(original, self.image_size)
        numbers = np.zeros(original, np.int16)
        for number, path in enumerate(sample.parts, 1):
            values, size = read_mask(path, original)
            if size != original:
                raise InputError(f"{path}: {size[1]}×{size[0]} pixels, and its picture has {original[1]}×{original[0]}")
            numbers[values > 0] = number
        return nearest(numbers, self.image_size)

    def _mask(self, picture: Path, path: Path, original: Size) -> Tensor:
        values, size = read_mask(path, self.image_size, self.palette)
        if not alike(size, original):
            sizes = f"{size[1]}×{size[0]} pixels and its picture {picture.name} {original[1]}×{original[0]}"
            lying = f"; {LYING}" if alike(size, original[::-1]) else ""
            raise InputError(f"{path}: the mask has {sizes}; they must be of one size, or of one shape{lying}")
        assert self.mask_values is not None
        mapped = np.asarray(self.mask_values, dtype=np.int16)[values]
        if (mapped < 0).any():
            allowed = ", ".join(str(v) for v, c in enumerate(self.mask_values) if c >= 0)
            raise InputError(
                f"{path}: holds the value {int(values[mapped < 0][0])}, which stands for no class; allowed: {allowed}"
            )
        return torch.from_numpy(mapped.astype(np.uint8))


def open_samples(decoder: Decoder, in_memory: InMemory) -> TensorSplit | FileSplit:
    """The samples as a split, in memory or left on disk.

    Args:
        in_memory: "auto" decides by the size of the decoded pictures (see ``MEMORY_BUDGET``).

    Raises:
        InputError: a file is missing or broken (found now for a split in memory, else when it is decoded).
    """
    samples = decoder.samples
    planes = decoder.channels + (decoder.mask_values is not None) + 2 * decoder.instanced
    names = [sample.name for sample in samples]
    if in_memory is True or (in_memory == "auto" and fits_in_memory(len(samples), decoder.image_size, planes)):
        return TensorSplit(_decode_all(decoder), names=names, origins=samples)
    labels = [sample.label for sample in samples if sample.label is not None]
    found = torch.tensor(labels) if labels else None
    return FileSplit(decoder, len(samples), names=names, labels=found, origins=samples)


def clip_boxes(boxes: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Boxes (M, 4) cut at the picture's edges, less those that then have no area to speak of, and which were kept."""
    clipped = torch.minimum(boxes.clamp(min=0), _extent(size))
    usable = (clipped[:, 2:] - clipped[:, :2] > SMALLEST_BOX).all(1)
    return clipped[usable], usable


def _extent(size: Size) -> Tensor:
    return torch.tensor([size[1], size[0], size[1], size[0]], dtype=torch.float32)


def _decode_all(decoder: Decoder) -> dict[str, Tensor]:
    how: list[Any] = [decoder.image_size, decoder.channels, decoder.mask_values, decoder.palette, decoder.look]
    how += [_drawn(decoder), *(["instances"] if decoder.numbered else [])]
    key = decoded_cache.key_of(_files(decoder.samples), [part if part is None else repr(part) for part in how])
    arrays = decoded_cache.load(key)
    if arrays is None:
        start = perf_counter()
        arrays = _decode_pixels(decoder)
        if perf_counter() - start > SLOW_DECODE_S:
            decoded_cache.save(key, arrays)
    sizes = arrays.pop("size").tolist()
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    notes = [decoder.notes(position, (height, width)) for position, (height, width) in enumerate(sizes)]
    return decoder.boxed_tight({**tensors, **collate(notes)})


def _drawn(decoder: Decoder) -> str | None:
    """What tells drawings from each other, as the files of masks do by their times."""
    drawings = [sample.drawn for sample in decoder.samples if sample.drawn is not None]
    return sha256(repr(drawings).encode()).hexdigest() if drawings else None


def _files(samples: Sequence[Sample]) -> list[Path]:
    return [path for sample in samples for path in (sample.picture, sample.mask, *sample.parts) if path]


def _decode_pixels(decoder: Decoder) -> dict[str, NDArray[Any]]:
    count = len(decoder.samples)
    arrays: dict[str, NDArray[Any]] = {
        "image": np.empty((count, decoder.channels, *decoder.image_size), np.uint8),
        "size": np.empty((count, 2), np.int64),
    }
    if decoder.mask_values is not None:
        arrays["mask"] = np.empty((count, *decoder.image_size), np.uint8)
    if decoder.numbered:
        arrays["instances"] = np.empty((count, *decoder.image_size), np.int16)

    def decode(position: int) -> None:
        pixels, arrays["size"][position] = decoder.pixels(position)
        for name, tensor in pixels.items():
            arrays[name][position] = tensor.numpy()

    pool = ThreadPoolExecutor(THREADS)
    try:
        for _ in pool.map(decode, range(count)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
    return arrays
