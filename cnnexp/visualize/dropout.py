"""Dropout as an average of many nets: thinned nets drawn and averaged, beside the one net with scaled weights.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout: a simple way to prevent neural networks from
overfitting", section 7.5 and figure 11: a net with dropout is trained as 2^n thinned nets that share their weights. At
test time one net with all units, their weights scaled, stands for the mean over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnexp.models.auxiliary import split_answer

COUNTS = (1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 200, 300, 500)
"""So many thinned nets are averaged, as far as there are that many."""
DROPPING = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
_BATCH = 250
_SMALLEST = 1e-12


@dataclass(frozen=True)
class DropoutResult:
    """What was measured.

    Attributes:
        samples: asked about. counts: of thinned nets in an average. groups: how many such averages there are, of
            other nets each. error: mean over the groups of the part of wrong answers. spread: its standard deviation
            over the groups; None for fewer than two. loss: mean over the groups of the cross entropy of the averaged
            probabilities. scaled_error, scaled_loss: of the one net with scaled weights.
    """

    samples: int
    counts: list[int]
    groups: list[int]
    error: list[float]
    spread: list[float | None]
    loss: list[float]
    scaled_error: float
    scaled_loss: float

    @property
    def enough(self) -> int | None:
        """The fewest thinned nets whose average errs no more often than the scaled net; None if none does."""
        return next((n for n, e in zip(self.counts, self.error, strict=True) if e <= self.scaled_error), None)


def dropouts(net: nn.Module) -> list[str]:
    """Names of the layers that drop something."""
    return [name for name, one in net.named_modules() if isinstance(one, DROPPING) and one.p > 0]


@contextmanager
def thinned(net: nn.Module, seed: int) -> Iterator[None]:
    """A net in evaluation mode whose dropout drops all the same; the process's random numbers are given back."""
    layers = [net.get_submodule(name) for name in dropouts(net)]
    with torch.random.fork_rng(devices=_cuda_of(net)):
        torch.manual_seed(seed)
        for layer in layers:
            layer.train()
        try:
            yield
        finally:
            for layer in layers:
                layer.eval()


@torch.no_grad()
def measure(
    net: nn.Module, given: tuple[Tensor, ...], labels: Tensor, nets: int, seed: int, done: Callable[[int], None]
) -> DropoutResult:
    """Error and loss of averages of thinned nets, and of the scaled net.

    Args:
        net: a classifier in evaluation mode: logits (B, K), or a tuple that begins with them.
        given: its arguments, (N, ...) each. labels: int64 (N,). nets: thinned nets that are drawn: each sample is
            answered by so many other ones. done: told how many have answered.
    """
    scaled = _probabilities(net, given)
    drawn = []
    with thinned(net, seed):
        for number in range(nets):
            drawn.append(_probabilities(net, given))
            done(number + 1)
    answers = torch.stack(drawn)
    counts = [count for count in COUNTS if count < nets] + [nets]
    groups = [nets // count for count in counts]
    errors, losses = [], []
    for count, several in zip(counts, groups, strict=True):
        means = answers[: count * several].unflatten(0, (several, count)).mean(1)
        errors.append(torch.stack([_error(mean, labels) for mean in means]))
        losses.append(torch.stack([_loss(mean, labels) for mean in means]).mean().item())
    return DropoutResult(
        samples=len(labels),
        counts=counts,
        groups=groups,
        error=[one.mean().item() for one in errors],
        spread=[one.std().item() if len(one) > 1 else None for one in errors],
        loss=losses,
        scaled_error=_error(scaled, labels).item(),
        scaled_loss=_loss(scaled, labels).item(),
    )


def _probabilities(net: nn.Module, given: tuple[Tensor, ...]) -> Tensor:
    """(N, K)."""
    parts = zip(*(one.split(_BATCH) for one in given), strict=True)
    return torch.cat([split_answer(net(*part))[0].double().softmax(1) for part in parts])


def _error(probabilities: Tensor, labels: Tensor) -> Tensor:
    return (probabilities.argmax(1) != labels).double().mean()


def _loss(probabilities: Tensor, labels: Tensor) -> Tensor:
    return -probabilities.gather(1, labels[:, None]).clamp(min=_SMALLEST).log().mean()


def _cuda_of(net: nn.Module) -> list[torch.device]:
    return list({one.device for one in net.parameters() if one.device.type == "cuda"})
