"""``cnnexp reproduce``: run a run again from its frozen configuration, and say whether it comes out the same."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_run, add_words
from cnnexp.config.overrides import read_words
from cnnexp.errors import InputError
from cnnexp.paths import PACKAGE, outputs_folder
from cnnexp.runs.data_places import MOVABLE, moved

if TYPE_CHECKING:
    from cnnexp.fit.ranks import Role
    from cnnexp.runs.read import Record
    from cnnexp.runs.write import RunWriter

EXAMPLE = "cnnexp reproduce last"
MOVES = "data.root=FOLDER or data.file=FILE, where its data is now"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_words(parser, MOVES)
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help="allow classes of this package")


def run(arguments: argparse.Namespace) -> int:
    """Run it again beside the first one, and print the verdict.

    Returns:
        The exit status: 0 where it came out the same, or differs by no more than chance; 1 where it does not.

    Raises:
        InputError: there is no such run, it did not finish, or its configuration cannot be used any more.
    """
    outputs = outputs_folder(arguments.outputs)
    record = _finished(arguments.run, outputs)
    places = _places(arguments.overrides)
    from cnnexp.builders.revive import checked_config
    from cnnexp.fit.ranks import find_role

    # not where the configuration says, which may be a stranger's
    config = {**moved(checked_config(record), places), "outputs": str(outputs), "name": record.config["name"]}
    role = find_role()
    if role.folder is not None:  # started by the first process
        return _train(config, record, None, role, arguments)
    if role.is_main:
        _warn(record)
    writer = _writer(config) if role.is_main else None
    try:
        status = _train(config, record, writer, role, arguments)
    except BaseException:
        if writer is not None and not writer.started:
            writer.discard()
        raise
    return status if writer is None else status or _judge(record, writer, arguments)


def _places(texts: list[str]) -> dict[str, Any]:
    words = read_words(texts)
    wrong = [word.text for word in words if word.key not in MOVABLE]
    if wrong:
        raise InputError(f"{wrong[0]}: a run is run again as it was; only {MOVES}, may be given")
    return {word.key: word.value for word in words}


def _finished(text: str, outputs: Any) -> Record:
    from cnnexp.runs.find import open_run

    record = open_run(text, outputs)
    if record.status != "finished" or record.partial:
        raise InputError(f"{record.id} is {record.status}; only a finished run can be held against a repetition")
    return record


def _warn(record: Record) -> None:
    from cnnexp.report.plain_text import printable
    from cnnexp.report.reproduction import changes
    from cnnexp.runs.provenance import git_state, versions

    for line in changes(record, git_state(PACKAGE)[0], versions()):
        print(f"warning: {printable(line)}")
    sys.stdout.flush()


def _command() -> list[str]:
    return ["cnnexp", *sys.argv[1:]]


def _writer(config: dict[str, Any]) -> RunWriter:
    from cnnexp.config.compose import to_yaml
    from cnnexp.runs.write import RunWriter

    return RunWriter.create(config, to_yaml(config), _command())


def _train(
    config: dict[str, Any], record: Record, writer: RunWriter | None, role: Role, arguments: argparse.Namespace
) -> int:
    from cnnexp.fit import run as fitting

    request = fitting.Request(config, _command(), arguments.trust, writer=writer, repeats=record.folder)
    return fitting.run(request, role)


def _judge(record: Record, writer: RunWriter, arguments: argparse.Namespace) -> int:
    from cnnexp.report.reproduction import judge
    from cnnexp.runs.find import find_runs
    from cnnexp.runs.read import read_record, read_records

    others = find_runs([record.folder.resolve().parent])
    others = [folder for folder in others if folder.name not in (record.id, writer.folder.name)]
    verdict = judge(record, read_record(writer.folder), read_records(others))
    print(f"\n{record.id} again: {verdict.said}")
    print(f"what differs: cnnexp diff {record.folder} {writer.folder}")
    return 1 if verdict.same is False else 0
