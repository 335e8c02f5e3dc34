"""``cnnexp sweep``: many runs from one command line, and the best of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_outputs, add_overrides
from cnnexp.errors import InputError, Interrupted, RunFailed
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from cnnexp.sweep.plan import Plan

EXAMPLE = (
    "cnnexp sweep model=lenet5,linear 'optimizer.lr=tag(log,interval(1e-4,1e-1))' sweep=tpe sweep.trials=20\n"
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
    from cnnexp.sweep.find import find_sweep
    from cnnexp.sweep.plan import make_plan, new_folder, read_plan, resumed

    if arguments.resume is None:
        if arguments.outputs is not None:
            raise InputError("--outputs: says where --resume looks; a new sweep goes to outputs=FOLDER")
        plan = make_plan(arguments.overrides, arguments.config_dir, arguments.trust, ["cnnexp", *sys.argv[1:]])
        folder = None
    else:
        if arguments.config_dir or arguments.trust:
            raise InputError("--resume: a sweep goes on with its own --config-dir and --trust; leave them out")
        folder = find_sweep(arguments.resume, outputs_folder(arguments.outputs))
        plan = resumed(read_plan(folder), arguments.overrides)
    return _lead(plan, folder or new_folder(plan))


def _lead(plan: Plan, folder: Path) -> int:
    """Run the sweep to its end, and say what came of it."""
    from optuna.exceptions import StorageInternalError
    from rich.console import Console
    from sqlalchemy.exc import SQLAlchemyError

    from cnnexp.runs.write import FULL, disk_error
    from cnnexp.sweep.controller import Controller
    from cnnexp.sweep.ending import conclude
    from cnnexp.sweep.executors import make_executor
    from cnnexp.sweep.storage import StudyStorage
    from cnnexp.sweep.study import Study
    from cnnexp.sweep.table import Progress

    again = f"go on with: cnnexp sweep --resume {folder}"
    console = Console(highlight=False)
    study = Study(plan, StudyStorage(plan.settings.storage, folder))
    console.print(f"{folder}", soft_wrap=True, markup=False)
    progress = Progress(plan, folder, study, console)
    try:
        Controller(plan, folder, study, make_executor(plan.settings, folder), progress).run()
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted, all trials under way are saved; {again}") from None
    except (SQLAlchemyError, StorageInternalError) as error:
        raise RunFailed(f"the study cannot be reached any more ({str(error).splitlines()[0]}); {again}") from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise disk_error(error, folder, f"more room for it; {again}") from error
    finally:
        progress.close()
    return conclude(plan, folder, study, console)
