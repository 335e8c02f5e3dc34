"""What all tasks share: pictures on their way into the net, and what the terms of a step add up to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.errors import RunFailed
from cnnexp.losses.term import Term
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.base import AUXILIARY, StepOutput
from cnnexp.tasks.classification import Classification
from tests.augmentation.made import engine
from tests.tasks import tiny

# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_normalised_channel_by_channel() -> None:
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    colour = tiny.facts(channels=3, mean=mean, std=std, image_size=(16, 16))
    task = tiny.task(Classification, tiny.linear_net(channels=3), facts=colour)
    image = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    prepared = task.prepare({"image": image, "index": torch.arange(1)}, train=False)["image"]
    columns = [np.array(one, dtype=np.float64).reshape(1, 3, 1, 1) for one in (mean, std)]
    expected = (image.double().numpy() / 255 - columns[0]) / columns[1]
    assert prepared.dtype == torch.float32
    assert np.abs(prepared.double().numpy() - expected).max() < 1e-6


def test_an_autoencoder_sees_pixels_between_0_and_1() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    task = tiny.task(Autoencoder, tiny.ShallowAutoencoder(), facts=tiny.facts(image_size=(16, 16)))
    prepared = task.prepare({"image": image, "index": torch.arange(1)}, train=False)["image"]
    assert (prepared.double() - image.double() / 255).abs().max() < 1e-7


def test_pictures_are_augmented_in_training_only() -> None:
    task = tiny.task(Classification, tiny.linear_net(), augmentation=engine(mirror={"horizontal": 1.0}))
    batch = tiny.batch(3)
    upright, mirrored = task.prepare(batch, train=False)["image"], task.prepare(batch, train=True)["image"]
    assert torch.equal(mirrored, upright.flip(3))
    assert not torch.equal(mirrored, upright)


def test_channels_last_changes_the_layout_alone() -> None:
    batch = {"image": torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8), "index": torch.arange(2)}
    colour = tiny.facts(channels=3, mean=(0.1, 0.2, 0.3), std=(0.5,) * 3)
    plain, other = (
        tiny.task(Classification, tiny.linear_net(channels=3), facts=colour, channels_last=last).prepare(batch, False)
        for last in (False, True)
    )
    assert other["image"].is_contiguous(memory_format=torch.channels_last)
    assert not plain["image"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain["image"], other["image"])


def test_features_stay_as_they_are_and_are_answered_by_the_tail() -> None:
    task = tiny.task(Classification, tiny.linear_net(), augmentation=engine(mirror={"horizontal": 1.0}))
    batch = {"features": torch.rand(4, 5), "label": torch.zeros(4, dtype=torch.int64), "index": torch.arange(4)}
    task.tail = torch.nn.Linear(5, 3)
    prepared = task.prepare(batch, train=True, epoch=3)
    assert torch.equal(prepared["features"], batch["features"])
    assert torch.equal(task.step(prepared, "val").predictions, task.tail(batch["features"]).detach())


# --- terms ------------------------------------------------------------------------------------------------------------


def term(name: str, value: float, judged: bool = True) -> Term:
    return Term(name, torch.tensor(value, requires_grad=True), 4, judged)


def test_what_is_judged_is_a_part_of_what_is_learnt() -> None:
    output = StepOutput([term("box", 1.0), term("class", 2.0), term("head", 4.0, judged=False)])
    assert (output.loss.item(), output.learnt.item()) == (3.0, 7.0)
    output.learnt.backward()
    assert [float(one.mean.grad) for one in output.terms] == [1.0, 1.0, 1.0]  # type: ignore[arg-type]


def test_auxiliary_heads_are_a_term_by_their_weight_that_nothing_is_judged_by() -> None:
    task = tiny.task(Classification, tiny.linear_net())
    answer, heads = term("cross_entropy", 1.0), [term("cross_entropy", 2.0), term("cross_entropy", 3.0)]
    assert task.learnt_apart == () and task.with_heads([answer], []) == [answer]
    with pytest.raises(RunFailed, match=r"2 tensors behind its logits.*auxiliary_weight"):
        task.with_heads([answer], heads)
    net = tiny.linear_net()
    net.auxiliary_weight = 0.3  # type: ignore[assignment]
    weighted = tiny.task(Classification, net)
    assert weighted.learnt_apart == (AUXILIARY,)
    first, apart = weighted.with_heads([answer], heads)
    assert first is answer and (apart.name, apart.count, apart.judged) == (AUXILIARY, 4, False)
    assert apart.mean.item() == pytest.approx(0.3 * 5)
