"""Generative adversarial nets: two parts that learn against each other, each with an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.generated import Generated
from cnnexp.augmentation.noise import gaussian
from cnnexp.data.facts import Facts
from cnnexp.inputs.base import Picture, count_of
from cnnexp.losses.adversarial import DISCRIMINATOR, GENERATOR
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.coding import in_bytes
from cnnexp.tasks.generating import noise_of
from cnnexp.tasks.means import LossMeans

_REAL, _GENERATED = "real", "generated"
_AT_ONCE = 256


class GAN(Task):
    """A net with a ``generator`` and a ``discriminator``, which answers logits to pictures in [-1, 1].

    On each batch the discriminator makes a step, then the generator one against the discriminator that it finds.
    ``real`` and ``generated`` are the mean probabilities that pictures of the data and made-up ones are taken for real.
    In evaluations a sample's noise is a function of its index.
    """

    normalises: ClassVar[bool] = False
    turns: ClassVar[tuple[str, ...]] = (DISCRIMINATOR, GENERATOR)
    one_process: ClassVar[bool] = True

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = Generated()

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return 1

    @property
    def term_names(self) -> tuple[str, ...]:
        return self.turns

    def learning(self, turn: str) -> nn.Module:
        part = getattr(self.net, turn)
        assert isinstance(part, nn.Module)
        return part

    def learn(self, batch: Batch, turn: str) -> StepOutput:
        net: Any = self.net
        noise = torch.randn(count_of(batch), net.noise, device=batch["index"].device, dtype=self._real(batch).dtype)
        if turn == GENERATOR:
            return StepOutput([self._term(net(net.generate(noise)), {})])
        with torch.no_grad():
            made = net.generate(noise)
        return self._output(net(self._real(batch)), net(made), [])

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        net: Any = self.net
        made = net.generate(self._noise_of(batch))
        real, generated = net(self._real(batch)), net(made)
        return self._output(real, generated, [self._term(generated, {})])

    def _output(self, real: Tensor, generated: Tensor, others: list[Term]) -> StepOutput:
        term = self._term(generated, {_REAL: real})
        return StepOutput([term, *others], generated.detach().sigmoid(), real.detach().sigmoid())

    def _term(self, answer: Tensor, truth: Mapping[str, Tensor]) -> Term:
        assert self.loss is not None
        term: Term = self.loss(answer, truth, self.training)
        return term

    def _real(self, batch: Batch) -> Tensor:
        """Pictures in [0, 1] as the nets have them, in [-1, 1]."""
        (picture,) = self.facts.input.arguments(batch)
        return picture * 2 - 1

    def _noise_of(self, batch: Batch) -> Tensor:
        net: Any = self.net
        return gaussian(batch["index"].to(torch.int32), net.noise).to(self._real(batch).dtype)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {"taken_for_real": LossMeans((_REAL, _GENERATED))}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if output.predictions is not None:
            both = ((_REAL, output.targets), (_GENERATED, output.predictions))
            metrics["taken_for_real"].update([Term(name, one.mean(), len(one)) for name, one in both])

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        found = metrics["taken_for_real"].compute()
        return Readings({name: found[name] for name in (_REAL, _GENERATED)})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return {
            "index": batch["index"].cpu().numpy(),
            "real": output.targets.float().cpu().numpy(),
            "generated": output.predictions.float().cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[dict[str, Any]]:
        """For each picture the probability that it is real, and one made up."""
        net: Any = self.net
        real = net(self._real(batch)).sigmoid().float().cpu().numpy()
        pictures = in_bytes((net.generate(self._noise_of(batch)).float() + 1) / 2)
        return [{"real": float(one), "picture": picture} for one, picture in zip(real, pictures, strict=True)]

    @torch.no_grad()
    def generate(self, count: int, seed: int) -> list[Picture]:
        """Pictures made up, uint8 (H, W, C): the i-th is a function of i and the seed."""
        net: Any = self.net
        noise = noise_of(count, net.noise, seed).to(self.device)
        return [one for part in noise.split(_AT_ONCE) for one in in_bytes((net.generate(part) + 1) / 2)]
