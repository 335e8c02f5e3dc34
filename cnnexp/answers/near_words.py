"""Words that lie near a text, by their vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.answers.base import Answer, Batch, Picture
from cnnexp.inputs.tokens import FIRST_WORD

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 8


class NearWords(Answer):
    """Answer: words and the cosines of their vectors with the mean of a text's, the nearest first. There is no truth.

    Args:
        names: of all numbers of words.
    """

    keys: ClassVar[tuple[str, ...]] = ()

    def nearest(self, vectors: Tensor, texts: Tensor) -> list[list[tuple[str, float]]]:
        """For texts int64 (B, L) and vectors (V, width); none for a text without a word that has a number."""
        directions = nn.functional.normalize(vectors.double())[FIRST_WORD:]
        found: list[list[tuple[str, float]]] = []
        for text in texts:
            known = text[text >= FIRST_WORD]
            if not len(known):
                found.append([])
                continue
            cosines = directions @ nn.functional.normalize(vectors[known].double().mean(0), dim=0)
            best = cosines.topk(min(SHOWN, len(cosines)))
            words = [self.names[FIRST_WORD + place] for place in best.indices.tolist()]
            found.append(list(zip(words, best.values.tolist(), strict=True)))
        return found

    def as_json(self, answer: Sequence[tuple[str, float]], picture: Picture) -> dict[str, Any]:
        return {"near": [{"word": word, "cosine": round(cosine, 4)} for word, cosine in answer]}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [f"{one['word']:<20}{one['cosine']:.3f}" for one in row["near"]] or ["no word that has a number"]

    def image(self, picture: Picture, answer: Sequence[tuple[str, float]], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        return grid_image([picture], [" ".join(word for word, _ in answer)])

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        return {}


def word_map(vectors: NDArray[np.float32], names: Sequence[str]) -> Image.Image | None:
    """Words in the plane, by their vectors (N, width); None of too few words."""
    from cnnexp.visualize.word_map import LEAST_WORDS, word_map_image

    return word_map_image(vectors, names) if len(names) >= LEAST_WORDS else None
