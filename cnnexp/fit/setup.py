"""The beginning of a run: everything that can be refused is refused here, before a folder is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cnnexp.builders.begun import Start
from cnnexp.builders.build import Experiment, build
from cnnexp.builders.class_weights import with_class_weights
from cnnexp.builders.counted_anew import count_anew
from cnnexp.builders.facts import with_classes
from cnnexp.builders.hardware import device_name, resolve_hardware, set_up_process
from cnnexp.builders.learnt import read_learnt, with_digest, write_learnt
from cnnexp.builders.recorded import Held, census_of, record_of
from cnnexp.builders.starting import resolve_start, start
from cnnexp.builders.untaught import untaught_line
from cnnexp.builders.word_vectors import put_vectors
from cnnexp.config.compose import to_yaml
from cnnexp.data.base import SPLITS
from cnnexp.errors import InputError
from cnnexp.fit.console import RunLog
from cnnexp.fit.evaluate import PARTIAL_BATCHES
from cnnexp.fit.features import Plan, plan_features
from cnnexp.fit.module import TaskModule
from cnnexp.fit.ranks import Role, frozen_config, hand_on
from cnnexp.fit.recorder import Recorder
from cnnexp.runs.checkpoints import LAST
from cnnexp.runs.data_places import located, place_words, places_of
from cnnexp.runs.data_record import DataRecord, read_data_record
from cnnexp.runs.two_classes import two_classes_line
from cnnexp.runs.write import RunWriter, writable_folder
from cnnexp.training.learner import Learner


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    Attributes:
        config: composed and checked. command: as typed. trusted: packages of the user's own.
        folder: an existing run's to go on with, whose ``writer`` the first process holds; None makes a new one.
        parent: id of the run that a new one goes on from, whose data it has then.
        repeats: folder of the run that a new one is to repeat.
    """

    config: dict[str, Any]
    command: Sequence[str]
    trusted: Sequence[str] = ()
    folder: Path | None = None
    writer: RunWriter | None = None
    parent: str | None = None
    repeats: Path | None = None


@dataclass
class Run:
    """A run under way in this process.

    Attributes:
        folder: the run's; other processes than the first learn it when all can talk. new: made by this run.
        start: weights that the net began with. samples: that it stands on. partial: cut short, as it was asked to.
        partial_batches: of each of validation and test that such a run is scored on.
    """

    config: dict[str, Any]
    experiment: Experiment
    module: TaskModule
    role: Role
    recorder: Recorder
    folder: Path | None
    trusted: Sequence[str] = ()
    new: bool = False
    start: Start | None = None
    samples: DataRecord | None = None
    features: Plan | None = None
    partial: bool = False
    partial_batches: int = PARTIAL_BATCHES

    @property
    def log(self) -> RunLog:
        return self.recorder.log

    @property
    def name(self) -> str:
        """As a person names it on a command line."""
        return self.folder.name if self.folder is not None else "last"


def begin(request: Request, role: Role, log: RunLog) -> Run:
    """Build the run, and make its folder.

    Raises:
        InputError: a line for everything that does not fit, and nothing was made.
    """
    folder = role.folder or request.folder
    frozen = _resolved(request, role, folder)
    remarks: list[str] = []
    held, config = _data_of(request, folder, frozen, remarks)
    set_up_process(config["hardware"])
    beside = config if folder is None else {**config, "outputs": str(folder.parent)}  # where other runs are found
    experiment = build(beside, request.trusted, learnt=read_learnt(folder, config), held=held)
    if folder is None and request.writer is None:  # what a run was begun with it goes on with, and is repeated with
        experiment.data.dataset.refuse_untaught()
        for split in SPLITS:
            experiment.task.answer.refuse(experiment.data.split(split), experiment.facts.name)
        remarks += [line] if (line := untaught_line(experiment.data, experiment.task.answer)) else []
    config = with_digest(with_classes(config, experiment.facts), experiment.facts)
    assert experiment.recipe is not None
    config = _weigh_classes(experiment, config)
    module = TaskModule(experiment.task, Learner(experiment.task, experiment.recipe))
    begun = _start_from_weights(module, config, folder, request.trusted, remarks)
    module.steps_per_epoch = _steps_per_epoch(experiment, config)
    features = plan_features(experiment, config)
    samples = record_of(experiment.data, config)
    remarks += [line] if (line := two_classes_line(samples, experiment.facts.input.noun)) else []
    writer = request.writer
    if role.is_main and writer is None:
        writer = RunWriter.create(config, to_yaml(config), request.command, request.parent)
    recorder = Recorder(log, writer)
    recorder.begin(device_name(config["hardware"]))
    for line in remarks:
        log.say(line)
    if recorder.folder is not None:
        places, census = places_of(frozen, config, recorder.folder), census_of(experiment.data)
        recorder.note_data(replace(samples, places=places, census=census))
        folder = recorder.folder
        write_learnt(folder, experiment.facts)
        hand_on(folder)
    if begun is not None:
        recorder.note("weights.json", begun.as_record())
    return Run(
        config, experiment, module, role, recorder, folder, request.trusted,
        new=request.folder is None, start=begun, samples=samples, features=features,
    )  # fmt: skip


