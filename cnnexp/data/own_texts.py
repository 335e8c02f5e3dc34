"""What folders and tables of the user's own texts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.folders import refuse_empty
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.inputs.words import bytes_of, words_of

EMPTY = "without a word"


@dataclass(frozen=True)
class TextSample(Sample):
    """A text of the user's, which was read already; ``picture`` is the file that it stands in."""

    text: str = ""


class OwnTexts(OwnFolder):
    """Texts of the user's with a class each; a subclass finds them. They are read once and lie in memory.

    Args:
        root: the folder. classes: their names in the order of their numbers; None for those that are found.
        encoding: of the files. target: the truth that the task learns.
    """

    targets: ClassVar[tuple[str, ...]] = ("label",)
    kind: ClassVar[str] = "texts"
    of_samples: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, *, root: str | None, classes: Sequence[str] | None, encoding: str, target: str | None = None
    ) -> None:
        super().__init__(root=root, classes=classes, image_size=(1, 1), channels=1, in_memory=True, target=target)
        self.encoding = encoding

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples, self.kind)

    def told(self) -> dict[str, Any]:
        return {}

    def load(self, split: SplitName) -> TensorSplit:
        self.prepare()
        samples: Sequence[Any] = self.samples[split]
        tensors = {"label": torch.tensor([sample.label for sample in samples])}
        texts = [bytes_of(sample.text) for sample in samples]
        return TensorSplit(
            tensors, ragged={"text": texts}, names=[one.name for one in samples], origins=self.origins(split)
        )

    def with_words(self, samples: Sequence[TextSample]) -> list[Sample]:
        """Less those that hold no word, which are entered."""
        for one in samples:
            if not words_of(one.text, 1):
                self.counted.leave_out(self.kind, EMPTY, one.name)
        return [one for one in samples if words_of(one.text, 1)]
