"""The way of a training through its weights: those after its epochs, and the plane in which they lie widest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnexp.commands.epochs import BEGAN, at_epoch, epochs_kept, spread_over

if TYPE_CHECKING:
    from cnnexp.commands.looking import Subject
    from cnnexp.visualize.loss_surface import Direction, Projected

OPTION = "--path"
MOST_EPOCHS = 40
"""That are looked at: the weights of all of them are in memory."""


@dataclass(frozen=True)
class Way:
    """Where a training went.

    Attributes:
        subject: with the weights after the last epoch. directions: the first two principal components, of length 1.
        explained: part of the variance of the way along each. at: by epoch, from 0, steps along the directions from the
            last weights, and the part of the squared distance to them that the plane holds. digests: of the weights, by
            epoch. kept: the file of each epoch that is there, of those that are left out too.
    """

    subject: Subject
    directions: Sequence[Direction]
    explained: tuple[float, float]
    at: Mapping[int, Projected]
    digests: Mapping[str, str]
    kept: Mapping[int, str]

    def along(self, which: int) -> list[float]:
        """The steps along a direction, by epoch."""
        return [steps[which] for steps, _ in self.at.values()]

    def after(self, epoch: int, trusted: Sequence[str]) -> Subject:
        """The subject as it was after an epoch."""
        return at_epoch(self.subject, epoch, self.kept, trusted)


def way_of(subject: Subject, trusted: Sequence[str]) -> Way:
    """The way of the subject's run.

    Raises:
        InputError: it kept no weights of its epochs. NotFitting: they span no plane.
    """
    from dataclasses import replace

    from cnnexp.visualize.loss_surface import project
    from cnnexp.visualize.section import NotFitting
    from cnnexp.visualize.surface_points import digest_of
    from cnnexp.visualize.weight_path import principal

    kept = epochs_kept(subject, OPTION)
    weights, digests = {}, {}
    last = subject
    for epoch in spread_over([BEGAN, *kept], MOST_EPOCHS):
        last = at_epoch(subject, epoch, kept, trusted)
        weights[epoch] = {name: one.detach() for name, one in last.task.net.named_parameters()}
        digests[str(epoch)] = digest_of(weights[epoch])
    path = list(weights.values())
    try:
        directions, explained = principal(path)
    except ValueError as error:
        raise NotFitting(f"{OPTION}: {subject.name}: {error}; more epochs make a path, as epochs=10") from error
    at = {epoch: project(one, path[-1], directions) for epoch, one in weights.items()}
    return Way(replace(subject, task=last.task), directions, explained, at, digests, kept)
