"""``cnnexp resume``: go on with a run, from its own frozen configuration."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_run, add_words
from cnnexp.config.earlier import brought_up
from cnnexp.config.overrides import Word, read_words
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.report.gradients import FILE as GRADIENTS
from cnnexp.runs.checkpoints import BEST, LAST, LEARNT, kept_epochs
from cnnexp.runs.data_places import MOVABLE, moved
from cnnexp.runs.data_record import FILES as DATA
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record, inside

if TYPE_CHECKING:
    from cnnexp.fit.ranks import Role

EXAMPLE = "cnnexp resume last"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_words(
        parser,
        "max_steps=N or max_steps=null; epochs=N goes on with a finished run, as a new one; data.root=FOLDER or "
        "data.file=FILE says where its data is now",
    )
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help="allow classes of this package")


def run(arguments: argparse.Namespace) -> int:
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    values = _values(read_words(arguments.overrides))
    frozen = brought_up(record.config)
    _check(frozen, record)
    config = _given(frozen, values)
    _check(config, record)

    from cnnexp.fit import run as fitting
    from cnnexp.fit.ranks import find_role

    role = find_role()
    if role.folder is not None:  # started by the first process, which has answered all questions already
        return fitting.run(fitting.Request(config, _command(), arguments.trust), role)
    if record.status == "running" and role.is_main:
        raise InputError(f"{record.id} is still running; wait for it, or stop it with Ctrl-C where it runs")
    if record.status == "finished" and "epochs" not in values and any(key in MOVABLE for key in values):
        return _note_places(record, config, arguments)
    if record.status == "finished":
        _refuse_fewer_epochs(record, config, given="epochs" in values)
        return _extend(record, config, role, arguments)
    if config["epochs"] != record.config["epochs"]:
        raise InputError(
            f"epochs={config['epochs']}: {record.id} has not finished its {record.config['epochs']} epochs, on which "
            "its schedule is built; resume it as it is, and go on with epochs=N after that"
        )
    return _go_on(record, config, role, arguments)


def _command() -> list[str]:
    return ["cnnexp", *sys.argv[1:]]


def _values(words: list[Word]) -> dict[str, Any]:
    for word in words:
        if word.key not in ("epochs", "max_steps", *MOVABLE):
            raise InputError(
                f"{word.text}: a run goes on with the configuration that it was begun with; only epochs and max_steps "
                "may be given, and data.root or data.file where the data has moved (cnnexp train makes a new run)"
            )
    return {word.key: word.value for word in words}


def _given(frozen: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    places = {key: value for key, value in values.items() if key in MOVABLE}
    return {**moved(frozen, places), **{key: value for key, value in values.items() if key not in places}}


def _check(config: dict[str, Any], record: Record) -> None:
    """The frozen configuration again, as strictly as a new one: it may come from a stranger.

    Raises:
        InputError: a line for each problem.
    """
    from cnnexp.config.rules import problems_of
    from cnnexp.config.schema import RUN

    problems = problems_of(config, RUN)
    if problems:
        raise InputError(*(f"{record.id}: {problem}" for problem in problems))


def _go_on(record: Record, config: dict[str, Any], role: Role, arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import to_yaml
    from cnnexp.fit import run as fitting
    from cnnexp.runs.write import RunWriter

    _checkpoints(record, config, arguments, required=False)
    writer = None
    if role.is_main:
        writer = RunWriter.reopen(record.folder, to_yaml(config), _command(), arguments.overrides)
    try:
        return fitting.run(fitting.Request(config, _command(), arguments.trust, record.folder, writer), role)
    except InputError:
        if writer is not None and not writer.started:
            writer.let_go()
        raise


def _checkpoints(record: Record, config: dict[str, Any], arguments: argparse.Namespace, required: bool) -> list[Path]:
    """The run's checkpoints, which its net can go on from; there may be none unless they are required.

    Raises:
        InputError: one is missing, damaged, of another net or leads elsewhere; the net cannot be made.
    """
    from cnnexp.builders.build import build_task
    from cnnexp.builders.facts import provisional_facts
    from cnnexp.builders.learnt import learnt_facts
    from cnnexp.builders.revive import put_weights
    from cnnexp.builders.weights import load_checkpoint, load_weights
    from cnnexp.fit.checkpointing import progress_of

    names = [name for name in (LAST, BEST) if required or os.path.lexists(record.folder / name)]
    paths = [inside(record.folder, name) for name in names]
    facts = learnt_facts(provisional_facts(config, arguments.trust), record.folder, config)
    task = build_task(config, facts, arguments.trust)
    for path in paths:
        put_weights(task, load_weights(path), str(path))
        if path == record.folder / LAST:
            progress_of(load_checkpoint(path), path)
    return paths


def _refuse_fewer_epochs(record: Record, config: dict[str, Any], given: bool) -> None:
    epochs, done = config["epochs"], record.config["epochs"]
    if epochs <= done:
        asked = f"epochs={epochs}" if given else "no epochs"
        raise InputError(
            f"{record.id} has finished its {done} epochs, and {asked} was given; "
            f"to go on give more, for example epochs={2 * done}"
        )


def _note_places(record: Record, config: dict[str, Any], arguments: argparse.Namespace) -> int:
    """A finished run has nothing to go on with but where its data is now."""
    from cnnexp.builders.reopen import refuse_other_samples
    from cnnexp.config.compose import to_yaml
    from cnnexp.runs.data_places import places_of
    from cnnexp.runs.keep import note_places

    refuse_other_samples(record, config, arguments.trust)
    places = places_of(config, config, record.folder)
    note_places(record, to_yaml({**config, "max_steps": record.config["max_steps"]}), places)
    for key, place in places.items():
        print(f"{record.id} has finished; its data.{key} is {place['absolute']} from now on")
    return 0


def _extend(record: Record, config: dict[str, Any], role: Role, arguments: argparse.Namespace) -> int:
    """A new run beside a finished one, which begins where that ended and names it as its parent."""
    from cnnexp.config.compose import to_yaml
    from cnnexp.fit import run as fitting
    from cnnexp.runs.write import RunWriter

    tables = ["metrics.csv", *(name for name in (GRADIENTS, LEARNT, *DATA) if (record.folder / name).exists())]
    beside = [*tables, *kept_epochs(record.folder).values()]
    files = [*_checkpoints(record, config, arguments, required=True), *(inside(record.folder, one) for one in beside)]
    # not where the configuration says, which may be a stranger's
    folder = record.folder if record.folder.name not in ("", "..") else record.folder.resolve()
    outputs = Path(arguments.outputs) if arguments.outputs else folder.parent
    config = {**config, "outputs": str(outputs)}
    if not role.is_main:
        return fitting.run(fitting.Request(config, _command(), arguments.trust, record.folder), role)
    writer = RunWriter.create(config, to_yaml(config), _command(), parent=record.id)
    try:
        writer.copy(files, record.folder)
        request = fitting.Request(config, _command(), arguments.trust, writer.folder, writer, parent=record.id)
        return fitting.run(request, role)
    except BaseException:
        if not writer.started:
            writer.discard()
        raise
