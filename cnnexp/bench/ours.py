"""cnnexp's own side: its real training, its batches alone, and the bare loops that show what is at most possible."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnnexp.bench.cells import Cell, Rate
from cnnexp.bench.timing import Training, timed_steps
from cnnexp.builders.build import Experiment, build
from cnnexp.builders.hardware import resolve_hardware, set_up_process
from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError
from cnnexp.fit import run as fitting
from cnnexp.fit.console import quiet_known_warnings
from cnnexp.fit.ranks import Role
from cnnexp.inputs.pictures import Pictures

_RESIDENT_BATCHES = 8


def train(cell: Cell) -> Rate:
    """``cnnexp train`` as it is, with its metrics, log and checkpoints.

    The record's throughput leaves out the start, the first epoch, and the validation.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [*words_of(cell), *_loop(cell), f"epochs={cell.epochs}", f"outputs={folder}"]
        request = fitting.Request(config=compose_run(words), command=["cnnexp", "train", *words])
        with contextlib.redirect_stdout(sys.stderr):
            fitting.run(request, Role())
        (path,) = Path(folder).glob("*/summary.json")
        summary = json.loads(path.read_text(encoding="utf-8"))
    steps = summary["steps"] // summary["epochs"] * (cell.epochs - 1)
    images = steps * request.config["batch_size"]
    return Rate(images, steps, images / summary["images_per_second"])


def words_of(cell: Cell) -> list[str]:
    """The words of the cell with the machine that it is to use."""
    compiled = ["hardware.compile=true"] if cell.compiled else []
    return [f"hardware={cell.device}", *cell.words, *compiled, f"hardware.threads={cell.threads}"]


def _loop(cell: Cell) -> list[str]:
    if cell.loop is None:
        return []
    if "loop" in compose_run(words_of(cell))["hardware"]:
        return [f"hardware.loop={cell.loop}"]
    if cell.loop == "direct":
        raise InputError("hardware.loop=direct: this version has Lightning's loop only")
    return []


def prepare(cell: Cell) -> Rate:
    """Batches in a random order, augmented and normalised, as training takes them; no net."""
    experiment, _ = set_up(cell)
    task, split = experiment.task, experiment.data.split("train")
    orders = _batches_of(torch.randperm(len(split)), experiment.data.batch_size)
    endless = itertools.cycle(orders)
    return timed_steps(lambda: task.prepare(split.batch(next(endless)), True), len(orders[0]), cell, task.device)


def bare(cell: Cell) -> Rate:
    """A loop that does nothing but compute: prepared batches on the device, the same net, loss and optimizer."""
    experiment, config = set_up(cell)
    split, size = experiment.data.split("train"), experiment.data.batch_size
    training = Training(experiment.task.net, config)
    orders = _batches_of(torch.arange(len(split)), size)[:_RESIDENT_BATCHES]
    prepared = [experiment.task.prepare(split.batch(order), train=False) for order in orders]
    endless = itertools.cycle([_pair(experiment, training, one) for one in prepared])
    return timed_steps(lambda: training.step(*next(endless)), size, cell, training.device)


def bare_loading(cell: Cell) -> Rate:
    """A loop that also takes its batches out of the pictures in memory and turns them into normalised floats."""
    experiment, config = set_up(cell)
    split, size = experiment.data.split("train"), experiment.data.batch_size
    training = Training(experiment.task.net, config)
    mean, std = (torch.tensor(one).view(1, -1, 1, 1) for one in pictures_of(experiment).normalised_by)

    def step() -> None:
        batch = split.batch(next(orders))
        (picture,) = experiment.facts.input.arguments(batch)
        image = (picture.float() / 255 - mean) / std
        training.step(training.picture(image), batch["label"].to(training.device))

    orders = _endless_orders(len(split), size)
    return timed_steps(step, size, cell, training.device)


def _pair(experiment: Experiment, training: Training, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """A prepared batch's pictures and labels, where they are learnt from."""
    (picture,) = experiment.facts.input.arguments(batch)
    return training.picture(picture), batch["label"].to(training.device)


def pictures_of(experiment: Experiment) -> Pictures:
    """What the pictures of a cell are: the bench is about pictures alone."""
    found = experiment.facts.input
    assert isinstance(found, Pictures)
    return found


def set_up(cell: Cell) -> tuple[Experiment, dict[str, Any]]:
    """The parts of the run that the cell's words describe, in a process set up as that run's would be."""
    quiet_known_warnings()
    config = resolve_hardware(compose_run(words_of(cell)))
    set_up_process(config["hardware"])
    return build(config), config


def _batches_of(order: Tensor, size: int) -> list[Tensor]:
    return list(order[: len(order) // size * size].split(size)) if len(order) >= size else [order]


def _endless_orders(count: int, size: int) -> Iterator[Tensor]:
    while True:
        yield from _batches_of(torch.randperm(count), size)
