"""The two sides of a generative adversarial net, in the form that does not saturate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term

DISCRIMINATOR, GENERATOR = "discriminator", "generator"


class Adversarial(Loss):
    """-log D(x) - log(1 - D(G(z))) for the discriminator, -log D(G(z)) for the generator, means over samples.

    A discriminator that knows nothing, D = 1/2, loses 2 ln 2 and the generator ln 2. Source: Goodfellow et al. 2014,
    "Generative adversarial nets", equation 1, and section 3 for what the generator minimises in place of
    log(1 - D(G(z))).
    """

    alone: ClassVar[bool] = True

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B,): those of generated samples; with ``real``, the logits of real ones, the discriminator's."""
        if "real" not in truth:
            return Term(GENERATOR, _binary(answer, 1.0), len(answer))
        return Term(DISCRIMINATOR, _binary(truth["real"], 1.0) + _binary(answer, 0.0), len(answer))


def _binary(logits: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, logits.new_full(logits.shape, target))
