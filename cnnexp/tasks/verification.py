"""The embeddings of a validation or test, and what pairs of them come to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.statistics.verification import Pairs, Roc, pairs_of, recall_at_1, roc_of

EMBEDDINGS = "embeddings"


@dataclass(frozen=True)
class Threshold:
    """From which similarity on two samples are taken for one identity, and what it came to in the validation.

    Attributes:
        similarity: a cosine, in [-1, 1]. false_accepts, false_rejects: parts of the pairs. different, same: pairs.
    """

    similarity: float
    false_accepts: float
    false_rejects: float
    different: int
    same: int


class Decided(nn.Module):
    """The threshold that the last validation chose, as a buffer: it is kept with the weights that it belongs to."""

    found: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("found", torch.full((5,), math.nan, dtype=torch.float64))

    def keep(self, threshold: Threshold) -> None:
        self.found.copy_(torch.tensor(list(asdict(threshold).values()), dtype=torch.float64))

    @property
    def threshold(self) -> Threshold | None:
        """None before the first validation."""
        similarity, accepts, rejects, different, same = self.found.tolist()
        if math.isnan(similarity):
            return None
        return Threshold(similarity, accepts, rejects, int(different), int(same))


@dataclass(frozen=True)
class Embedded:
    """The samples of a split, in its order.

    Attributes:
        embedding: float32 (N, d), of length 1. identity: int64 (N,).
    """

    embedding: NDArray[np.float32]
    identity: NDArray[np.int64]


def packed(index: Tensor, identity: Tensor, embedding: Tensor) -> Tensor:
    """A batch as float32 (B, 2 + d), which processes can gather: whole numbers stay exact up to 2^24."""
    return torch.cat([index[:, None].float(), identity[:, None].float(), embedding.float()], 1)


def unpacked(rows: Any) -> Embedded:
    """What was packed, each sample once, by its index: whatever the batches and processes were."""
    found = rows.float().cpu().numpy()
    ordered = found[np.unique(found[:, 0], return_index=True)[1]]
    return Embedded(np.ascontiguousarray(ordered[:, 2:]), ordered[:, 1].astype(np.int64))


def choose(pairs: Pairs, roc: Roc, false_accepts: float | None) -> Threshold:
    """The threshold of a validation.

    Args:
        false_accepts: the part of pairs of two identities that may be accepted; None for the most accurate threshold.
    """
    similarity = roc.most_accurate() if false_accepts is None else roc.accepting_falsely(false_accepts)
    wrong = pairs.false_accepts(similarity), pairs.false_rejects(similarity)
    return Threshold(similarity, *wrong, len(pairs.different), len(pairs.same))


def scores(embedded: Embedded, pairs: Pairs, roc: Roc, threshold: Threshold | None) -> dict[str, float]:
    """What a validation or test has: by all thresholds, and at the one that was chosen, where there is one."""
    by_all = {"auc": pairs.auc, "equal_error": roc.equal_error}
    nearest = {"recall_at_1": recall_at_1(embedded.embedding, embedded.identity)}
    if threshold is None:
        return {**by_all, **nearest}
    at = threshold.similarity
    wrong = {"false_accepts": pairs.false_accepts(at), "false_rejects": pairs.false_rejects(at)}
    return {**by_all, "accuracy": pairs.accuracy(at), **nearest, **wrong, "threshold": at}


def counted(pairs: Pairs, identities: NDArray[np.int64], rows: tuple[int, ...]) -> Mapping[str, Mapping[str, int]]:
    """Pairs of each kind, and how many identities of a test were trained on.

    Args:
        rows: for each identity its place among those of the training, -1 for none.
    """
    there = np.unique(identities)
    known = int(sum(rows[one] >= 0 for one in there))
    return {
        "pairs": {"of one identity": len(pairs.same), "of two": len(pairs.different)},
        "identities of the test": {"never trained on": len(there) - known, "trained on": known},
    }


def told(embedded: Embedded) -> tuple[Pairs, Roc] | None:
    """Pairs and their curve; None where there are none of one kind, as in a few batches."""
    pairs = pairs_of(embedded.embedding, embedded.identity)
    return (pairs, roc_of(pairs)) if len(pairs.same) and len(pairs.different) else None
