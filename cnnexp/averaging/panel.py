"""Runs opened together, to be asked about the same pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from cnnexp.answers.base import Batch
from cnnexp.averaging.views import View
from cnnexp.averaging.voter import Voter
from cnnexp.builders.facts import names_of
from cnnexp.builders.reopen import Reopened, for_this_machine, is_own, known_to, reopen_data
from cnnexp.builders.revive import revive
from cnnexp.builders.same_classes import Known
from cnnexp.data.base import SplitName
from cnnexp.data.class_names import few
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.runs.data_record import read_data_record, recorded_digest
from cnnexp.runs.read import Record
from cnnexp.tasks.base import Task

_OF_THE_NET = (
    *("channels", "image_size", "decode_size", "mean", "std", "range", "background"),
    *("fraction", "labels_per_class", "workers", "in_memory", "fingerprint", "classes"),
)
"""Keys of ``data`` that say how samples are brought to a net; the others say which samples they are."""


Watch: TypeAlias = "Callable[[Iterable[list[Batch]], int, str], Iterable[list[Batch]]]"
"""Passes batches on, whose number and purpose it is told."""


def unwatched(batches: Iterable[list[Batch]], total: int, what: str) -> Iterable[list[Batch]]:
    """Nobody looks on."""
    return batches


@dataclass(frozen=True)
class Member:
    """A run with its trained net and the data at the size that the net takes."""

    record: Record
    task: Task
    data: Data
    config: Mapping[str, Any]
    order: tuple[int, ...] | None = None
    """Of each class of the panel's first member the number here, where the order is another."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if self.config["hardware"]["accelerator"] == "gpu" else "cpu")

    def voter(self, views: Sequence[View] = ()) -> Voter:
        return Voter(self.task, views, self.device, self.config["hardware"]["precision"], self.order)


@dataclass(frozen=True)
class Panel:
    """Members that know the same classes.

    Attributes:
        mapped: in a line, how the data's classes were mapped to theirs; None where they are the same.
    """

    members: tuple[Member, ...]
    mapped: str | None = None

    @classmethod
    def open(
        cls,
        records: Sequence[Record],
        configs: Sequence[dict[str, Any]],
        checkpoint: str | None,
        trusted: Sequence[str] = (),
    ) -> Panel:
        """Prepare the data and load the weights of every run.

        Args:
            configs: of the runs, with the data to evaluate on. checkpoint: best or last; None as in ``kept_weights``.

        Raises:
            InputError: the runs do not go together, or the data or the weights of one cannot be had.
        """
        _refuse_mixtures(records, configs)
        # one for all: batches of the same samples come only from loaders that cut the split alike
        configs = [{**config, "batch_size": configs[0]["batch_size"]} for config in configs]
        opened: dict[str, Reopened] = {}
        members = []
        for record, config in zip(records, configs, strict=True):
            key = _tensors_of(config)
            if key not in opened:
                opened[key] = reopen_data(record, config, trusted)
            members.append(_member(record, known_to(records[0]), config, opened[key], checkpoint, trusted))
        return cls(tuple(members), opened[_tensors_of(configs[0])].mapped)

    def batches(self, split: SplitName, watch: Watch = unwatched) -> Iterator[list[Batch]]:
        """For each step a batch for each member: the same samples, prepared as far as the data goes.

        Args:
            watch: told how far they are.
        """
        steps = len(self.members[0].data.evaluation_loader(split))
        return iter(watch(self._batches(split), steps, "evaluating"))

    def _batches(self, split: SplitName) -> Iterator[list[Batch]]:
        loaders = {id(member.data): member.data.evaluation_loader(split) for member in self.members}
        _refuse_other_samples(self.members, split)
        for batches in zip(*loaders.values(), strict=True):
            of_data = dict(zip(loaders, batches, strict=True))
            yield [of_data[id(member.data)] for member in self.members]


