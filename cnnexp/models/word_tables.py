"""The vectors of words in nets that have some: of each word one row in one table, or the sum of its rows in several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def has_word_vectors(net: Any) -> bool:
    """Whether a net, or the class of one, names its tables: ``vector_tables``, names of embeddings."""
    tables: Any = getattr(net, "vector_tables", ())
    return bool(tables)


def word_vectors(net: nn.Module) -> Tensor:
    """A row for each number of a word, (V, width)."""
    return vectors_in(net, net.state_dict())


def vectors_in(net: Any, state: Mapping[str, Tensor]) -> Tensor:
    """The same of a state dict, for a net or its class.

    Raises:
        KeyError: the state dict is another net's.
    """
    return torch.stack([state[f"{name}.weight"] for name in _tables(net)]).sum(0)


def _tables(net: Any) -> tuple[str, ...]:
    tables: tuple[str, ...] = net.vector_tables
    return tables
