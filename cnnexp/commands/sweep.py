"""``cnnexp sweep``: many runs from one command line, and the best of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_outputs, add_overrides
from cnnexp.errors import DiskFull, InputError, Interrupted, RunFailed
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from cnnexp.sweep.executors import Executor
    from cnnexp.sweep.plan import Plan
    from cnnexp.sweep.study import Study

EXAMPLE = (
    "cnnexp sweep model=lenet5,linear sweep=tpe sweep.trials=20 \\\n"
    "      'optimizer.lr=tag(log,interval(1e-4,1e-1))'\n"
    "  cnnexp sweep --resume last"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument(
        "--resume",
        metavar="SWEEP",
        help="go on with a sweep, or join it: its folder, its id, or last",
    )
    add_outputs(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.resume is None:
        return _begin(arguments)
    return _resume(arguments)


def _begin(arguments: argparse.Namespace) -> int:
    from cnnexp.runs.write import writable_folder
    from cnnexp.sweep.checking import refuse_unfitting
    from cnnexp.sweep.executors import make_executor
    from cnnexp.sweep.plan import new_folder
    from cnnexp.sweep.planning import make_plan

    if arguments.outputs is not None:
        raise InputError("--outputs: says where --resume looks; a new sweep goes to outputs=FOLDER")
    plan = make_plan(arguments.overrides, arguments.config_dir, arguments.trust, ["cnnexp", *sys.argv[1:]])
    writable_folder(Path(plan.outputs))
    with make_executor(plan.settings) as executor:
        refuse_unfitting(plan.tried, plan.trusted, executor)
        if plan.settings.storage is None:
            folder = new_folder(plan)
            return _lead(plan, folder, _study(plan, folder), executor)
        study = _study(plan, Path(plan.outputs))  # first: another sweep of this name is refused before a folder is made
        return _lead(plan, new_folder(plan), study, executor)


def _resume(arguments: argparse.Namespace) -> int:
    from cnnexp.sweep.executors import make_executor
    from cnnexp.sweep.find import find_sweep
    from cnnexp.sweep.plan import read_plan
    from cnnexp.sweep.planning import resumed

    if arguments.config_dir or arguments.trust:
        raise InputError("--resume: a sweep goes on with its own --config-dir and --trust; leave them out")
    folder = find_sweep(arguments.resume, outputs_folder(arguments.outputs))
    plan = resumed(read_plan(folder), arguments.overrides)
    with make_executor(plan.settings) as executor:
        return _lead(plan, folder, _study(plan, folder), executor)


def _study(plan: Plan, folder: Path) -> Study:
    from cnnexp.sweep.storage import StudyStorage
    from cnnexp.sweep.study import Study

    return Study(plan, StudyStorage(plan.settings.storage, folder))


def _lead(plan: Plan, folder: Path, study: Study, executor: Executor) -> int:
    """Run the sweep to its end, and say what came of it."""
    from rich.console import Console

    from cnnexp.sweep.controller import Controller
    from cnnexp.sweep.ending import conclude
    from cnnexp.sweep.table import Progress

    console = Console(highlight=False)
    console.print(f"{folder}", soft_wrap=True, markup=False)
    with _faults(folder), Progress(plan, folder, study, console) as progress:
        Controller(plan, folder, study, executor, progress).run()
    return conclude(plan, folder, study, console)


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """What can end a controller as one line, with the way to go on; its trials are not touched by it.

    Raises:
        Interrupted, RunFailed: for Ctrl-C; a database that has gone, a full disk.
        InputError: as it came, such as a journal that cannot be read any more.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    from cnnexp.runs.write import FULL, disk_error
    from cnnexp.sweep.controller import ELSEWHERE

    again = f"go on with: cnnexp sweep --resume {folder}"
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted, the trials under way are saved; {again}") from None
    except DiskFull as error:
        raise RunFailed(f"{error}; {again}") from error
    except InputError as error:
        raise InputError(*error.lines[:-1], f"{error.lines[-1]}; {again}") from error
    except (SQLAlchemyError, StorageInternalError) as error:
        raise RunFailed(f"the study cannot be reached any more ({str(error).splitlines()[0]}); {again}") from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise RunFailed(f"{disk_error(error, folder, ELSEWHERE)}; {again}") from error
