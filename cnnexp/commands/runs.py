"""``cnnexp runs``: what there is, and keeping house."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_outputs
from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from cnnexp.report.comparison import Runs
    from cnnexp.runs.read import Record

EXAMPLE = "\n  ".join(
    (
        "cnnexp runs ls                         runs, sizes, tags",
        "cnnexp runs show last                  one run: result, command, files",
        "cnnexp runs tag last baseline paper    --remove takes tags away",
        "cnnexp runs rm 20261121-0931           to the trash",
        "cnnexp runs rm --empty-trash           deletes what is in it",
        "cnnexp runs prune --keep-best 3 --dry-run",
        "cnnexp runs export last run.zip",
        "cnnexp runs import run.zip",
    )
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="ACTION", help=f"one of {', '.join(ACTIONS)}")
    parser.add_argument(
        "words", nargs="*", metavar="RUN", help="runs (folders, ids, beginnings of ids), tags, a FILE.zip"
    )
    add_outputs(parser)
    parser.add_argument("--remove", action="store_true", help="with tag: take the tags away")
    parser.add_argument("--keep-best", type=int, metavar="N", help="with prune: the best N of each data set and metric")
    parser.add_argument("--dry-run", action="store_true", help="with rm and prune: say what would go, and no more")
    parser.add_argument("--empty-trash", action="store_true", help="with rm: delete what is in the trash")


def run(arguments: argparse.Namespace) -> int:
    """Do one action.

    Raises:
        InputError: there is no such action or run, an option that the action does not take, or it is not possible.
    """
    action = ACTIONS.get(arguments.action)
    if action is None:
        hint = did_you_mean(arguments.action, ACTIONS)
        raise InputError(f"{arguments.action}: there is no such action; {hint}")
    _refuse_options(arguments)
    action(arguments.words, outputs_folder(arguments.outputs), arguments)
    return 0


_TAKES = {"remove": ("tag",), "keep_best": ("prune",), "dry_run": ("rm", "prune"), "empty_trash": ("rm",)}


def _refuse_options(arguments: argparse.Namespace) -> None:
    for name, actions in _TAKES.items():
        value = getattr(arguments, name)
        if value is not None and value is not False and arguments.action not in actions:
            raise InputError(f"--{name.replace('_', '-')}: goes with {' and '.join(actions)}, not {arguments.action}")


def _list(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from cnnexp.report.keeping import kept_table, size_figure
    from cnnexp.runs.keep import size_bytes, trash_folders

    runs = _runs(words, outputs)
    sizes = {record.id: size_bytes(record.folder) for record in runs.records}
    console = Console(highlight=False)
    console.print(kept_table(runs, sizes, console.width))
    trash = sum(size_bytes(folder) for folder in trash_folders(outputs))
    more = f"; {size_figure(trash)} in the trash" if trash else ""
    print(f"{len(runs.records):,} runs, {size_figure(sum(sizes.values()))}{more}")


def _show(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    import shlex

    from rich.console import Console

    from cnnexp.report.columns import labelled
    from cnnexp.report.keeping import size_figure
    from cnnexp.report.plain_text import printable
    from cnnexp.report.results import result_table
    from cnnexp.runs.keep import size_bytes

    record = _one(words, outputs, "show RUN")
    facts: dict[str, Any] = {"title": record.id, "status": record.status, "folder": record.folder}
    facts["duration_s"] = record.duration_s
    console = Console(highlight=False)
    console.print(result_table(record.summary, **facts))
    command = record.run.get("command")
    lines = {
        "error": (record.error or "").partition("\n")[0],
        "command": shlex.join(map(str, command)) if isinstance(command, list) else "",
        "created": record.created,
        "tags": ", ".join(record.tags),
        "size": size_figure(size_bytes(record.folder)),
        "files": ", ".join(sorted(path.name for path in record.folder.iterdir() if not path.name.startswith("."))),
    }
    console.print()
    console.print(labelled([(label, printable(text)) for label, text in lines.items() if text]))


def _tag(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    from cnnexp.runs.keep import tag

    if len(words) < 2:
        raise InputError("tag: name a run and one tag at least, as in: cnnexp runs tag last baseline")
    record = _one(words[:1], outputs, "tag RUN TAG…")
    tags = tag(record, words[1:], arguments.remove)
    print(f"{record.id}: {', '.join(tags) or 'no tags'}")


def _remove(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    import shutil

    from cnnexp.report.keeping import size_figure
    from cnnexp.runs.find import resolve
    from cnnexp.runs.keep import size_bytes, trash_folders
    from cnnexp.runs.read import read_record

    if arguments.empty_trash:
        if words:
            raise InputError("--empty-trash: deletes all that is in the trash; name no runs")
        for folder in trash_folders(outputs):
            print(f"{'would delete' if arguments.dry_run else 'deleted'} {folder}, {size_figure(size_bytes(folder))}")
            if not arguments.dry_run:
                shutil.rmtree(folder)
        return
    if not words:
        raise InputError("rm: name the runs that shall go to the trash")
    folders = dict.fromkeys(resolve(word, outputs) for word in words)
    records = [read_record(folder) for folder in folders]
    strange = [record for record in records if record.status == "foreign"]
    if strange:
        raise InputError(*(f"{record.folder}: no run of cnnexp ({record.problem}); left alone" for record in strange))
    _trash(records, arguments.dry_run)


def _prune(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    from cnnexp.report.keeping import to_prune

    if arguments.keep_best is None or arguments.keep_best < 1:
        raise InputError("prune: say how many runs of each data set and metric stay, as in: --keep-best 3")
    runs = _runs(words, outputs)
    gone = to_prune(runs, arguments.keep_best)
    _trash(gone, arguments.dry_run)
    stay = len(runs.records) - len(gone)
    print(f"{stay:,} run stays" if stay == 1 else f"{stay:,} runs stay")


def _trash(records: Sequence[Record], dry_run: bool) -> None:
    from cnnexp.runs.keep import move_to_trash

    for record in records:
        print(f"would go: {record.folder}" if dry_run else f"{record.id} → {move_to_trash(record)}")
    if records and not dry_run:
        print("moved back they are runs again; `cnnexp runs rm --empty-trash` deletes them")


def _export(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    from cnnexp.report.keeping import size_figure
    from cnnexp.runs.keep import export

    if len(words) != 2 or not words[1].endswith(".zip"):
        raise InputError("export: name a run and an archive, as in: cnnexp runs export last run.zip")
    path = Path(words[1])
    if path.exists():
        raise InputError(f"{path}: there is such a file; remove it, or name another")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")
    print(f"{path}, {size_figure(export(_one(words[:1], outputs, 'export RUN FILE.zip'), path))}")


def _import(words: Sequence[str], outputs: Path, arguments: argparse.Namespace) -> None:
    from cnnexp.data.archives import unpack
    from cnnexp.runs.keep import adopt, most_unpacked_bytes
    from cnnexp.runs.write import disk_error, writable_folder

    if len(words) != 1:
        raise InputError("import: name one archive, as in: cnnexp runs import run.zip")
    archive = Path(words[0])
    if not archive.is_file():
        raise InputError(f"{archive}: there is no such file")
    writable_folder(outputs, "--outputs DIR")
    was_there = outputs.exists()
    outputs.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=outputs, prefix=".import-") as temporary:
            unpacked = Path(temporary, "run")
            unpack(archive, unpacked, most_unpacked_bytes(archive))
            print(adopt(unpacked, outputs))
    except OSError as error:
        raise disk_error(error, outputs, "--outputs DIR") from error
    finally:
        if not was_there:
            with suppress(OSError):  # not empty: the run is in it
                outputs.rmdir()


Action = Callable[[Sequence[str], Path, argparse.Namespace], None]
ACTIONS: Mapping[str, Action] = {
    "ls": _list,
    "show": _show,
    "tag": _tag,
    "rm": _remove,
    "prune": _prune,
    "export": _export,
    "import": _import,
}


def _one(words: Sequence[str], outputs: Path, usage: str) -> Record:
    from cnnexp.runs.find import open_run

    if len(words) != 1:
        raise InputError(f"name one run: cnnexp runs {usage}")
    return open_run(words[0], outputs)


def _runs(words: Sequence[str], outputs: Path) -> Runs:
    from cnnexp.commands.compare import run_folders
    from cnnexp.report.comparison import Runs
    from cnnexp.runs.read import read_records

    return Runs(read_records(run_folders(words, outputs))).sorted_by(None)
