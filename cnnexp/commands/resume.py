"""``cnnexp resume``: go on with a run, from its own frozen configuration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_run, add_words
from cnnexp.config.overrides import Word, read_words
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

EXAMPLE = "cnnexp resume last"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_words(parser, "max_steps=N or max_steps=null; epochs=N goes on with a finished run, as a new one")
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help="allow classes of this package")


def run(arguments: argparse.Namespace) -> int:
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    values = _values(read_words(arguments.overrides))
    config = _checked({**record.config, **values}, record)
    if record.status == "running":
        raise InputError(f"{record.id} is still running; wait for it, or stop it with Ctrl-C where it runs")
    if record.status == "finished":
        return _extend(record, config, values, arguments)
    if config["epochs"] != record.config["epochs"]:
        raise InputError(
            f"epochs={config['epochs']}: {record.id} has not finished its {record.config['epochs']} epochs, on which "
            "its schedule is built; resume it as it is, and go on with epochs=N after that"
        )
    return _go_on(record, config, arguments)


def _values(words: list[Word]) -> dict[str, Any]:
    for word in words:
        if word.key not in ("epochs", "max_steps"):
            raise InputError(
                f"{word.text}: a run goes on with the configuration that it was begun with; only epochs and max_steps "
                "may be given (cnnexp train makes a new run)"
            )
    return {word.key: word.value for word in words}


def _checked(config: dict[str, Any], record: Record) -> dict[str, Any]:
    """The frozen configuration again, as strictly as a new one: it may come from a stranger.

    Raises:
        InputError: a line for each problem.
    """
    from cnnexp.config.schema import RUN, problems_of

    problems = problems_of(config, RUN)
    if problems:
        raise InputError(*(f"{record.id}: {problem}" for problem in problems))
    return config


def _go_on(record: Record, config: dict[str, Any], arguments: argparse.Namespace) -> int:
    from cnnexp.builders.weights import load_checkpoint
    from cnnexp.config.compose import to_yaml
    from cnnexp.fit import run as fitting
    from cnnexp.fit.checkpointing import LAST
    from cnnexp.fit.ranks import find_role
    from cnnexp.runs.atomic import write_text
    from cnnexp.runs.write import RunWriter

    role = find_role()
    writer = None
    if (record.folder / LAST).exists():
        load_checkpoint(record.folder / LAST)
    if role.is_main:
        writer = RunWriter.reopen(record.folder)
        writer.restart(["cnnexp", *sys.argv[1:]], arguments.overrides)
        write_text(record.folder / "config.yaml", to_yaml(config))
    request = fitting.Request(config, ["cnnexp", *sys.argv[1:]], arguments.trust, record.folder, writer)
    return fitting.run(request, role)


def _extend(record: Record, config: dict[str, Any], values: dict[str, Any], arguments: argparse.Namespace) -> int:
    """A new run that begins where a finished one ended, and names it as its parent."""
    if config["epochs"] <= record.config["epochs"]:
        given = f"epochs={config['epochs']}" if "epochs" in values else "no epochs"
        raise InputError(
            f"{record.id} has finished its {record.config['epochs']} epochs, and {given} was given; "
            f"to go on give more, for example epochs={2 * record.config['epochs']}"
        )
    import shutil

    from cnnexp.builders.weights import load_checkpoint
    from cnnexp.config.compose import to_yaml
    from cnnexp.fit import run as fitting
    from cnnexp.fit.checkpointing import BEST, LAST
    from cnnexp.fit.ranks import find_role
    from cnnexp.runs.read import inside
    from cnnexp.runs.write import RunWriter

    role = find_role()
    command = ["cnnexp", *sys.argv[1:]]
    load_checkpoint(inside(record.folder, LAST))
    writer, folder = None, role.folder
    if role.is_main:
        config = {**config, "outputs": str(outputs_folder(arguments.outputs or config["outputs"]))}
        writer = RunWriter.create(config, to_yaml(config), command, parent=record.id)
        folder = writer.folder
        for name in (LAST, BEST, "metrics.csv"):
            shutil.copyfile(inside(record.folder, name), Path(folder) / name)
    return fitting.run(fitting.Request(config, command, arguments.trust, folder, writer), role)
