"""Two texts that belong together or not: a net of convolutions over each, and one that compares what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.kim_cnn import KimCNN


class TwoTowers(nn.Module):
    """Each text becomes a code by Kim's net (``kim_cnn``), and a layer compares the two codes u and v.

    The towers share their weights where the texts are of one kind (Bromley et al. 1993, "Signature verification using a
    'Siamese' time delay neural network"), and have their own where they are not, as molecules and proteins are (Öztürk,
    Özgür and Ozkirimli 2018, "DeepDTA"). What is compared: [u, v, |u − v|, u · v] (Conneau et al. 2017, "Supervised
    learning of universal sentence representations", figure 1); ``join`` leaves only a part of it.

    Args:
        first_vocabulary, second_vocabulary: numbers of words of each text, padding and the unknown word among them.
        num_classes: numbers that are answered, K.
        width: numbers in the vector of a word.
        windows: words that the filters see, a number for each group of filters.
        maps: filters in each group.
        code: numbers that a text becomes.
        hidden: units that compare; 0 for a linear layer alone.
        shared: whether one tower reads both texts.
        join: ``all``, ``concatenation`` [u, v], ``difference`` |u − v| or ``product`` u · v.
        dropout: probability in [0, 1) of dropping an input of a code and of the comparison.

    Raises:
        InputError: a number below 1; no windows; one tower for two vocabularies.
    """

    def __init__(
        self,
        *,
        first_vocabulary: int,
        second_vocabulary: int,
        num_classes: int,
        width: int,
        windows: Sequence[int],
        maps: int,
        code: int,
        hidden: int,
        shared: bool,
        join: Literal["all", "concatenation", "difference", "product"] = "all",
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(code=code)
        if shared and first_vocabulary != second_vocabulary:
            raise InputError(
                "model.shared=true: the two texts have vocabularies of their own, which one tower cannot read; "
                "model.shared=false, or data.alike=[first,second] for one vocabulary"
            )

        def tower(vocabulary: int) -> KimCNN:
            return KimCNN(
                vocabulary=vocabulary, num_classes=code, width=width, windows=windows, maps=maps, dropout=dropout
            )

        self.join = join
        self.first = tower(first_vocabulary)
        self.second = None if shared else tower(second_vocabulary)
        joined = code * {"all": 4, "concatenation": 2, "difference": 1, "product": 1}[join]
        between = [nn.Linear(joined, hidden), nn.ReLU()] if hidden else []
        self.compare = nn.Sequential(*between, *dropout_layers(dropout))
        self.head = nn.Linear(hidden or joined, num_classes)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Answers (B, K) for pairs of texts, int64 (B, L) and (B, M) numbers of words, 0 behind the end of a text."""
        u, v = self.codes(first, second)
        return self.head(self.compare(self.joined(u, v)))

    def codes(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """What each text becomes, (B, code) both, between −1 and 1."""
        return self.first(first).tanh(), (self.first if self.second is None else self.second)(second).tanh()

    def joined(self, u: Tensor, v: Tensor) -> Tensor:
        """What is compared of two codes."""
        parts = {"concatenation": [u, v], "difference": [(u - v).abs()], "product": [u * v]}
        return torch.cat([u, v, (u - v).abs(), u * v] if self.join == "all" else parts[self.join], 1)

    def word_embeddings(self) -> list[nn.Embedding]:
        """Those whose rows are the vectors of words, of the first tower and then of the second."""
        return [*self.first.word_embeddings(), *(self.second.word_embeddings() if self.second is not None else [])]
