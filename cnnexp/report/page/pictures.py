"""Pictures of a run's folder, put into a page: small ones as they are, large ones as JPEG."""

from __future__ import annotations

import base64
import os
import stat
from io import BytesIO
from pathlib import Path

SHOWN = {
    "predicted.png": "predicted against true numbers",
    "predictions.png": "predictions",
    "mistakes.png": "objects by what they were taken for, and detections of nothing",
    "precision_recall.png": "precision over recall",
    "reconstructions.png": "reconstructions",
    "samples.png": "samples",
    "film.png": "pictures of the same noise after some epochs",
    "interpolation.png": "from the code of one picture to that of another",
    "code_map.png": "pictures decoded from a grid of codes",
    "codes.png": "codes of the test",
    "neighbours.png": "nearest codes",
    "roc.png": "ROC curve of pairs",
    "mistaken_pairs.png": "pairs of two identities taken for one, framed; then pairs of one taken for two",
    "embeddings.png": "embeddings of the test",
    "word_map.png": "frequent words by the directions of their vectors",
    "filters.png": "filters",
    "gradients.png": "gradient norms of the layers",
}
"""Pictures that a page shows, if they are there; the curves and the confusion matrix are drawn by the page."""
MOST_BYTES = 12_000_000
SMALL_BYTES = 200_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def embedded(folder: Path) -> list[dict[str, str]]:
    """The pictures of a run as name and ``data:`` address; no links, and nothing but PNG."""
    found = []
    for file, name in SHOWN.items():
        content = _png(folder / "pictures" / file)
        source = None if content is None else address_of(content)
        if source is not None:
            found.append({"name": name, "source": source})
    return found


def as_address(content: bytes, kind: str = "png") -> str:
    """A picture's bytes as an address that holds them."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def sound_address(content: bytes) -> str:
    """A wav file's bytes as an address that holds them."""
    return f"data:audio/wav;base64,{base64.b64encode(content).decode()}"


def address_of(content: bytes) -> str | None:
    """A PNG's address; a large one, of photographs most likely, as JPEG. None where it is none, or unfolds too far."""
    if len(content) <= SMALL_BYTES:
        return as_address(content)
    import warnings

    from PIL import Image

    smaller = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=["PNG"]) as image:
                image.convert("RGB").save(smaller, "JPEG", quality=85)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None
    return as_address(smaller.getvalue(), "jpeg")


def _png(path: Path) -> bytes | None:
    if path.parent.is_symlink():
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb", closefd=True) as file:
        content = file.read(MOST_BYTES + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    return content if content.startswith(_SIGNATURE) and len(content) <= MOST_BYTES else None
