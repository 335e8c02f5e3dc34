"""Which files are pictures by their names, and which would be with something else installed."""

from __future__ import annotations

from importlib.util import find_spec

from PIL import features

from cnnexp.inputs.film_formats import FILM_SUFFIXES

_ALWAYS = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".pcx", ".qoi", ".npy"),
)
_BUILT_IN = frozenset(features.get_supported())
_JPEG_2000 = (".jp2", ".j2k", ".jpx") if "jpg_2000" in _BUILT_IN else ()
_AVIF = (".avif",) if "avif" in _BUILT_IN else ()
_HEIC = (".heic", ".heif", ".hif")
_RAW = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".rw2", ".orf", ".pef", ".srw", ".raw")

PICTURE_SUFFIXES = frozenset({*_ALWAYS, *_JPEG_2000, *_AVIF, *(_HEIC if find_spec("pillow_heif") else ())})

_CONVERT = "save them as PNG or JPEG"
_OTHERS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(_HEIC, ("HEIC", "pip install 'cnnexp[heif]'")),
    **dict.fromkeys((".avif", ".avifs"), ("AVIF", "pip install -U pillow")),
    **dict.fromkeys((".jp2", ".j2k", ".jpx"), ("JPEG 2000", _CONVERT)),
    **dict.fromkeys(_RAW, ("camera RAW", _CONVERT)),
    **{f".{name}": (word, _CONVERT) for name, word in (("jxl", "JPEG XL"), ("svg", "SVG"), ("psd", "PSD"))},
    **{f".{name}": (name.upper(), _CONVERT) for name in ("exr", "hdr", "dcm", "nii", "pdf", "eps", "xcf", "ico")},
    **dict.fromkeys(FILM_SUFFIXES, ("films", "data=video_folder reads films, for nets of clips")),
}

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*")
LONGEST_BEGINNING = max(map(len, _BEGINNINGS))


def other_format(suffix: str) -> tuple[str, str] | None:
    """The name of a picture format that is not read, by the suffix in lower case, and what helps."""
    return None if suffix in PICTURE_SUFFIXES else _OTHERS.get(suffix)


def begins_like_a_picture(content: bytes) -> bool:
    """Whether the first bytes of a file are those of a usual picture, whatever its name."""
    return content.startswith(_BEGINNINGS)
