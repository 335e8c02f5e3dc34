"""Pictures given back as they were before something was done to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.restored import Restored
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.inputs.base import Picture
from cnnexp.inputs.degraded import GIVEN, Degradation, DegradedPictures
from cnnexp.inputs.pictures import PicturePreparation, Pictures
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.picture_scores import NAMES, WINDOW_PX, PictureScores, scores
from cnnexp.tasks.tiles import in_tiles, sight_of

Crop = int | Literal["auto"]


class Restoration(Task):
    """A net is given degraded pictures and held against the pictures themselves, values in [0, 1].

    It trains on crops, and is validated and tested on whole pictures, which are degraded in the same way each time.
    ``psnr`` and ``ssim`` are means over the pictures of the split (``picture_scores.py``).

    Args:
        factor: the answer's size over that of what is given. crop: side of the training crops, of the picture itself;
            ``auto`` is ``usual_crop_px``, or what fits into the pictures.

    Raises:
        InputError: a crop that does not fit the pictures or the net; an augmentation that disturbs the truth.
    """

    hands: ClassVar[str | None] = "picture"
    takes_terms: ClassVar[bool] = True
    normalises: ClassVar[bool] = False
    usual_crop_px: ClassVar[int]
    preparation: DegradedPictures

    def __init__(self, parts: Parts, degradation: Degradation, crop: Crop, factor: int = 1) -> None:
        super().__init__(parts)
        self.answer = Restored()
        self.factor = factor
        self.reach: int | None = getattr(parts.net, "reach", None)
        pictures, prepared = parts.facts.input, parts.preparation
        if not isinstance(pictures, Pictures) or not isinstance(prepared, PicturePreparation):
            raise InputError(
                f"data={parts.facts.name}: holds {parts.facts.input.noun}s, and this task restores pictures"
            )
        self._refuse(pictures, prepared)
        self.crop = self._fitting(crop, pictures.image_size)
        self.preparation = DegradedPictures(prepared, degradation, (self.crop, self.crop))

    def _refuse(self, pictures: Pictures, prepared: PicturePreparation) -> None:
        """What of the run's other settings makes no sense here."""
        if prepared.augmentation.noise is not None:
            raise InputError(
                f"augmentation.noise.sigma={prepared.augmentation.noise.sigma:g}: noise in the pictures that are asked "
                "for would be learnt; set it 0 (task=denoise has task.noise for what is given)"
            )
        if pictures.decode_size is not None:
            raise InputError(
                "data.decode_size: this task cuts its training crops itself (task.crop) and is tested on whole "
                "pictures; leave it null"
            )

    def _fitting(self, crop: Crop, size: tuple[int, int]) -> int:
        shortest, reach = min(size), (self.reach or 0) * self.factor
        least = max(reach, WINDOW_PX, self.factor)
        least += -least % self.factor
        if shortest < least:
            raise InputError(
                f"data.image_size=[{size[0]},{size[1]}]: too small for this task; its net sees {reach} pixels to each "
                f"side and SSIM has windows of {WINDOW_PX}; take pictures of at least {least}"
            )
        if crop == "auto":
            found = min(self.usual_crop_px, shortest)
            return found - found % self.factor
        largest = shortest - shortest % self.factor
        if crop % self.factor:
            near = max(least, crop - crop % self.factor)
            raise InputError(
                f"task.crop={crop}: no multiple of task.factor={self.factor}; {near} and {near + self.factor} are"
            )
        if not least <= crop <= largest:
            why = f"the net sees {reach} pixels to each side" if crop < least else f"pictures have {size[0]}x{size[1]}"
            raise InputError(f"task.crop={crop}: {why}; take {least} to {largest}")
        return crop

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return facts.input.shape[0]

    def truth(self, batch: Batch) -> Batch:
        return self.preparation.examined(batch)

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        batch = self.truth(batch)
        (picture,) = self.facts.input.arguments(batch)
        restored = self.net(batch[GIVEN])
        terms = self.loss.terms(restored, {"picture": picture}, stage == "train")
        return StepOutput(terms, None if stage == "train" else scores(restored.detach(), picture))

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {} if stage == "train" else {"scores": PictureScores()}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return Readings(metrics["scores"].compute() if metrics else {})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        of_each = output.predictions.cpu().numpy()
        columns = {name: of_each[:, place] for place, name in enumerate(NAMES)}
        return {"index": batch["index"].cpu().numpy(), **columns}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Picture]:
        """Each picture restored, uint8 (H, W, C); of a file, which nobody degraded, the file itself is given."""
        (picture,) = self.facts.input.arguments(batch)
        restored = in_tiles(self.net, batch.get(GIVEN, picture), sight_of(self.net, 2), factor=self.factor)
        pixels: Tensor = restored.float().clamp(0, 1).mul(255).round().to(torch.uint8)
        return list(pixels.permute(0, 2, 3, 1).cpu().numpy())

    @abstractmethod
    def simple(self, given: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
        """What something simple makes of what is given, by name; of that size."""

    @torch.no_grad()
    def reference(self, data: Data) -> dict[str, float]:
        """The scores of something simple on the same test."""
        split, found = data.split("test"), dict[str, PictureScores]()
        for start in range(0, len(split), data.batch_size):
            stored = split.batch(range(start, min(start + data.batch_size, len(split))))
            batch = {name: value.to(self.device) for name, value in stored.items()}
            batch = self.truth(self.prepare(batch, train=False))
            (picture,) = self.facts.input.arguments(batch)
            for name, one in self.simple(batch[GIVEN], (picture.shape[-2], picture.shape[-1])).items():
                found.setdefault(name, PictureScores()).update(scores(one, picture).cpu())
        return {f"{name}_{score}": value for name, own in found.items() for score, value in own.compute().items()}
