"""Variational autoencoders: pictures through codes that are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.augmentation.noise import gaussian, sample_keys
from cnnexp.data.loading import Data
from cnnexp.inputs.base import Picture
from cnnexp.losses.bernoulli import Bernoulli
from cnnexp.losses.gaussian_divergence import gaussian_divergence
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput
from cnnexp.tasks.coding import CODE, MAP_SIDE, Coding, in_bytes
from cnnexp.tasks.generating import noise_of
from cnnexp.tasks.means import LossMeans, Sums

COLLAPSED_BELOW = 0.01
"""Nats: a number of the code whose mean divergence from the prior is less says nothing of the picture."""
SAMPLES, PAIRS, STEPS = 100, 6, 8
_KEY = 0xAE1  # keeps these draws apart from those of noise
_DRAWN = "drawn"
_MEANS, _DIMENSIONS = "means", "dimensions"


class VariationalAutoencoder(Coding):
    """Minus the evidence lower bound, E[-ln p(x|z)] + beta KL(q(z|x)‖N(0, 1)), in nats a picture.

    Kingma and Welling 2013, "Auto-encoding variational Bayes", equation 10 with one sample z = μ + σε. The noise ε is a
    function of the seed, the epoch and the picture in training, and of the picture alone in validation and test. Where
    an augmentation adds noise or holes, x in p(x|z) is the picture without them: its values are in [0, 1].

    ``bernoulli`` and ``kl`` are the two terms; with another ``beta`` than 1 the second is ``beta_kl``, beside ``kl``
    without the factor. ``negative_elbo`` is their sum with beta = 1, whatever was minimised.

    Args:
        beta: factor of the divergence (Higgins et al. 2017, "beta-VAE", equation 4).
    """

    hands: ClassVar[str | None] = "probability"

    def __init__(self, parts: Parts, *, beta: float) -> None:
        super().__init__(parts)
        self.beta = beta
        parts.preparation.keep_clean()

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("bernoulli", "kl" if self.beta == 1 else "beta_kl")

    def prepare(self, batch: Batch, train: bool, epoch: int = 0) -> Batch:
        prepared = super().prepare(batch, train, epoch)
        keys = sample_keys(_KEY, self.parts.seed, epoch if train else None, prepared["index"])
        return {**prepared, _DRAWN: keys}

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        net: Any = self.net
        (picture,) = self.facts.input.arguments(batch)
        asked = batch.get("clean", picture)
        mean, log_variance = net.encode(picture)
        noise = gaussian(batch[_DRAWN], mean.shape[1]).to(mean.dtype)
        logits = net.decode(mean + (log_variance / 2).exp() * noise)
        divergence = gaussian_divergence(mean, log_variance)
        bernoulli = self.loss(logits, {"probability": asked}, stage == "train")
        kl = Term(self.term_names[1], self.beta * divergence.sum(1).mean(), len(picture))
        found = {"logits": logits.detach(), "kl": divergence.detach(), CODE: mean.detach()}
        return StepOutput([bernoulli, kl], found, asked)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        net: Any = self.net
        return {_MEANS: LossMeans(("bernoulli", "kl")), _DIMENSIONS: Divergences(net.bottleneck)}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if metrics:
            kl = output.predictions["kl"]
            metrics[_MEANS].update([output.terms[0], Term("kl", kl.sum(1).mean(), len(kl))])
            metrics[_DIMENSIONS].update(kl)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if not metrics:
            return Readings({})
        means, of_each = metrics[_MEANS].compute(), metrics[_DIMENSIONS].compute()
        values = {"negative_elbo": means["loss"]} | ({} if self.beta == 1 else {"kl": means["kl"]})
        collapsed = int((of_each < COLLAPSED_BELOW).sum())
        counted = {"in use": len(of_each) - collapsed, f"collapsed (KL below {COLLAPSED_BELOW:g} nats)": collapsed}
        return Readings(values, counts={"numbers of the code": counted})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        found = output.predictions
        nats = {"bernoulli": Bernoulli.of_each(found["logits"], output.targets), "kl": found["kl"].sum(1)}
        own = {name: value.float().cpu().numpy() for name, value in nats.items()}
        return {"index": batch["index"].cpu().numpy(), **own} | self.coded(batch, found[CODE])

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Picture]:
        """The picture of the mean of each picture's codes, uint8 (H, W, C)."""
        (picture,) = self.facts.input.arguments(batch)
        return in_bytes(self.net(picture))

    def decoded(self, codes: Tensor) -> Tensor:
        net: Any = self.net
        logits: Tensor = net.decode(codes)
        return logits.sigmoid()

    def generate(self, count: int, seed: int) -> list[Picture]:
        """Pictures of codes from the prior N(0, 1), uint8 (H, W, C): the i-th is a function of i and the seed."""
        net: Any = self.net
        return self.pictures_of(noise_of(count, net.bottleneck, seed).numpy())

    def map_axes(self, codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Quantiles of the prior, evenly spaced in probability (Kingma and Welling 2013, appendix A)."""
        parts = (torch.arange(MAP_SIDE, dtype=torch.float64) + 0.5) / MAP_SIDE
        quantiles: NDArray[np.float64] = torch.special.ndtri(parts).numpy()
        return quantiles, quantiles

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        places = np.linspace(0, len(predictions[CODE]) - 1, 2 * PAIRS).round().astype(np.int64)
        codes, shown = predictions[CODE][places], self.test_pictures(data, predictions["index"][places])
        part = np.linspace(0, 1, STEPS)[:, None]
        between = [self.pictures_of((1 - part) * codes[2 * i] + part * codes[2 * i + 1]) for i in range(PAIRS)]
        rows = [[shown[2 * i], *between[i], shown[2 * i + 1]] for i in range(PAIRS)]
        return {
            "samples": self.answer.sheet(self.generate(SAMPLES, seed=0)),
            "interpolation": self.answer.interpolation(rows),
            **super().gallery(data, predictions),
        }


class Divergences(Sums):
    """The mean divergence of each number of the code from the prior.

    Args:
        size: numbers of the code.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size + 1, torch.float64)

    @torch.no_grad()
    def update(self, of_each: Tensor) -> None:
        """Add a batch's, (B, d) in nats."""
        self._on(of_each.device).add_(torch.cat([of_each.double().sum(0), of_each.new_tensor([len(of_each)])]))

    def compute(self) -> Tensor:
        """(d,), over all pictures of all processes."""
        total = self.total()
        return total[:-1] / total[-1].clamp(min=1)
