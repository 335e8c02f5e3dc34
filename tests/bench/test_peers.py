"""How the peers' loops count, on batches made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.bench import peers, timing
from cnnexp.bench.cells import Cell
from cnnexp.bench.timing import EpochClock, Training

CPU = torch.device("cpu")
CONFIG: dict[str, Any] = {
    "hardware": {"accelerator": "cpu", "precision": "fp32", "channels_last": False},
    "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.1},
    "data": {"classes": ["a", "b", "c"]},
}


class Ticking:
    """A clock on which a second passes whenever it is looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(timing, "time", type("Time", (), {"perf_counter": lambda: self.look()}))

    def look(self) -> float:
        self.now += 1
        return self.now


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3))


class Loader:
    """Batches of 4 and a last one of 2."""

    def __init__(self) -> None:
        self.epochs = 0

    def __iter__(self) -> Any:
        self.epochs += 1
        for size in (4, 4, 2):
            yield torch.rand(size, 3, 2, 2), torch.zeros(size, dtype=torch.int64)


def test_the_loop_counts_samples_and_not_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    Ticking(monkeypatch)
    loader = Loader()
    rate = peers._epochs(loader, Training(net(), CONFIG), Cell("plain", (), seconds=2.0))
    assert loader.epochs == 3, "one to warm up, then two of a second each"
    assert (rate.steps, rate.images, rate.seconds) == (6, 20, 2.0)


def test_lightning_s_clock_stops_with_the_last_batch_of_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    Ticking(monkeypatch)
    clock = EpochClock(1.0, CPU)
    timed = peers._Timed(clock, batch_size=4)
    trainer: Any = SimpleNamespace(num_training_batches=3, should_stop=False)
    module: Any = None
    stopped = []
    for _ in range(2):
        timed.on_train_epoch_start(trainer, module)
        for place in range(3):
            timed.on_train_batch_end(trainer, module, None, None, place)
            stopped.append(trainer.should_stop)
    assert stopped == [False] * 5 + [True]
    assert (clock.rate().steps, clock.rate().images) == (3, 12)


class Noting(peers.StockModule):
    """Keeps what it would log."""

    def log(self, name: str, value: Any, **how: Any) -> None:  # type: ignore[override]
        self.__dict__.setdefault("noted", {})[name] = value


def test_the_module_of_lightning_s_pages_is_the_same_classifier() -> None:
    module = Noting(net(), CONFIG)
    image, label = torch.rand(6, 3, 2, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    loss: Tensor = module.training_step((image, label), 0)
    logits = net()(image)
    assert float(loss.detach()) == pytest.approx(float(functional.cross_entropy(logits, label).detach()))
    accuracy = module.__dict__["noted"]["train_accuracy"].compute()
    assert float(accuracy) == pytest.approx(float((logits.argmax(1) == label).float().mean()))
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.defaults["lr"] == 0.1


def test_channels_come_last_only_where_the_run_has_them_so() -> None:
    seen = []

    class Looking(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x.is_contiguous(memory_format=torch.channels_last))
            return x.flatten(1)[:, :3]

    for last in (True, False):
        config = {**CONFIG, "hardware": {**CONFIG["hardware"], "channels_last": last}}
        Noting(Looking(), config).training_step((torch.rand(2, 3, 4, 5), torch.tensor([0, 1])), 0)
    assert seen == [True, False]
