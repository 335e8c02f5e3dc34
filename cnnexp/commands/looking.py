"""What techniques that look into a net share: which net, which samples, which layer, and how it is handed over."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from cnnexp.commands.arguments import add_checkpoint, add_folder, add_outputs, add_own_code, folder_of, weights_named
from cnnexp.commands.asked import files_in, names_data, settings_and_files, suitable_data
from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import PICTURES
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from cnnexp.data.loading import Data
    from cnnexp.inputs.base import Batch, Picture
    from cnnexp.tasks.base import Task
    from cnnexp.visualize.section import Section

SplitName = Literal["train", "val", "test"]
WITHOUT_RUN = "model=squeezenet1_0 model.weights=torchvision photo.jpg"


@dataclass(frozen=True)
class Samples:
    """Some samples as they are stored, on the net's device.

    Attributes:
        stored: a batch of them, with their truths where they come of a data set. names: of each, for a person.
        split: that they come of; None for a person's own files.
    """

    task: Task
    stored: Batch
    names: Sequence[str]
    split: SplitName | None = None

    def __len__(self) -> int:
        return len(self.names)

    def prepared(self, start: int = 0, stop: int | None = None) -> Tensor:
        """What the net takes of some of them, (B, …)."""
        part = {key: value[start:stop] for key, value in self.stored.items()}
        return self.of(part)

    def of(self, stored: Batch) -> Tensor:
        """Stored samples → what the net takes."""
        (value,) = self.task.facts.input.arguments(self.task.prepare(stored, train=False))
        return value

    def some(self, places: Sequence[int]) -> Samples:
        """Those at these places among them."""
        import torch

        chosen = torch.as_tensor(list(places), dtype=torch.int64)
        stored = {key: value[chosen.to(value.device)] for key, value in self.stored.items()}
        return replace(self, stored=stored, names=[self.names[place] for place in places])

    def of_values(self, values: Tensor) -> Tensor:
        """The same for the values alone, of inputs that are one tensor."""
        from cnnexp.inputs.pictures import Pictures

        return self.of(Pictures.stored_as(values))

    def shown(self) -> list[Picture]:
        """As pictures for a person, of the size that the net sees."""
        return self.task.preparation.shown(self.task.prepare(self.stored, train=False))

    @property
    def labels(self) -> Tensor | None:
        """int64 (N,), where each sample has one class and it is known."""
        return self.stored.get("label")


@dataclass(frozen=True)
class Subject:
    """A trained net in evaluation mode, and where samples for it come from.

    Attributes:
        name: of the net, and of its data where it has some: ``resnet20 on cifar10``.
        config: the run's, or what the words came to. record: of a run. data: prepared; None for weights without data.
        given: the person's own files, decoded; None where there are none.
    """

    task: Task
    name: str
    config: Mapping[str, Any]
    record: Record | None = None
    data: Data | None = None
    given: Samples | None = None

    def take(self, count: int, split: SplitName = "test") -> Samples:
        """The person's own files, or so many samples that lie evenly over a split.

        Raises:
            InputError: there is neither.
        """
        return self.given if self.given is not None else self.of_split(count, split)

    def of_split(self, count: int, split: SplitName = "test") -> Samples:
        """So many samples that lie evenly over a split, or all of them.

        Raises:
            InputError: the weights come without data.
        """
        return self.at(evenly(range(len(self._prepared_data().split(split))), count), split)

    def at(self, places: Sequence[int], split: SplitName = "test") -> Samples:
        """The samples at these places of a split.

        Raises:
            InputError: the weights come without data.
        """
        import torch

        batch = self._prepared_data().split(split).batch(torch.as_tensor(list(places), dtype=torch.int64))
        stored = {key: value.to(self.task.device) for key, value in batch.items()}
        return Samples(self.task, stored, [f"{split} {place}" for place in places], split)

    def one(self, place: int) -> Samples:
        """The sample that ``--sample`` says: of the person's own files, or of the test.

        Raises:
            InputError: there is no such one.
        """
        count = self.count
        if not 0 <= place < count:
            whose = "files" if self.given is not None else "test"
            nouns = f"{self.task.facts.input.noun}s"
            raise InputError(f"--sample {place}: the {whose} {'are' if self.given else 'has'} {nouns} 0 to {count - 1}")
        return self.at([place]) if self.given is None else self.given.some([place])

    @property
    def count(self) -> int:
        """How many there are: the person's own files, or the test."""
        return len(self.given) if self.given is not None else len(self._prepared_data().split("test"))

    def _prepared_data(self) -> Data:
        if self.data is None:
            raise InputError(f"missing: samples; name pictures, as in {WITHOUT_RUN}, or data=NAME")
        return self.data

    def with_count(self, samples: Samples) -> str:
        """Of what a picture is, in words: ``resnet20 on 200 test pictures of cifar10``."""
        noun, count = self.task.facts.input.noun, len(samples)
        if samples.split is None:
            return f"{self.config['choices']['model']} on {f'a {noun}' if count == 1 else f'{count} {noun}s'}"
        of = f"{count} {samples.split} {noun}{'' if count == 1 else 's'} of {self.config['choices']['data']}"
        return f"{self.config['choices']['model']} on {of}"

    @cached_property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes that the net tells apart; None where it tells none."""
        return self.task.facts.names(self.task.target) or None

    def number_of(self, named: str) -> int:
        """The number of a class, given by its name or number.

        Raises:
            InputError: there is no such class, or the net has none.
        """
        names = self.classes
        if names is None:
            raise InputError(f"--class {named}: {self.name} tells no classes apart; leave it out")
        if named in names:
            return names.index(named)
        if named.isdecimal() and int(named) < len(names):
            return int(named)
        raise InputError(f"--class {named}: no class of {self.name}; {did_you_mean(named, names)}")

    @property
    def normalisation(self) -> Any:
        """Of nets of pictures: stored ones, of any size, → what the net takes; and back, by ``undone``."""
        preparation: Any = self.task.preparation
        return getattr(preparation, "pictures", preparation).normalisation

    def refuse_unpictured(self, what: str) -> None:
        """Refuse nets that take no rows and columns, over which a map can be laid.

        Raises:
            NotFitting: it takes something else.
        """
        from cnnexp.visualize.section import NotFitting

        if not self.task.facts.input.pictured:
            raise NotFitting(f"{self.name}: takes {self.task.facts.input.name}, and {what} needs a net of pictures")

    def refuse_others(self, what: str) -> None:
        """Refuse nets whose samples are no pictures.

        Raises:
            NotFitting: it takes something else.
        """
        from cnnexp.visualize.section import NotFitting

        if self.task.facts.input.name != PICTURES:
            raise NotFitting(f"{self.name}: takes {self.task.facts.input.name}, and {what} needs a net of pictures")


def add_subject(parser: argparse.ArgumentParser, files: str = "pictures, or folders [test samples]") -> None:
    """RUN or a net with weights, own files, and where what is seen goes."""
    parser.add_argument("run", metavar="RUN", help="or model=… model.weights=… in place of a run")
    parser.add_argument("files", nargs="*", metavar="FILE", help=files)
    add_outputs(parser)
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)
    add_own_code(parser)


def open_subject(
    arguments: argparse.Namespace,
    technique: str,
    refuse: Callable[[Mapping[str, Any], str], None] = lambda config, name: None,
) -> Subject:
    """The net that the words name, with weights, and the files beside it.

    Args:
        technique: its name, for errors. refuse: is shown a configuration and whose it is, before anything is opened.

    Raises:
        InputError: a line for each mistake.
    """
    words, files = settings_and_files([arguments.run, *arguments.files], f"cnnexp visualize {technique} {WITHOUT_RUN}")
    folder_of(arguments)
    if not words:
        record = open_run(arguments.run, outputs_folder(arguments.outputs))
        refuse(record.config, record.id)
        return _of_run(record, files, arguments)

    from cnnexp.config.compose import compose_run

    more = [] if names_data(words) else suitable_data(words, arguments.config_dir)
    config = compose_run([*words, *more], arguments.config_dir)
    refuse(config, f"model={config['choices']['model']}")
    return _on_data(config, files, arguments) if names_data(words) else _of_weights(config, files, arguments)


def _of_run(record: Record, files: Sequence[str], arguments: argparse.Namespace) -> Subject:
    checkpoint = weights_named(record, arguments.checkpoint)

    from cnnexp.builders.reopen import reopen_data
    from cnnexp.builders.revive import checked_config, revive

    opened = reopen_data(record, checked_config(record), arguments.trust)
    task = _placed(revive(record, opened.config, checkpoint, arguments.trust), opened.config)
    given = _read(task, files, task.facts.input.read) if files else None
    return Subject(task, _named(opened.config), opened.config, record, opened.data, given)


def _on_data(config: Mapping[str, Any], files: Sequence[str], arguments: argparse.Namespace) -> Subject:
    from cnnexp.builders.pretrained import pretrained_experiment

    experiment, pinned, _ = pretrained_experiment(config, arguments.trust)
    task = _placed(experiment.task.eval(), pinned)
    given = _read(task, files, task.facts.input.read) if files else None
    return Subject(task, _named(pinned), pinned, data=experiment.data, given=given)


def _of_weights(config: Mapping[str, Any], files: Sequence[str], arguments: argparse.Namespace) -> Subject:
    from cnnexp.builders.hardware import set_up_process
    from cnnexp.builders.pretrained import pretrained, reading
    from cnnexp.builders.reopen import for_this_machine

    config = for_this_machine(dict(config))
    set_up_process(config["hardware"])
    task, how = pretrained(config, arguments.trust)
    task = _placed(task, config)
    given = _read(task, files, reading(how)) if files else None
    return Subject(task, str(config["choices"]["model"]), config, given=given)


def _named(config: Mapping[str, Any]) -> str:
    return f"{config['choices']['model']} on {config['choices']['data']}"


def _placed(task: Task, config: Mapping[str, Any]) -> Task:
    return task.to("cuda") if config["hardware"]["accelerator"] == "gpu" else task


def _read(task: Task, files: Sequence[str], read: Any) -> Samples:
    """The files as one batch.

    Raises:
        InputError: a line for each that cannot be read.
    """
    import torch

    problems: list[str] = []
    batches = []
    paths: list[Path] = files_in(files, task.facts.input)
    for path in paths:
        try:
            batches.append(read(path))
        except InputError as error:
            problems.extend(error.lines)
    if problems:
        raise InputError(*problems)
    if any(len({batch[key].shape[1:] for batch in batches}) > 1 for key in batches[0]):
        raise InputError(f"{paths[0]}: the files have several sizes; look at those of one size at a time")
    stored = {key: torch.cat([batch[key] for batch in batches]).to(task.device) for key in batches[0]}
    return Samples(task, stored, [path.name for path in paths])


def show(section: Section, arguments: argparse.Namespace) -> int:
    """Write what a technique found into the folder of ``--out``, and say it."""
    from cnnexp.runs.atomic import write_text
    from cnnexp.visualize.png import write_png

    folder = folder_of(arguments)
    written = [str(write_png(image, folder / f"{name}.png")) for name, image in section.images.items()]
    for name, page in section.pages.items():
        write_text(folder / f"{name}.html", page)
        written.append(str(folder / f"{name}.html"))
    if arguments.json:
        import json

        print(json.dumps({"title": section.title, **section.figures, "written": written}, indent=2))
        return 0
    print(section.title, *([""] if section.lines else []), *section.lines, *written, sep="\n")
    return 0


def evenly(places: Sequence[int], count: int) -> list[int]:
    """So many of the places, evenly from the first to the last, or all of them."""
    import numpy as np

    chosen = np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(np.int64)
    return [int(places[place]) for place in chosen]


def named_layer(net_layers: Sequence[str], text: str, option: str = "--layer") -> str:
    """The layer of this name.

    Raises:
        InputError: there is none; the nearest is named.
    """
    if text not in net_layers:
        raise InputError(f"{option} {text}: no such layer here; {did_you_mean(text, net_layers)}")
    return text