def _resolved(request: Request, role: Role, folder: Path | None) -> dict[str, Any]:
    """The configuration for this machine: the frozen one in a process that the first one started."""
    if role.folder is not None:
        return frozen_config(role.folder)
    if folder is None:
        writable_folder(Path(request.config["outputs"]))
    config = resolve_hardware(request.config, role.launched)
    return config if folder is not None else resolve_start(config, request.trusted)


def _data_of(
    request: Request, folder: Path | None, config: dict[str, Any], remarks: list[str]
) -> tuple[Held | None, dict[str, Any]]:
    """What the data is held to, for a run that is gone on with or repeated, and where its places are now.

    Args:
        remarks: added to, for people.
    """
    known = request.repeats or folder
    if known is None:
        return None, config
    record, run = read_data_record(known), request.parent or known.name
    config = located(config, record, known, remarks.append)
    if record is None:
        return None, config
    if request.repeats is not None:
        way_out = f"bring it back; for a run on what is there now: cnnexp train --frozen {known / 'config.yaml'}"
    else:
        words = [f"{group}={config['choices'][group]}" for group in ("model", "data")]
        words += place_words(config)
        way_out = (
            "bring it back, or begin a new run from its weights: "
            f"cnnexp train {' '.join(words)} model.weights=run:{run}"
        )
    if remarks:
        way_out = f"{way_out} ({remarks[0]})"
    return Held(record, run, way_out, say=remarks.append), config


def _start_from_weights(
    module: TaskModule, config: dict[str, Any], folder: Path | None, trusted: Sequence[str], remarks: list[str]
) -> Start | None:
    """Put the weights that the configuration names into the net, before there is an optimizer.

    A run that is gone on with has its weights in its own checkpoint, and the others may be gone by then.
    """
    if folder is not None and (folder / LAST).exists():
        return None
    line = put_vectors(module.net, config, module.task.facts.input, trusted)
    remarks += [line] if line else []
    begun = start(module.net, config, trusted, module.task.facts.input)
    if begun is not None:
        count_anew(module.net, begun)
    module.restart_average()
    return begun


def _steps_per_epoch(experiment: Experiment, config: dict[str, Any]) -> int:
    """Read the data now: a corrupt file ends the run before it began."""
    data, noun = experiment.data, experiment.facts.input.noun
    for split in ("train", "val", "test"):
        if len(data.split(split)) == 0:
            raise InputError(f"data={config['choices']['data']}: the {split} split holds no {noun}")
    world = config["hardware"]["devices"] * config["hardware"]["nodes"]
    steps = data.steps_per_epoch(world)
    if steps == 0:
        key = "fraction" if config["data"]["labels_per_class"] is None else "labels_per_class"
        raise InputError(
            f"data.{key}={config['data'][key]} leaves {len(data.train_positions())} training {noun}s for "
            f"{world} devices; take a larger part"
        )
    return steps


def _weigh_classes(experiment: Experiment, config: dict[str, Any]) -> dict[str, Any]:
    """Put numbers in the place of ``balanced``, in the loss or its net and in the configuration that is frozen."""
    if config["regularization"]["class_weights"] != "balanced":
        return config
    config = with_class_weights(config, experiment.data, experiment.task)
    weights, task = config["regularization"]["class_weights"], experiment.task
    weighed: Any = task.net if task.loss is None else task.loss
    if hasattr(weighed, "weigh"):  # else regularization.if_unsupported=ignore was given
        weighed.weigh(torch.tensor(weights, dtype=torch.float32))
    return config
