"""The estimated memory of a training step against the allocator's, and against what must be so."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from cnnexp.anatomy import measured
from cnnexp.anatomy.memory import training_memory
from cnnexp.anatomy.shapes import _QUICK
from cnnexp.anatomy.subject import described, find_subject
from cnnexp.builders.hardware import resolve_hardware
from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError

PLAIN = partial(torch.optim.SGD, lr=0.1)


def on_meta(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers).to("meta")


def pictures(count: int) -> torch.Tensor:
    return torch.empty(count, 3, 16, 16, device="meta")


@pytest.mark.parametrize(
    ("optimizer", "numbers"),
    [
        (PLAIN, 0),
        (partial(torch.optim.SGD, lr=0.1, momentum=0.9), 1),
        (partial(torch.optim.Adam, lr=0.1), 2),
        (partial(torch.optim.RMSprop, lr=0.1), 1),
    ],
)
def test_optimizers_keep_so_many_numbers_for_each_weight(
    optimizer: partial[torch.optim.Optimizer], numbers: int
) -> None:
    net = on_meta(nn.Conv2d(3, 8, 3))
    memory = training_memory(net, pictures(2), optimizer)
    assert memory.weights == 4 * (8 * 27 + 8)
    assert memory.optimizer == numbers * memory.weights


def test_activations_grow_with_the_batch_and_weights_do_not() -> None:
    net = on_meta(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1), nn.Tanh())
    few, many = (training_memory(net, pictures(count), PLAIN) for count in (16, 32))
    assert few.weights == many.weights
    # for each picture wait: itself, both outputs of tanh, and at most two gradients of their size with them
    map_bytes, picture_bytes = 4 * 8 * 16 * 16, 4 * 3 * 16 * 16
    grown = (many.step - few.step) / 16
    assert picture_bytes + 2 * map_bytes <= grown <= picture_bytes + 4 * map_bytes


def test_nothing_is_left_on_the_net() -> None:
    net = on_meta(nn.Conv2d(3, 8, 3)).eval()
    training_memory(net, pictures(2), PLAIN)
    assert not net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_quick_shapes_are_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = on_meta(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.BatchNorm2d(8, affine=False), nn.ReLU()
    )
    quick = training_memory(net, pictures(8), PLAIN)
    monkeypatch.setattr("cnnexp.anatomy.shapes._QUICK", {})
    assert _QUICK and quick.step == pytest.approx(training_memory(net, pictures(8), PLAIN).step, rel=0.01)


@pytest.mark.parametrize("model", ["lenet5", "resnet20"])
def test_the_estimate_is_what_the_allocator_holds(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "LONGEST_S", 0.1)
    config = compose_run([f"model={model}", "batch_size=16", "hardware=cpu", "hardware.threads=1"])
    subject = find_subject(config)
    estimate = described(subject)["training"]["bytes"]
    found = measured.measure(subject, resolve_hardware(config)["hardware"], estimate)
    assert found["bytes"] == pytest.approx(estimate, rel=0.1)
    assert found["images_per_second"] > 0 and found["steps"] >= 1


def test_a_step_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_free_bytes", lambda device: 10**9)
    config = compose_run(["hardware=cpu", "hardware.threads=1"])
    with pytest.raises(InputError, match=r"lenet5 with batch_size=64 takes about 2.0 GB, and 1.0 GB are free"):
        measured.measure(find_subject(config), resolve_hardware(config)["hardware"], 2 * 10**9)