def _member(
    record: Record,
    first: Known | None,
    config: Mapping[str, Any],
    opened: Reopened,
    checkpoint: str | None,
    trusted: Sequence[str],
) -> Member:
    """A run on data that another one of the panel may have opened: it keeps its own order of the classes."""
    known, names = known_to(record), names_of(opened.config)
    shown, order = opened.data.facts.shown, None
    if known is not None and first is not None:
        target = config["task"]["target"]
        met = [names[target][number] for number in shown or ()]  # type: ignore[index]
        shown = shown and tuple(number for number, name in enumerate(known.names) if name in met)
        order = None if known.names == first.names else tuple(known.names.index(name) for name in first.names)
        names[target] = known.names
    classes = {word: list(one or ()) for word, one in names.items()}
    own = for_this_machine({**config, "data": {**config["data"], "classes": classes}})
    return Member(record, revive(record, own, checkpoint, trusted, shown), opened.data, own, order)


def _refuse_other_samples(members: Sequence[Member], split: SplitName) -> None:
    """Two runs that read one folder may have made other splits of it, by folds say."""
    first = members[0]
    for member in members[1:]:
        names = [one.data.split(split).names for one in (first, member)]
        if member.data is not first.data and None not in names and list(names[0] or ()) != list(names[1] or ()):
            raise InputError(
                f"{member.record.id} has other samples in its {split} split than {first.record.id}: say which to test "
                "on, data=NAME and its keys"
            )


def _refuse_mixtures(records: Sequence[Record], configs: Sequence[dict[str, Any]]) -> None:
    first, problems = configs[0], []
    for record, config in zip(records[1:], configs[1:], strict=True):
        if config["task"]["name"] != first["task"]["name"]:
            problems.append(
                f"{record.id} is for {config['task']['name']}, {records[0].id} for {first['task']['name']}: an "
                "ensemble is of one task"
            )
        elif problem := _other_classes(records[0], record):
            problems.append(problem)
        elif _which_pictures(config) != _which_pictures(first):
            names = [one["choices"]["data"] for one in (first, config)]
            problems.append(
                f"{record.id} was trained on other pictures ({names[1]}) than {records[0].id} ({names[0]}): say which "
                "to test on, data=NAME"
            )
        elif _other_samples(records[0], first, record, config):
            problems.append(
                f"{record.id} stands on other pictures than {records[0].id}, though the settings are the same, so one "
                f"may have been trained on what the other is tested on (cnnexp diff {records[0].id} {record.id}): say "
                "which to test on, data=NAME"
            )
    if problems:
        raise InputError(*problems)


def _other_samples(one: Record, config: Mapping[str, Any], other: Record, others: Mapping[str, Any]) -> bool:
    """Whether both are evaluated on their own data, and it is not the same."""
    known = [recorded_digest(record.run) for record in (one, other)]
    if not (is_own(one, config) and is_own(other, others)) or None in known or known[0] == known[1]:
        return False
    ours, theirs = (read_data_record(record.folder) for record in (one, other))
    if ours is None or theirs is None:
        return True
    resized = any(ours.splits[name].form != split.form for name, split in theirs.splits.items())
    return (ours.fingerprint, ours.split) != (theirs.fingerprint, theirs.split) or (
        not resized and ours.contents != theirs.contents
    )


def _other_classes(first: Record, other: Record) -> str | None:
    """Why two runs do not know the same classes; their order does not matter."""
    one, two = (known.names if (known := known_to(record)) else () for record in (first, other))
    if sorted(one) == sorted(two):
        return None
    strange = [name for name in two if name not in one]
    what = f"knows {few(strange)}" if strange else f"does not know {few([name for name in one if name not in two])}"
    return (
        f"{other.id} {what}, other than {first.id} ({few(one)}): probabilities of different classes have no mean; take "
        "runs on the same classes"
    )


def _which_pictures(config: Mapping[str, Any]) -> str:
    data = {key: value for key, value in config["data"].items() if key not in _OF_THE_NET}
    return json.dumps(data, sort_keys=True, default=str)


def _tensors_of(config: Mapping[str, Any]) -> str:
    """What tells whether two members can read the same tensors: all of the data's keys but the normalisation."""
    data = {
        key: value
        for key, value in config["data"].items()
        if key not in ("mean", "std", "fraction", "labels_per_class")
    }
    return json.dumps(data, sort_keys=True, default=str)
