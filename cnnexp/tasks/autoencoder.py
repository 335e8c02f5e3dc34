"""Pictures through a bottleneck and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.augmentation.masking import Masking
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.inputs.base import Picture, Preparation
from cnnexp.inputs.degraded import GIVEN, Degradation, DegradedPictures
from cnnexp.inputs.pictures import PicturePreparation
from cnnexp.losses.sparsity import activity_divergence
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput
from cnnexp.tasks.coding import MAP_SIDE, Coding, in_bytes
from cnnexp.tasks.denoise import Noisy, median
from cnnexp.tasks.means import LossMeans

SPARSITY = "sparsity"
_ACTIVITY = "activity"
_MIDDLE = (0.02, 0.98)
"""Quantiles of each number of a code, between which its map is drawn."""


class Autoencoder(Coding):
    """Mean squared error between picture and reconstruction, pixels in [0, 1].

    With ``noise`` or ``mask`` what goes in is disturbed and what is asked for is not: the net learns to restore
    (Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders", section 2.3). In
    training the disturbance is another one in every epoch; in validation and test it belongs to the picture, the same
    in all runs. Where an augmentation adds noise or holes, the training alone has them, and they are held against the
    picture without them, moved and coloured alike.

    ``psnr`` is 10 log10(1 / mse) in decibels, of the mean squared error of the whole split. With ``sparsity`` the
    ``activity`` is the mean of all units of the code.

    Args:
        noise: standard deviation of Gaussian noise, black 0 and white 1; noisy values are cut to [0, 1].
        mask: part of the pixels that are black in what goes in.
        sparsity: wished mean activity ρ of each unit of the code; see ``losses/sparsity.py``.
        sparsity_weight: of the divergence from it.

    Raises:
        InputError: both noise and mask; one of them beside an augmentation that disturbs, or for data without pictures.
    """

    hands: ClassVar[str | None] = "picture"

    def __init__(
        self,
        parts: Parts,
        *,
        noise: float | None = None,
        mask: float | None = None,
        sparsity: float | None = None,
        sparsity_weight: float = 0.008,
    ) -> None:
        super().__init__(parts)
        self.sparsity, self.sparsity_weight = sparsity, sparsity_weight
        self._mse: float | None = None
        if noise is not None and mask is not None:
            raise InputError(f"task.noise={noise:g} and task.mask={mask:g}: take one of them, and leave the other null")
        if noise is not None:
            self.preparation = _disturbed(parts, Noisy("gaussian", noise, True, parts.seed), "noise")
        elif mask is not None:
            self.preparation = _disturbed(parts, Masking(mask, parts.seed), "mask")
        else:
            parts.preparation.keep_clean()

    @property
    def learnt_apart(self) -> tuple[str, ...]:
        return () if self.sparsity is None else (SPARSITY,)

    @property
    def counts_in_advance(self) -> bool:
        return self.sparsity is None  # a mean activity is one of a whole batch

    def truth(self, batch: Batch) -> Batch:
        return self.preparation.examined(batch) if isinstance(self.preparation, DegradedPictures) else batch

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        batch = self.truth(batch)
        (picture,) = self.facts.input.arguments(batch)
        given, asked = batch.get(GIVEN, picture), batch.get("clean", picture)
        train = stage == "train"
        code, rebuilt = self._through(given, coded=not train or self.sparsity is not None)
        terms = [self.loss(rebuilt, {"picture": asked}, train)]
        if train and self.sparsity is not None and code is not None:
            divergence = self.sparsity_weight * activity_divergence(code, self.sparsity)
            terms.append(Term(SPARSITY, divergence, len(code), judged=False))
        code = None if code is None else code.detach()
        return StepOutput(terms, {"picture": rebuilt.detach(), "code": code}, asked)

    def _through(self, given: Tensor, coded: bool) -> tuple[Tensor | None, Tensor]:
        """The code, where it is asked for and the net tells it, and the reconstruction."""
        net: Any = self.net
        if not coded or not hasattr(net, "encode"):
            return None, net(given)
        code = net.encode(given)
        return code, net.decode(code)

    def decoded(self, codes: Tensor) -> Tensor:
        net: Any = self.net
        pictures: Tensor = net.decode(codes)
        return pictures

    def map_axes(self, codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, high = np.quantile(codes, _MIDDLE, axis=0)
        return np.linspace(low[0], high[0], MAP_SIDE), np.linspace(low[1], high[1], MAP_SIDE)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        from torchmetrics import MeanSquaredError
        from torchmetrics.image import PeakSignalNoiseRatio

        own = {} if self.sparsity is None else {_ACTIVITY: LossMeans((_ACTIVITY,))}
        return {"mse": MeanSquaredError(), "psnr": PeakSignalNoiseRatio(data_range=1.0), **own}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for name, metric in metrics.items():
            if name == _ACTIVITY:
                code = output.predictions["code"]
                metric.update([Term(_ACTIVITY, code.mean(), len(code))])
            else:
                metric.update(output.predictions["picture"].contiguous(), output.targets.contiguous())

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        found = {
            name: metric.compute()["loss"] if name == _ACTIVITY else float(metric.compute())
            for name, metric in metrics.items()
        }
        if stage == "test":
            self._mse = found["mse"]
        return Readings(found)

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        error = (output.predictions["picture"] - output.targets).square().flatten(1).mean(1)
        own = {"index": batch["index"].cpu().numpy(), "mse": error.float().cpu().numpy()}
        return own | self.coded(batch, output.predictions["code"])

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Picture]:
        """The reconstruction of each picture, uint8 (H, W, C); a file, which nobody disturbed, goes in as it is."""
        (picture,) = self.facts.input.arguments(batch)
        return in_bytes(self.net(batch.get(GIVEN, picture)))

    def reference(self, data: Data) -> dict[str, float]:
        """The mean squared error of PCA with as many components as the bottleneck has numbers, given the same pictures,
        and what part of it the net's is; with noise or holes the PSNR of what was given and of a median filter."""
        return self._of_components(data) | self._of_something_simple(data)

    def _of_components(self, data: Data) -> dict[str, float]:
        from cnnexp.training.pca import pca_error

        components = getattr(self.net, "bottleneck", None)
        if not isinstance(components, int):
            return {}
        given = self._given if isinstance(self.preparation, DegradedPictures) else None
        error = pca_error(
            data.split("train"), data.train_positions(), data.split("test"), components, self._pixels, given
        )
        if error is None:
            return {}
        ratio = {} if self._mse is None or error == 0 else {"mse_over_pca": self._mse / error}
        return {"pca_mse": error, **ratio}

    def _of_something_simple(self, data: Data) -> dict[str, float]:
        if not isinstance(self.preparation, DegradedPictures):
            return {}
        squares, values = {"noisy": 0.0, "median": 0.0}, 0
        for batch in _batches(data):
            given, picture = self._given(batch), self._pixels(batch).double() / 255
            for name, one in (("noisy", given), ("median", median(given))):
                squares[name] += float((one.double() - picture).square().sum())
            values += picture.numel()
        return {f"{name}_psnr": float(-10 * np.log10(max(one / values, 1e-10))) for name, one in squares.items()}

    def _pixels(self, batch: Batch) -> Tensor:
        """Stored pictures as the net sees them, or is asked for them."""
        (picture,) = self.facts.input.arguments(self.preparation.stored(batch))
        return picture

    def _given(self, batch: Batch) -> Tensor:
        """What of stored pictures goes in, in [0, 1]."""
        return self.truth(self.preparation.stored(batch))[GIVEN]


def _disturbed(parts: Parts, degradation: Degradation, key: str) -> DegradedPictures:
    prepared: Preparation = parts.preparation
    if not isinstance(prepared, PicturePreparation):
        raise InputError(
            f"task.{key}: data={parts.facts.name} holds {parts.facts.input.noun}s, and this is for pictures"
        )
    augmentation = prepared.augmentation
    if augmentation.noise is not None or augmentation.holes:
        raise InputError(
            f"task.{key}: the augmentation puts noise or holes into the pictures that are asked for; set "
            "augmentation.noise.sigma, cutout.size and erasing.probability 0"
        )
    size = parts.facts.input.shape[1:]
    return DegradedPictures(prepared, degradation, (size[0], size[1]))


def _batches(data: Data) -> Iterator[Batch]:
    """The test split, as it is stored."""
    split = data.split("test")
    for start in range(0, len(split), data.batch_size):
        yield split.batch(range(start, min(start + data.batch_size, len(split))))
