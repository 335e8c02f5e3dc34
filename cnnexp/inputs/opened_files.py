"""Picture files opened: their formats, their errors, and which side is up."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from PIL import ExifTags, Image

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.deep_files import array_in

Size = tuple[int, int]
"""Height, width."""

MAX_PIXELS = 100_000_000
"""A larger picture is refused: a small file can claim any size and fill the memory."""

_HEIF = (".heic", ".heif", ".hif")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by EXIF's orientation."""

# A broken block of EXIF says nothing of the picture, and is passed over.
warnings.filterwarnings("ignore", message="Corrupt EXIF data", category=UserWarning)


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Whatever a library says of a broken file becomes one line that names the file.

    Raises:
        InputError: the line.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except (
        Exception
    ) as error:  # the formats' plugins have no error in common: zlib's, struct's, KeyError, TypeError, ...
        raise unreadable(path, error) from error


@contextmanager
def opened_file(path: Path) -> Iterator[Image.Image]:
    """A file as Pillow opens it, of a size that can be borne.

    Raises:
        InputError: it is too large, or of a format whose library is not installed. Others: from Pillow.
    """
    if path.suffix.lower() in _HEIF:
        _register_heif(path)
    with Image.open(path) as opened:
        refuse_huge(path, opened.size)
        yield opened


def upright(opened: Image.Image) -> Image.Image:
    """The decoded picture, turned as EXIF says; of a number that EXIF does not have, nothing is said."""
    opened.load()  # a TIFF is turned by this already, and says so
    orientation = orientation_of(opened)
    return opened.transpose(_TURNS[orientation]) if orientation > 1 else opened


def upright_size(path: Path) -> Size:
    """Height and width of a picture once it is upright; of most formats only the head is read.

    Raises:
        InputError: as for ``read_picture``.
    """
    with named_errors(path):
        numbers = array_in(path, 1) if path.suffix.lower() == ".npy" else None
        if numbers is not None:
            return numbers.shape[0], numbers.shape[1]
        with opened_file(path) as opened:
            size = opened.size
            sideways = opened.format != "TIFF" and orientation_of(opened) >= 5  # a TIFF says its size upright
    return (size[0], size[1]) if sideways else (size[1], size[0])


def orientation_of(opened: Image.Image) -> int:
    """EXIF's orientation, from 1 (upright) to 8."""
    try:
        found = opened.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # a broken block; see above
        return 1
    return found if isinstance(found, int) and found in _TURNS else 1


def unreadable(path: Path, error: Exception) -> CorruptFile:
    """The line for a file that could not be decoded."""
    if isinstance(error, FileNotFoundError):
        return CorruptFile(f"{path}: no such file")
    said = " ".join(str(error).split()) or type(error).__name__
    reason = "not a picture in a format that is known" if isinstance(error, Image.UnidentifiedImageError) else said
    return CorruptFile(f"{path}: not a readable picture ({reason}); replace the file or remove it from the data set")


def refuse_huge(path: Path, size: Sequence[int]) -> None:
    """Raises InputError for a picture (width, height) of more than ``MAX_PIXELS``."""
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[0]}×{size[1]} pixels are more than {MAX_PIXELS:,}; make it smaller")


@lru_cache(maxsize=1)
def _heif() -> bool:
    """Whether Pillow now reads HEIC."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _register_heif(path: Path) -> None:
    if not _heif():
        raise InputError(f"{path}: a HEIC picture takes a library more: pip install 'cnnexp[heif]'")
