"""Who it is: identities that a net is not trained on, told apart by the directions of embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.answers.base import Answer, Batch, Picture, Samples
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_SHOWN = 4


class Identity(Answer):
    """Truth: ``label`` int64 (B,), the number of an identity. Answer: an embedding, float (d,), of length 1.

    Validation and test may have other identities than training; those of the training are learnt with the input.

    Args:
        names: of all identities. trained: names of those that the net was trained on; None before they are known.
    """

    keys: ClassVar[tuple[str, ...]] = ("label",)
    learns: ClassVar[bool] = True
    open_set: ClassVar[bool] = True

    def __init__(self, names: Sequence[str] = (), trained: Sequence[str] | None = None) -> None:
        super().__init__(names)
        self.trained = None if trained is None else tuple(trained)

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Identity:
        """With the identities of these samples.

        Raises:
            InputError: there is one only, or none with two samples.
        """
        labels = _labels(split)[torch.from_numpy(positions)]
        _refuse_untold(labels, "the training")
        return Identity(self.names, [self.names[number] for number in labels.unique().tolist()])

    def learnt(self) -> dict[str, Any]:
        return {} if self.trained is None else {"trained": list(self.trained)}

    def with_learnt(self, content: Mapping[str, Any]) -> Identity:
        trained = content.get("trained")
        if not isinstance(trained, list) or not trained or not all(isinstance(one, str) for one in trained):
            raise InputError("no names of the identities that the net was trained on")
        return Identity(self.names, trained)

    @property
    def rows(self) -> tuple[int, ...]:
        """For each identity its place among those of the training, -1 where it is none of them."""
        places = {name: place for place, name in enumerate(self.names if self.trained is None else self.trained)}
        return tuple(places.get(name, -1) for name in self.names)

    def refuse(self, split: Samples, name: str) -> None:
        _refuse_untold(_labels(split), f"a split of data={name}")

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        return {"caption": self.names[int(batch["label"][place])]}

    def as_json(self, answer: NDArray[Any], picture: Picture) -> dict[str, Any]:
        return {"embedding": [round(float(one), 6) for one in answer]}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        numbers = row["embedding"]
        shown = ", ".join(f"{one:.3f}" for one in numbers[:_SHOWN])
        return [f"a direction of {len(numbers)} numbers: {shown}, … (--json has them all; cnnexp match compares)"]

    def image(self, picture: Picture, answer: NDArray[Any], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        return grid_image([picture], None if truth is None else [self.names[int(truth["label"][0])]])

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        """None: what an embedding is worth shows beside others alone."""
        return {}

    def scattered(self, embeddings: NDArray[Any], labels: NDArray[Any]) -> Image.Image:
        """Embeddings (N, d) in the plane of their first two principal components, coloured by identity (N,)."""
        from cnnexp.visualize.codes import codes_image

        there, places = np.unique(labels, return_inverse=True)  # few of many identities: neighbouring colours differ
        return codes_image(embeddings, places, [self.names[one] for one in there], noun="embedding")

    def pair_sheet(self, pictures: Sequence[Picture], similar: Sequence[float], identities: Sequence[int]) -> Any:
        """Pairs of pictures side by side, each of the first with its similarity to the second.

        Args:
            pictures: two for each pair. similar: one for each pair. identities: as many as pictures.
        """
        from cnnexp.visualize.pairs import pairs_image

        return pairs_image(pictures, similar, [self.names[number] for number in identities])

    def roc(
        self, curves: Mapping[str, tuple[NDArray[Any], NDArray[Any], float]], chosen: tuple[float, float] | None
    ) -> Any:
        """ROC curves by name: false accepts, true accepts, and the equal error; and the point of the threshold."""
        from cnnexp.visualize.roc import roc_image

        return roc_image(curves, chosen)


def _labels(split: Samples) -> torch.Tensor:
    labels = split.labels_for_strata()
    if labels is None:
        raise InputError("task.target=identity: the samples of this data have no identity each")
    return labels


def _refuse_untold(labels: torch.Tensor, where: str) -> None:
    counts = labels.unique(return_counts=True)[1]
    if len(counts) < 2 or int(counts.max()) < 2:
        raise InputError(
            f"{where}: {len(labels)} samples of {len(counts)} "
            f"{'identity' if len(counts) == 1 else 'identities'}; there have to be two identities, and two samples of "
            "one of them, for a pair of each kind"
        )
