"""Several losses of one truth, added up by weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from cnnexp.losses.term import Loss, Term


class Combined(Loss):
    """Σ w · loss, each part a term of its own: under several processes, or in parts of a batch, each is a mean over its
    own count.

    A term is logged times its weight, so that what is logged adds up to the loss.

    Args:
        parts: losses by the names of their files. weights: of each, above 0.
    """

    alone: ClassVar[bool] = True

    def __init__(self, *, parts: Mapping[str, Loss], weights: Mapping[str, float]) -> None:
        super().__init__()
        self.parts, self.weights = nn.ModuleDict(parts), dict(weights)
        usual = {name: part.term or name for name, part in parts.items()}
        alike = {one for one, number in Counter(usual.values()).items() if number > 1}
        self.names = {name: name if one in alike else one for name, one in usual.items()}
        self.mixes = all(part.mixes for part in parts.values())
        self.of_whole_masks = any(part.of_whole_masks for part in parts.values())

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(self.names.values())

    @property
    def counts_in_advance(self) -> bool:
        return all(type(part).count is not Loss.count for part in self.losses.values())

    @property
    def losses(self) -> dict[str, Loss]:
        """The parts by name."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Loss)}

    def counts(self, truth: Mapping[str, Tensor]) -> Mapping[str, int | Tensor]:
        return {self.names[name]: part.count(truth) for name, part in self.losses.items()}

    def terms(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> list[Term]:
        found = {name: part(answer, truth, train) for name, part in self.losses.items()}
        return [Term(self.names[name], self.weights[name] * one.mean, one.count) for name, one in found.items()]

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Not to be asked: there is no one count; see ``terms``."""
        raise NotImplementedError

    def weigh(self, weights: Tensor) -> None:
        for part in self.losses.values():
            if type(part).weigh is not Loss.weigh:
                part.weigh(weights)
