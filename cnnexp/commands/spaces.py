"""What techniques share that ask how near samples are: samples as they are, and in what the net makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnexp.commands.looking import Samples, Subject, named_layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnexp.visualize.features import Features

_AT_ONCE = 32


def as_they_are(samples: Samples) -> NDArray[np.float32]:
    """What the net takes, a row for each sample, (N, D): pixels, or of texts the counts of words."""
    import torch

    compared = samples.task.facts.input.compared
    found: NDArray[np.float32] = torch.cat([compared(one).cpu() for one in _batches(samples)]).numpy()
    return found


def features(subject: Subject, samples: Samples, layer: str | None) -> Features:
    """What the net makes of them before it answers, or what a layer answers.

    Raises:
        InputError: there is no such layer. NotFitting: it is nothing in which samples could be compared.
    """
    from cnnexp.visualize.features import features_of
    from cnnexp.visualize.section import NotFitting

    net = subject.task.net
    if layer is not None:
        named_layer([name for name, _ in net.named_modules() if name], layer)
    of = f"--layer {layer}" if layer is not None else f"the last layer of {subject.name}"
    try:
        found = features_of(net, _batches(samples), layer)
    except ValueError as error:
        raise NotFitting(f"{of}: {error}; --layer NAME takes another one, as cnnexp summary prints them") from error
    if not found.values.isfinite().all():
        raise NotFitting(f"{of}: answers numbers that are not finite, as of a training that diverged")
    return found


def _batches(samples: Samples) -> Iterator[Tensor]:
    from cnnexp.visualize.section import NotFitting

    facts = samples.task.facts
    if len(facts.input.example(1)) > 1:
        raise NotFitting(f"data={facts.name}: a sample has several parts, and nearness is measured between single ones")
    return (samples.prepared(start, start + _AT_ONCE) for start in range(0, len(samples), _AT_ONCE))
