"""What a training step of cnnexp costs over a bare PyTorch loop: the same one-layer net, data, batches and optimizer.

    python benchmarks/step_overhead.py [--steps 2000] [--rounds 5]

Both run in this process in turn, with one thread. The bare loop indexes the same tensors in memory, turns them into
floats and steps the same optimizer; it counts nothing, logs nothing and saves nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from rich.console import Console
from torch import nn
from torch.nn import functional

from cnnexp.builders.build import Experiment, build
from cnnexp.builders.hardware import resolve_hardware, set_up_process
from cnnexp.config.compose import compose_run
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog, quiet_known_warnings
from cnnexp.fit.profiling import Unprofiled
from cnnexp.fit.recording import Recording
from cnnexp.fit.stopping import StopSignal
from cnnexp.runs.metrics import MetricsFile


def one_layer() -> nn.Module:
    """784 pixels to ten classes."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def experiment(config: dict[str, Any]) -> Experiment:
    """The run of ``cnnexp train model=lenet5 data=mnist5k`` with the one-layer net in place of LeNet-5."""
    built = build(config)
    built.task.net = one_layer()
    built.task.steps_per_epoch = built.data.steps_per_epoch()
    return built


def bare_seconds(built: Experiment, steps: int) -> float:
    """Seconds of a step of the bare loop."""
    torch.manual_seed(0)
    net, data = one_layer(), built.data.split("train").batch(torch.arange(4000))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    order = torch.randperm(4000).repeat(steps * 64 // 4000 + 1)[: steps * 64].view(steps, 64)
    began = time.perf_counter()
    for positions in order:
        image = (data["image"][positions].float() / 255 - 0.13) / 0.31
        loss = functional.cross_entropy(net(image), data["label"][positions])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - began) / steps


def fit_seconds(built: Experiment, config: dict[str, Any], steps: int) -> float:
    """Seconds of a step of cnnexp's fit with its metrics, log and checkpoints, without validation."""
    epochs = max(1, steps // built.task.steps_per_epoch)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkpoints").mkdir()
        recording = Recording(MetricsFile(Path(folder) / "metrics.csv"), 50, lambda epoch, results: None)
        save = Checkpointing(
            Path(folder),
            monitor=None,
            mode="max",
            every_steps=1000,
            max_steps=None,
            patience=None,
            min_delta=0.0,
            signal=StopSignal(),
        )
        trainer = pl.Trainer(
            max_epochs=epochs,
            logger=False,
            accelerator="cpu",
            callbacks=[recording, save],
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            profiler=Unprofiled(),
            limit_val_batches=0,
            use_distributed_sampler=False,
        )
        trainer.fit(built.task, datamodule=built.data)
    return recording.train_seconds / (epochs * built.task.steps_per_epoch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    quiet_known_warnings()
    RunLog(Console(quiet=True), main=False)
    words = ["model=lenet5", "data=mnist5k", "augmentation=none", "scheduler=constant", "hardware=cpu"]
    config = resolve_hardware(compose_run([*words, "hardware.threads=1", "batch_size=64"]))
    set_up_process(config["hardware"])
    rows = []
    for _ in range(arguments.rounds):
        built = experiment(config)
        rows.append((bare_seconds(built, arguments.steps), fit_seconds(built, config, arguments.steps)))
    over = [(fit - bare) * 1e6 for bare, fit in rows]
    result = {
        "torch": torch.__version__,
        "lightning": pl.__version__,
        "bare_us": [round(bare * 1e6) for bare, _ in rows],
        "cnnexp_us": [round(fit * 1e6) for _, fit in rows],
        "overhead_us": {"median": round(statistics.median(over)), "least": round(min(over)), "most": round(max(over))},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
