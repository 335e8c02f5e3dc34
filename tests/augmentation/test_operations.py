"""The vocabulary, and operations of one's own beside it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from cnnexp.augmentation import geometry, mixing, noise
from cnnexp.augmentation.elastic import Elastic
from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.lanes import Numbers, chosen
from cnnexp.augmentation.operations import KINDS, VOCABULARY, Finishing
from tests.augmentation.made import applied, engine, pictures, plain, vocabulary

GIVEN = {name: keys for name, keys in yaml.safe_load(vocabulary()).items() if isinstance(keys, dict)}
ALONE = (geometry.Crop, geometry.RandomResizedCrop, Elastic, noise.Noise, mixing.Mixup, mixing.Cutmix)
"""Operations that the engine has one place for each of."""


def test_every_operation_has_its_key_and_every_key_its_operation() -> None:
    assert len(GIVEN) >= 20 and set(VOCABULARY) == set(GIVEN)
    assert VOCABULARY["random_resized_crop"] is geometry.RandomResizedCrop
    assert {"rgb_shift", "pca", "quarter_turn"} <= set(VOCABULARY)


@pytest.mark.parametrize("name", GIVEN)
def test_the_file_has_all_arguments_of_an_operation_and_switches_it_off(name: str) -> None:
    class_ = VOCABULARY[name]
    asked = {key for key, one in inspect.signature(class_).parameters.items() if one.default is one.empty}
    assert asked <= set(GIVEN[name]) <= set(inspect.signature(class_).parameters)
    made: Any = class_(**GIVEN[name])
    assert not made.active and made.lanes > 0
    assert isinstance(made, KINDS) or type(made) in ALONE, "the engine has no place for it"


@dataclass(frozen=True)
class Inverted:
    """Black for white, in some pictures."""

    probability: float
    lanes = 1

    @property
    def active(self) -> bool:
        return self.probability > 0

    def finish(self, image: Tensor, u: Numbers, white: Tensor) -> Tensor:
        met = torch.from_numpy(chosen(u, self.probability))[:, None, None, None]
        return torch.where(met, white - image, image)


def with_own(**operations: Any) -> Augmentation:
    return Augmentation(seed=3, operations=operations)


def test_an_operation_of_ones_own_finishes_pictures() -> None:
    batch = pictures(6, 9)
    assert isinstance(Inverted(0.5), Finishing)
    made = with_own(inverted=Inverted(0.5))
    assert made.active and not with_own(inverted=Inverted(0.0)).active
    result = applied(made, batch, 0, plain(6, 9))["image"]
    met = torch.from_numpy(chosen(made._lanes.draw(np.arange(64), 0)["inverted"], 0.5))
    assert 15 < int(met.sum()) < 49
    assert torch.allclose(result[met], 255 - batch["image"][met].float(), atol=1e-3)
    assert torch.allclose(result[~met], batch["image"][~met].float(), atol=1e-3)


def test_it_comes_after_holes_and_before_mixing() -> None:
    batch = pictures(10, 14)
    cut = VOCABULARY["cutout"](size=0.4, probability=1.0)
    mix = VOCABULARY["mixup"](alpha=1.0, probability=1.0)
    holes = applied(with_own(cutout=cut), batch, 0, plain(10, 14))["image"]
    inverted = applied(with_own(inverted=Inverted(1.0), cutout=cut), batch, 0, plain(10, 14))["image"]
    assert torch.allclose(inverted, 255 - holes, atol=1e-3), "whatever the order in which they are given"
    mixed = applied(with_own(mixup=mix, inverted=Inverted(1.0), cutout=cut), batch, 0, plain(10, 14))
    share = mixed["mix"][:, None, None, None]
    assert torch.allclose(mixed["image"], share * inverted + (1 - share) * inverted[torch.arange(64) ^ 1], atol=1e-2)


def test_its_draws_are_its_own() -> None:
    index = np.arange(40)
    both = with_own(mirror=VOCABULARY["mirror"](horizontal=0.5, vertical=0.0), one=Inverted(0.5), two=Inverted(0.5))
    drawn = both._lanes.draw(index, 1)
    assert np.array_equal(drawn["one"], with_own(one=Inverted(0.9))._lanes.draw(index, 1)["one"])
    assert np.array_equal(drawn["mirror"], engine(mirror={"horizontal": 0.1})._lanes.draw(index, 1)["mirror"])
    assert not np.array_equal(drawn["one"], drawn["two"])
    assert not np.array_equal(drawn["one"], both._lanes.draw(index, 2)["one"])


def test_operations_of_a_kind_run_in_the_order_given() -> None:
    scale, shear = VOCABULARY["scale"]((2.0, 2.0), 1.0), VOCABULARY["shear"](0.0, 30.0, 1.0)
    shift, frame = VOCABULARY["translate"](0.4, 1.0), geometry.Frame((8, 12), (8, 12))

    def way(**operations: Any) -> geometry.Geometry:
        made = with_own(**operations)
        return made.geometry(made._lanes.draw(np.arange(9), 0), frame)

    first, then, last = way(scale=scale), way(shear=shear), way(translate=shift)
    for one, other in (
        (way(scale=scale, shear=shear, translate=shift), first.after(then).after(last)),
        (way(translate=shift, scale=scale, shear=shear), last.after(first).after(then)),
    ):
        assert np.allclose(one.linear, other.linear) and np.allclose(one.offset, other.offset)
    moved = way(scale=scale, translate=shift).offset
    assert not np.allclose(moved, way(translate=shift, scale=scale).offset)
