"""The class of a text by a vote of the training texts that lie nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from cnnexp.models.word_numbers import PADDING

_ITSELF = 1 - 1e-5
"""A cosine above it is of the text itself, or of a copy."""
_NO_VOTE = 1e-4
_DENSE = 1024
_AT_ONCE = 256


class NearestTexts(nn.Module):
    """The k nearest training texts by cosine, of which each votes for its class with the weight exp(cos / τ).

    p(class) is the class's part of all weights (Wu et al. 2018, "Unsupervised feature learning via non-parametric
    instance discrimination", section 3.4). τ is all that is learnt, by leaving a text and its copies out of its own
    vote in training. A class without a vote keeps a part of 1e-4, so that no loss is infinite.

    Args:
        count: training texts n. length: words of each, at most. num_classes: K. neighbours: k.
    """

    texts: Tensor
    labels: Tensor

    def __init__(self, count: int, length: int, num_classes: int, neighbours: int) -> None:
        super().__init__()
        self.num_classes, self.neighbours = num_classes, neighbours
        self.register_buffer("texts", torch.zeros(count, length, dtype=torch.int32))
        self.register_buffer("labels", torch.zeros(count, dtype=torch.int64))
        self.sharpness = nn.Parameter(torch.tensor(10.0))  # 1 / τ
        self._vectors: Tensor | None = None
        self.register_load_state_dict_post_hook(lambda module, _: module.forget())

    def remember(self, samples: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Take over the training texts, batches int64 (B, L) with their labels (B,)."""
        begin = 0
        self.texts.fill_(PADDING)
        for x, labels in samples:
            self.texts[begin : begin + len(x), : x.shape[1]] = x
            self.labels[begin : begin + len(x)] = labels
            begin += len(x)
        self.forget()

    def forget(self) -> None:
        """Vectors of the training texts are made anew when they are next needed."""
        self._vectors = None

    def forward(self, vectors: Tensor, features: Callable[[Tensor], Tensor]) -> Tensor:
        """Logits (B, K) of the vectors of texts (B, D). ``features``: numbers of words (n, L) → vectors (n, D)."""
        likeness = self._cosines(vectors, features)
        if self.training:
            likeness = likeness.masked_fill(likeness > _ITSELF, -torch.inf)
        nearest = likeness.topk(min(self.neighbours, likeness.shape[1]), 1)
        weights = (self.sharpness * (nearest.values - nearest.values[:, :1])).exp().nan_to_num(0.0)
        votes = torch.zeros(len(vectors), self.num_classes, device=vectors.device)
        votes = votes.scatter_add(1, self.labels[nearest.indices], weights)
        return (votes + _NO_VOTE * votes.sum(1, keepdim=True).clamp(min=1)).log()

    @torch.no_grad()
    def _cosines(self, vectors: Tensor, features: Callable[[Tensor], Tensor]) -> Tensor:
        """Of texts (B, D) and all training texts, (B, n)."""
        if self._vectors is None or self._vectors.device != vectors.device:
            known = [nn.functional.normalize(features(part.long())) for part in self.texts.split(_AT_ONCE)]
            # of long vectors most numbers are 0
            known = [one if one.shape[1] <= _DENSE else one.to_sparse() for one in known]
            self._vectors = torch.cat(known)
        asked = nn.functional.normalize(vectors)
        return torch.sparse.mm(self._vectors, asked.T).T if self._vectors.is_sparse else asked @ self._vectors.T
