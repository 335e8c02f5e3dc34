"""What nets, tasks and reports need to know of a data set before a sample is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnexp.answers.base import Answer
from cnnexp.inputs.base import Input

LABEL = "label"


@dataclass(frozen=True)
class Facts:
    """A data set's name, its kind of input, and each of its truths with the names that belong to it.

    Attributes:
        targets: by the words of the data set's YAML (label, mask, boxes).
        shown: numbers of the classes that samples can be of, where a net knows further ones; None for all.
        told: keys of ``data`` that only the files tell, with what was found.
        named: False while classes are not known before the user's folder is read; their names are stand-ins then.
    """

    name: str
    input: Input
    targets: Mapping[str, Answer] = field(default_factory=dict)
    named: bool = True
    shown: tuple[int, ...] | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    def names(self, target: str | None) -> tuple[str, ...]:
        """Names of the classes of a target; none for a task that has no target."""
        return () if target is None else self.targets[target].names

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of what the numbers under ``label`` stand for: classes, or identities; none where there are no such."""
        return next((answer.names for answer in self.targets.values() if LABEL in answer.keys), ())
