"""A gallery: embeddings of people who are enrolled, in one file that holds no code.

It is safetensors with the embeddings, and whose they are as JSON in its header.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.errors import InputError
from cnnexp.runs.atomic import replacing

GALLERY = "gallery.safetensors"
"""In a run's folder, where nobody names another place."""
_HEADER, _TENSOR = "cnnexp_gallery", "embedding"


@dataclass(frozen=True)
class Gallery:
    """Who is enrolled.

    Attributes:
        embedding: float32 (N, d), of length 1, one for each picture. people: N names, of each picture's person.
        pictures: N names. net: digest of the weights that made them. run: its id.
    """

    embedding: NDArray[np.float32]
    people: tuple[str, ...]
    pictures: tuple[str, ...]
    net: str
    run: str

    def nearest(self, embedding: NDArray[np.floating]) -> list[tuple[str, float, str]]:
        """Each person with the similarity of the most similar picture of theirs, and that picture; the best first."""
        similar = self.embedding.astype(np.float64) @ np.asarray(embedding, np.float64)
        best: dict[str, tuple[str, float, str]] = {}
        for place in np.argsort(-similar, kind="stable"):
            person = self.people[place]
            best.setdefault(person, (person, float(similar[place]), self.pictures[place]))
        return list(best.values())


def write_gallery(gallery: Gallery, path: Path) -> None:
    """Replace the file as a whole."""
    from safetensors.numpy import save

    header = {"people": gallery.people, "pictures": gallery.pictures, "net": gallery.net, "run": gallery.run}
    content = save({_TENSOR: gallery.embedding}, metadata={_HEADER: json.dumps(header, ensure_ascii=False)})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_gallery(path: Path) -> Gallery:
    """Read it without trust.

    Raises:
        InputError: it is not there, damaged, no gallery, or nobody is in it.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path}: there is no such gallery; cnnexp enrol RUN FOLDER makes one")
    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {})[_HEADER])
            return _checked(file.get_tensor(_TENSOR), header)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a gallery that can be read; cnnexp enrol RUN FOLDER makes one") from error


def _checked(embedding: NDArray[Any], header: dict[str, Any]) -> Gallery:
    """Raises ValueError where header and embeddings do not belong together."""
    lists = [header["people"], header["pictures"]]
    words = [header["net"], header["run"], *(word for one in lists for word in one)]
    lengths = {len(embedding), *map(len, lists)}
    lengthy = embedding.ndim == 2 and embedding.dtype == np.float32 and np.isfinite(embedding).all()
    if not lengthy or len(lengths) > 1 or lengths == {0} or not all(isinstance(word, str) for word in words):
        raise ValueError("not as it was written")
    if not np.allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-3):
        raise ValueError("its embeddings are not of length 1")
    return Gallery(embedding, tuple(header["people"]), tuple(header["pictures"]), header["net"], header["run"])
