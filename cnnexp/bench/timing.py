"""What the loops of a benchmark share: a training step on the device, and a clock that starts when all is warm."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.bench.cells import Cell, Rate

WARM_UP_STEPS = 20
WARM_UP_S = 1.0
LEAST_WARM_UP = 2
LEAST_STEPS = 3


class Training:
    """A net with cross entropy and the optimizer that a configuration names, for a loop of one's own.

    Args:
        net: on the CPU, in its memory format. config: resolved; device, precision, memory format, optimizer.
    """

    def __init__(self, net: nn.Module, config: Mapping[str, Any]) -> None:
        hardware = config["hardware"]
        self.device = torch.device("cuda" if hardware["accelerator"] == "gpu" else "cpu")
        self.net = net.to(self.device).train()
        self.optimizer = optimizer_of(config, self.net)
        self._half = hardware["precision"] == "bf16"
        self._format = torch.channels_last if hardware["channels_last"] else torch.contiguous_format

    def picture(self, image: Tensor) -> Tensor:
        """A batch of floats on the device, in the net's memory format."""
        return image.to(self.device, non_blocking=True, memory_format=self._format)

    def step(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """One step of the optimizer; the loss and the logits (B, K), without their gradient."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            logits = self.net(image)
            loss = functional.cross_entropy(logits, label)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach(), logits.detach()


def optimizer_of(config: Mapping[str, Any], net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of torch that a configuration names, with the arguments that it knows, on all weights alike."""
    class_ = getattr(torch.optim, config["optimizer"]["_target_"].rpartition(".")[2])
    known = inspect.signature(class_).parameters
    return class_(net.parameters(), **{name: value for name, value in config["optimizer"].items() if name in known})


def timed_steps(step: Callable[[], object], size: int, cell: Cell, device: torch.device) -> Rate:
    """Some steps to warm up, then as many as fill the cell's seconds.

    Args:
        size: samples in a step.
    """
    began, steps = time.perf_counter(), 0
    while steps < LEAST_WARM_UP or (steps < WARM_UP_STEPS and time.perf_counter() - began < WARM_UP_S):
        step()
        steps += 1
    wait_for(device)
    began, steps, seconds = time.perf_counter(), 0, 0.0
    while steps < LEAST_STEPS or seconds < cell.seconds:
        step()
        steps += 1
        seconds = time.perf_counter() - began
    wait_for(device)
    return Rate(steps * size, steps, time.perf_counter() - began)


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class EpochClock:
    """Times whole epochs: the first warms up, then as many as fill a number of seconds.

    Args:
        seconds: measured at least. device: waited for at both ends of an epoch.
    """

    def __init__(self, seconds: float, device: torch.device) -> None:
        self._wanted, self._device = seconds, device
        self._began = 0.0
        self._warm = False
        self.images = self.steps = 0
        self.seconds = 0.0

    @property
    def done(self) -> bool:
        """Whether enough was measured."""
        return self._warm and self.seconds >= self._wanted

    def start(self) -> None:
        """An epoch begins: before the first batch is asked for."""
        wait_for(self._device)
        self._began = time.perf_counter()

    def stop(self, steps: int, images: int) -> None:
        """The epoch's last step is done."""
        wait_for(self._device)
        if self._warm:
            self.seconds += time.perf_counter() - self._began
            self.steps += steps
            self.images += images
        self._warm = True

    def rate(self) -> Rate:
        """What was measured."""
        return Rate(self.images, self.steps, self.seconds)
