"""Generative adversarial nets: two parts that learn against each other, each with an optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.generated import Generated
from cnnexp.augmentation.noise import gaussian
from cnnexp.data.base import Split
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.inputs.base import Picture, count_of
from cnnexp.losses.adversarial import DISCRIMINATOR, GENERATOR
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.coding import in_bytes
from cnnexp.tasks.film import Film
from cnnexp.tasks.generating import noise_of
from cnnexp.tasks.means import LossMeans
from cnnexp.tasks.quality import ClassCounts, Judge, Moments, frechet

LABEL = "label"
SHOWN, MOST_ROWS = 10, 12
"""Pictures in a frame of the film, and frames on its strip."""
COLLAPSED_BELOW = 0.3
"""Of its part of the data: what is made less often is called collapsed."""
_REAL, _GENERATED, _AS_ASKED = "real", "generated", "as_asked"
_MEANS, _FILM = "taken_for_real", "film"
_OF_THE_JUDGE = ("real_features", "features", "real_classes", "classes")
_AT_ONCE = 256


class GAN(Task):
    """A net with a ``generator`` and a ``discriminator``, which answers logits to pictures in [-1, 1].

    On each batch the discriminator makes a step, then the generator one against the discriminator that it finds.
    ``real`` and ``generated`` are the mean probabilities that pictures of the data and made-up ones are taken for real.
    In evaluations a sample's noise is a function of its index. A net with ``classes`` is told the class of each
    picture, behind the pictures or the noise.

    Where there is a judge, evaluations know ``frechet``, the distance of as many pictures made up as there are real
    ones in the judge's features (see ``cnnexp.tasks.quality``), ``least_share``, the smallest part of those made up
    that is taken for a class, ``share`` of each class, and of conditional nets ``as_asked``, the part that is taken for
    the class that was asked for.

    Args:
        judge: the run that judges, as the builders have opened it: ``parts.judge``.
    """

    normalises: ClassVar[bool] = False
    turns: ClassVar[tuple[str, ...]] = (DISCRIMINATOR, GENERATOR)
    one_process: ClassVar[bool] = True
    answer: Generated

    def __init__(self, parts: Parts, *, judge: str | None = None) -> None:
        super().__init__(parts)
        self.answer = Generated()
        self._films = (Film(),)  # in a tuple: it is a metric of validation, and no part of the task's own state
        self._judge: Judge | None = None

    @property
    def film(self) -> Film:
        """What became of the same noise after each epoch."""
        return self._films[0]

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        """The classes of the data, of which a conditional net is told; 1 where there are none."""
        return len(facts.names(LABEL)) if LABEL in facts.targets else 1

    @property
    def term_names(self) -> tuple[str, ...]:
        return self.turns

    def learning(self, turn: str) -> nn.Module:
        part = getattr(self.net, turn)
        assert isinstance(part, nn.Module)
        return part

    def learn(self, batch: Batch, turn: str) -> StepOutput:
        net: Any = self.net
        self.film.waits = True
        told, real = self._told(batch), self._real(batch)
        noise = torch.randn(count_of(batch), net.noise, device=real.device, dtype=real.dtype)
        if turn == GENERATOR:
            return StepOutput([self._term(net(net.generate(noise, *told), *told), {})])
        with torch.no_grad():
            made = net.generate(noise, *told)
        return self._output(net(real, *told), net(made, *told), [])

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        net: Any = self.net
        told, real = self._told(batch), self._real(batch)
        made = net.generate(self._noise_of(batch), *told)
        answer = net(made, *told)
        output = self._output(net(real, *told), answer, [self._term(answer, {})])
        if self._judge is not None and stage != "train":
            output.predictions.update(self._judged(self._judge, real, made, told))
        return output

    def _output(self, real: Tensor, generated: Tensor, others: list[Term]) -> StepOutput:
        term = self._term(generated, {_REAL: real})
        return StepOutput([term, *others], {_GENERATED: generated.detach().sigmoid()}, real.detach().sigmoid())

    def _judged(self, judge: Judge, real: Tensor, made: Tensor, told: Sequence[Tensor]) -> dict[str, Tensor]:
        of_real, real_classes = judge((real + 1) / 2)
        of_made, classes = judge((made + 1) / 2)
        found = {"real_features": of_real, "features": of_made, "real_classes": real_classes, "classes": classes}
        return found | ({"asked": told[0]} if told else {})

    def _term(self, answer: Tensor, truth: Mapping[str, Tensor]) -> Term:
        assert self.loss is not None
        term: Term = self.loss(answer, truth, self.training)
        return term

    def _real(self, batch: Batch) -> Tensor:
        """Pictures in [0, 1] as the nets have them, in [-1, 1]."""
        (picture,) = self.facts.input.arguments(batch)
        return picture * 2 - 1

    @property
    def _classes(self) -> int:
        """Of which a conditional net is told; 0 for others."""
        return int(getattr(self.net, "classes", 0))

    def _told(self, batch: Batch) -> tuple[Tensor, ...]:
        """The classes int64 (B,) that a conditional net is told; nothing for others, or where nobody knows them."""
        return (batch[LABEL],) if self._classes and LABEL in batch else ()

    def _noise_of(self, batch: Batch) -> Tensor:
        net: Any = self.net
        return gaussian(batch["index"].to(torch.int32), net.noise).to(self._real(batch).dtype)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        metrics: dict[str, nn.Module] = {_MEANS: LossMeans((_REAL, _GENERATED))}
        if stage == "train":
            return metrics
        if stage == "val":
            metrics[_FILM] = self.film
        if self._judge is None and self.parts.judge is not None:
            self._judge = self._fitting(self.parts.judge())
            self.answer = Generated(() if self._judge is None else self._judge.names)
        if self._judge is not None:
            metrics |= {name: Moments(self._judge.width) for name in ("real_features", "features")}
            metrics |= {name: ClassCounts(len(self._judge.names)) for name in ("real_classes", "classes")}
            metrics |= {_AS_ASKED: LossMeans((_AS_ASKED,))} if self._classes else {}
        return metrics

    def _fitting(self, judge: Judge | None) -> Judge | None:
        if judge is not None and self._classes and judge.names != self.facts.names(LABEL):
            raise InputError(
                f"task.judge: it knows {', '.join(judge.names[:4])}, …, and model.conditional=true is told "
                f"{', '.join(self.facts.names(LABEL)[:4])}, …; take a run on the same classes, or task.judge=lenet5"
            )
        return judge

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if output.predictions is None:
            return
        net: Any = self.net
        if _FILM in metrics and metrics[_FILM].waits:
            shown = self._pictures(gaussian(torch.arange(SHOWN, dtype=torch.int32), net.noise))
            metrics[_FILM].take(np.stack(shown))
        found = output.predictions
        both = ((_REAL, output.targets), (_GENERATED, found[_GENERATED]))
        metrics[_MEANS].update([Term(name, one.mean(), len(one)) for name, one in both])
        for name in _OF_THE_JUDGE:
            if name in found:
                metrics[name].update(found[name])
        if "asked" in found:
            right = (found["classes"] == found["asked"]).double()
            metrics[_AS_ASKED].update([Term(_AS_ASKED, right.mean(), len(right))])

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        means = metrics[_MEANS].compute()
        values = {name: means[name] for name in (_REAL, _GENERATED)}
        if "classes" not in metrics:
            return Readings(values)
        made, real = metrics["classes"].compute(), metrics["real_classes"].compute()
        share = made / max(made.sum(), 1)
        values["frechet"] = frechet(metrics["real_features"].compute(), metrics["features"].compute())
        values["least_share"] = float(share.min())
        if _AS_ASKED in metrics:
            values[_AS_ASKED] = metrics[_AS_ASKED].compute()["loss"]
        remark = collapse(self.answer.names, made, real) if stage == "test" else None
        return Readings(values, {"share": share.tolist()}, remark=remark)

    def reference(self, data: Data) -> dict[str, float]:
        """The distance of as many training pictures from the test's: what a perfect generator would come to."""
        if self._judge is None:
            return {}
        test, positions = data.split("test"), data.train_positions()
        places = positions[np.linspace(0, len(positions) - 1, min(len(test), len(positions))).round().astype(int)]
        both = self._moments_of(data.split("train"), places), self._moments_of(test, np.arange(len(test)))
        return {"frechet_of_training": frechet(*both)}

    @torch.no_grad()
    def _moments_of(self, split: Split, places: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        assert self._judge is not None
        moments = Moments(self._judge.width)
        for part in torch.from_numpy(places).split(_AT_ONCE):
            batch = {name: value.to(self.device) for name, value in split.batch(part).items()}
            (picture,) = self.facts.input.arguments(self.prepare(batch, train=False))
            moments.update(self._judge(picture)[0])
        return moments.compute()

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return {
            "index": batch["index"].cpu().numpy(),
            "real": output.targets.float().cpu().numpy(),
            "generated": output.predictions[_GENERATED].float().cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[dict[str, Any]]:
        """For each picture the probability that it is real, and one made up.

        Where a conditional net is not told the class, it is asked about each; the one that it finds most real counts.
        """
        net: Any = self.net
        told = self._told(batch)
        unknown = bool(self._classes) and not told
        asked = [(torch.full_like(batch["index"], one),) for one in range(self._classes)] if unknown else [told]
        real, surest = torch.stack([net(self._real(batch), *one) for one in asked]).sigmoid().float().max(0)
        told = (surest,) if unknown else told
        pictures = in_bytes((net.generate(self._noise_of(batch), *told).float() + 1) / 2)
        return [{"real": one, "picture": picture} for one, picture in zip(real.tolist(), pictures, strict=True)]

    def generate(self, count: int, seed: int) -> list[Picture]:
        """Pictures made up, uint8 (H, W, C): the i-th is a function of i and the seed, of conditional nets of the
        i-th class, over and over."""
        net: Any = self.net
        return self._pictures(noise_of(count, net.noise, seed))

    @torch.no_grad()
    def _pictures(self, noise: Tensor) -> list[Picture]:
        net: Any = self.net
        classes, dtype = self._classes, next(net.parameters()).dtype
        told = (torch.arange(len(noise), device=self.device) % classes,) if classes else ()
        parts = zip(*(one.split(_AT_ONCE) for one in (noise.to(self.device, dtype), *told)), strict=True)
        return [one for part in parts for one in in_bytes((net.generate(*part) + 1) / 2)]

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        frames = self.film.frames(MOST_ROWS)
        return {"film": self.answer.film(frames)} if frames else {}


def collapse(names: Sequence[str], made: NDArray[np.int64], real: NDArray[np.int64]) -> str | None:
    """A sentence on classes that are hardly made up: less than ``COLLAPSED_BELOW`` of their part of the data.

    Args:
        names: of the classes. made, real: how many pictures of each kind are taken for each class, (K,).
    """
    shares, theirs = made / max(made.sum(), 1), real / max(real.sum(), 1)
    lost = [place for place in range(len(names)) if shares[place] < COLLAPSED_BELOW * theirs[place]]
    if not lost:
        return None
    shown = ", ".join(f"{names[place]} {100 * shares[place]:.1f} % ({100 * theirs[place]:.1f} %)" for place in lost[:5])
    more = f", and {len(lost) - 5} more" if len(lost) > 5 else ""
    return (
        f"mode collapse: hardly any of what is made up is taken for some classes (the data in brackets): {shown}{more}"
    )
