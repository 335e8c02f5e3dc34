"""Volumes in files: NIfTI and NumPy arrays, brought to one order of axes, and masks written in the order of a file."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.errors import InputError

NIFTI = (".nii", ".nii.gz")
SUFFIXES = (*NIFTI, ".npy")
CANONICAL = ("L", "P", "S")
"""Where the columns, the rows and the slices of a volume go: to the left, to the back and to the head of a patient, as
in DICOM. A slice then lies as radiologists look at it: the front above, the patient's right at the left."""
_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001}

Spacing = tuple[float, float, float]
"""Millimetres from voxel to voxel along depth, height and width; zeros where a file does not say."""
UNKNOWN: Spacing = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class VolumeFile:
    """What a file holds.

    Attributes:
        numbers: (C, D, H, W) in the canonical order, uint8 where the file has that, else float32. spacing: of voxels.
    """

    numbers: NDArray[Any]
    spacing: Spacing = UNKNOWN

    @property
    def size(self) -> tuple[int, int, int]:
        depth, height, width = self.numbers.shape[1:]
        return depth, height, width


def suffix_of(path: Path) -> str | None:
    """The suffix by which a file is one of volumes; None for another file."""
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)


def stem_of(path: Path) -> str:
    """A file's name without the whole suffix: ``scan`` of scan.nii.gz."""
    return path.name[: -len(suffix_of(path) or path.suffix) or None]


def read_volume(path: Path, channels: int) -> VolumeFile:
    """A volume with its channels.

    A NIfTI has them on its fourth axis; a NumPy array is D×H×W or C×D×H×W.

    Raises:
        InputError: it is missing or broken, has other axes or channels, or numbers that are not finite.
    """
    array, spacing = _read(path, channels)
    if array.shape[0] != channels:
        has = f"{array.shape[0]} channel{'s' if array.shape[0] > 1 else ''}"
        raise InputError(f"{path}: {has} and data.channels={channels}; set data.channels={array.shape[0]}")
    numbers = array if array.dtype == np.uint8 else array.astype(np.float32)
    if numbers.dtype != np.uint8 and not np.isfinite(numbers).all():
        bad = int((~np.isfinite(numbers)).sum())
        raise InputError(f"{path}: {bad:,} of its {numbers.size:,} numbers are not finite (NaN or infinite); mend it")
    return VolumeFile(np.ascontiguousarray(numbers), spacing)


def read_labels(path: Path) -> tuple[NDArray[np.int64], Spacing]:
    """A mask: whole numbers (D, H, W) in the canonical order, whatever type they are stored in.

    Raises:
        InputError: as ``read_volume``, or the numbers are not whole or not 0 to 255.
    """
    array, spacing = _read(path, 1)
    if array.shape[0] != 1:
        raise InputError(f"{path}: a mask has one number for each voxel; this one has {array.shape[0]}")
    labels = np.rint(array[0]).astype(np.int64) if np.isfinite(array).all() else None
    if labels is None or not np.array_equal(labels, array[0]):
        raise InputError(f"{path}: a mask holds whole numbers, one for each class; this one has others")
    if labels.min() < 0 or labels.max() > 255:
        wrong = int(labels.min() if labels.min() < 0 else labels.max())
        raise InputError(f"{path}: holds {wrong}; the numbers of a mask's classes are 0 to 255, so renumber them")
    return labels, spacing


@dataclass(frozen=True)
class Header:
    """What a file says of its volume before its numbers are read.

    Attributes:
        size: depth, height and width in the canonical order. channels: of them. spacing: of voxels.
        eight_bits: whether its numbers are uint8. affine: (4, 4), from canonical width, height and depth to
            millimetres; None where a file has none.
    """

    size: tuple[int, int, int]
    channels: int
    spacing: Spacing
    eight_bits: bool
    affine: NDArray[np.float64] | None = None


def header_of(path: Path) -> Header:
    """The header of a file.

    Raises:
        InputError: it is missing or broken, or holds no volume.
    """
    _refuse_others(path)
    if suffix_of(path) == ".npy":
        array = _numpy(path, memory_map=True)
        depth, height, width = array.shape[-3:]
        channels = array.shape[0] if array.ndim == 4 else 1
        return Header((depth, height, width), channels, UNKNOWN, array.dtype == np.uint8)
    image = _nifti(path)
    shape, turn = _spatial(path, image.shape), _turn(path, image)
    placed = [0, 0, 0]
    for length, (goes_to, _) in zip(shape, turn, strict=False):
        placed[int(goes_to)] = length
    affine = image.affine @ _nibabel(path).orientations.inv_ornt_aff(turn, shape[:3])
    eight_bits = image.get_data_dtype() == np.uint8 and image.dataobj.slope == 1 and image.dataobj.inter == 0
    size = (placed[2], placed[1], placed[0])
    return Header(size, shape[3] if len(shape) == 4 else 1, _spacing(image, turn), bool(eight_bits), affine)


