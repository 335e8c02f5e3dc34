"""Convolutions over the words of a text and the maximum over time (Kim 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.word_numbers import PADDING

Channels = Literal["static", "non_static", "both"]
FIRST_RANGE = 0.25
"""Rows of an embedding begin uniform in plus and minus this, about as wide as word2vec's on Google News."""


class KimCNN(nn.Module):
    """Each word becomes a vector; filters of several widths slide over the text; of each the largest answer is kept.

    Kim 2014, "Convolutional neural networks for sentence classification", section 2: equation 2 is the convolution over
    a window of h words, c = f(w · x + b); the largest c of a text is kept, and behind that lie dropout and one linear
    layer. As in the published code a text has h - 1 rows of padding at either end, so that a text that is shorter than
    a filter has windows too. Windows that see nothing but padding never count: the answer for a text does not depend on
    how far its batch is filled up.

    With both channels the vectors of a word lie in two embeddings, one of which does not learn; each filter is applied
    to both and the results are added, which is a filter applied to their sum.

    Args:
        vocabulary: numbers of words, padding and the unknown word among them.
        num_classes: number of classes K.
        width: numbers in the vector of a word.
        windows: words that the filters see, a number for each group of filters.
        maps: filters in each group.
        channels: whether the vectors learn: ``non_static``, not (``static``), or ``both``.
        vectors: what the vectors begin as (``cnnexp.builders.word_vectors``): ``random``, or a file's or a run's.
        dropout: probability in [0, 1) of dropping an input of the linear layer; the paper has 0.5.

    Raises:
        InputError: a number below 1; no windows.
    """

    vector_tables: ClassVar[tuple[str, ...]] = ("embedding",)

    def __init__(
        self,
        *,
        vocabulary: int,
        num_classes: int,
        width: int,
        windows: Sequence[int],
        maps: int,
        channels: Channels = "non_static",
        vectors: str = "random",
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, maps=maps)
        all_at_least_one(windows=windows)
        if not windows:
            raise InputError("model.windows=[]: name at least one number of words, such as [3,4,5]")
        self.vectors, self.windows = vectors, tuple(windows)
        self.embedding = _embedding(vocabulary, width)
        self.static = _embedding(vocabulary, width) if channels == "both" else None
        for frozen in (self.static, self.embedding if channels == "static" else None):
            if frozen is not None:
                frozen.weight.requires_grad_(False)
        self.filters = nn.ModuleList(nn.Conv1d(width, maps, window, padding=window - 1) for window in windows)
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.linear = nn.Linear(maps * len(windows), num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of the numbers of words, int64 (B, L), 0 behind the end of a text."""
        answers = [answer.amax(2) for answer in self.answers(x)]
        return self.linear(self.drop(torch.cat(answers, 1).relu()))

    def answers(self, x: Tensor) -> list[Tensor]:
        """What each group of filters answers to each window before the ReLU, (B, maps, L + h - 1).

        The first window ends with the first word, and so on; windows behind the last word have minus infinity.
        """
        vectors = self.embedding(x)
        if self.static is not None:
            vectors = vectors + self.static(x)
        vectors, ends = vectors.transpose(1, 2), (x != PADDING).sum(1)
        found = []
        for layer, window in zip(self.filters, self.windows, strict=True):
            answer = layer(vectors)
            place = torch.arange(answer.shape[2], device=x.device)
            behind = place >= (ends + window - 1)[:, None]
            found.append(answer.masked_fill(behind[:, None], -torch.inf))
        return found

    def word_embeddings(self) -> list[nn.Embedding]:
        """Those whose rows are the vectors of words."""
        return [self.embedding] if self.static is None else [self.embedding, self.static]


def _embedding(vocabulary: int, width: int) -> nn.Embedding:
    embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
    with torch.no_grad():
        embedding.weight.uniform_(-FIRST_RANGE, FIRST_RANGE)
        embedding.weight[PADDING] = 0
    return embedding