def mask_content(classes: NDArray[np.uint8], path: Path, like: Path) -> bytes:
    """The content of a file with a mask (D, H, W), in the order, with the affine and in the place of what it is of.

    Args:
        path: whose suffix says the format: .npy; or .nii and .nii.gz, where ``like`` is one of those too.

    Raises:
        InputError: there is no such format, or nothing that the affine could come from.
    """
    suffix = suffix_of(path)
    if suffix is None:
        raise InputError(f"{path}: a mask of a volume is written as {', '.join(SUFFIXES)}")
    if suffix == ".npy":
        stream = BytesIO()
        np.save(stream, classes, allow_pickle=False)
        return stream.getvalue()
    if suffix_of(like) not in NIFTI:
        raise InputError(f"{path}: {like.name} has no affine that a NIfTI could take; write {stem_of(path)}.npy")
    image = _nifti(like)
    lying = _nibabel(path).orientations.apply_orientation(classes.transpose(), _back(_turn(like, image)))
    header = image.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_max"] = header["cal_min"] = 0
    content: bytes = type(image)(np.ascontiguousarray(lying), image.affine, header).to_bytes()
    return gzip.compress(content, mtime=0) if suffix.endswith(".gz") else content


def _read(path: Path, channels: int) -> tuple[NDArray[Any], Spacing]:
    """(C, D, H, W) in the canonical order, of the file's type, and the spacing."""
    _refuse_others(path)
    if suffix_of(path) == ".npy":
        array = _numpy(path)
        return (array[None] if array.ndim == 3 else array), UNKNOWN
    image = _nifti(path)
    shape = _spatial(path, image.shape)
    nibabel, turn = _nibabel(path), _turn(path, image)
    try:
        numbers = np.asarray(image.dataobj).reshape(shape)
    except Exception as error:  # of a file that ends early, each decompressor has errors of its own
        raise InputError(f"{path}: broken, its numbers cannot be read ({_line(error)})") from error
    if numbers.dtype.kind not in "buif":
        raise InputError(f"{path}: holds {numbers.dtype}; expected a number for each voxel")
    turned = nibabel.orientations.apply_orientation(numbers, turn)
    array = turned.transpose(3, 2, 1, 0) if turned.ndim == 4 else turned.transpose(2, 1, 0)[None]
    return array, _spacing(image, turn)


def _refuse_others(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if suffix_of(path) is None:
        raise InputError(f"{path}: not a file of volumes; those are {', '.join(SUFFIXES)}")


def _numpy(path: Path, memory_map: bool = False) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r" if memory_map else None)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not a NumPy array that can be read ({_line(error)})") from error
    if (
        not isinstance(array, np.ndarray)
        or array.dtype.kind not in "buif"
        or not array.size
        or array.ndim not in (3, 4)
    ):
        shape = "×".join(map(str, getattr(array, "shape", ()))) or "none"
        raise InputError(f"{path}: expected an array of numbers D×H×W or C×D×H×W; its shape is {shape}")
    return array


def _nifti(path: Path) -> Any:
    nibabel = _nibabel(path)
    try:
        image = nibabel.load(path)
    except Exception as error:  # nibabel lets through the errors of the decompressors
        raise InputError(f"{path}: not a NIfTI file that can be read ({_line(error)})") from error
    if not isinstance(image, nibabel.Nifti1Pair):
        raise InputError(f"{path}: {type(image).__name__} and no NIfTI file")
    return image


def _nibabel(path: Path) -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise InputError(f"{path}: reading NIfTI takes nibabel: pip install 'cnnexp[nifti]'") from error
    return nibabel


def _spatial(path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape less axes of length 1 at its end; three, or four with channels."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4) or not all(shape):
        raise InputError(
            f"{path}: has {'×'.join(map(str, shape))} numbers; a volume has three axes, and a fourth for its channels"
        )
    return shape


def _turn(path: Path, image: Any) -> NDArray[Any]:
    """How nibabel turns the axes of the file to ``CANONICAL``."""
    from nibabel import orientations

    affine = image.affine
    lying = orientations.io_orientation(affine) if np.isfinite(affine).all() else np.full((3, 2), np.nan)
    if np.isnan(lying).any():
        raise InputError(f"{path}: its affine says not where its axes go (a column is zero or not finite); mend it")
    return orientations.ornt_transform(lying, orientations.axcodes2ornt(CANONICAL))


def _back(turn: NDArray[Any]) -> NDArray[Any]:
    """The way back: each axis to where it came from, with the same flip."""
    back = np.empty_like(turn)
    for axis, (goes_to, flip) in enumerate(turn):
        back[int(goes_to)] = axis, flip
    return back


def _spacing(image: Any, turn: NDArray[Any]) -> Spacing:
    from nibabel.affines import voxel_sizes

    factor = _MM.get(image.header.get_xyzt_units()[0], 1.0)  # where no unit is said, it is mm nearly everywhere
    sizes = np.zeros(3)
    for size, (goes_to, _) in zip(voxel_sizes(image.affine), turn, strict=True):
        sizes[int(goes_to)] = size * factor
    width, height, depth = (float(size) for size in sizes)
    return depth, height, width


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
