"""``cnnexp train``: one command line, one run."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_overrides
from cnnexp.errors import InputError

EXAMPLE = "cnnexp train model=resnet20 data=cifar10 optimizer.lr=0.05 epochs=10"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument(
        "--frozen", metavar="FILE", help="take a whole configuration, such as a run's config.yaml, and no KEY=VALUE"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    if arguments.multirun:
        raise InputError(f"-m: several runs are a sweep: cnnexp sweep {shlex.join(arguments.overrides) or 'seed=0,1'}")
    config = _config(arguments)

    from cnnexp.fit import run as fitting
    from cnnexp.fit.ranks import find_role

    request = fitting.Request(config=config, command=["cnnexp", *sys.argv[1:]], trusted=arguments.trust)
    return fitting.run(request, find_role())


def _config(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.frozen is None:
        from cnnexp.config.compose import compose_run

        return compose_run(arguments.overrides, arguments.config_dir)
    if arguments.overrides or arguments.config_dir:
        raise InputError("--frozen: the file is the whole configuration; give no KEY=VALUE and no --config-dir with it")
    return _frozen(Path(arguments.frozen))


def _frozen(path: Path) -> dict[str, Any]:
    """A configuration that was composed before, checked as strictly as a new one.

    Raises:
        InputError: it cannot be read, or a line for each problem.
    """
    from cnnexp.config.check import check
    from cnnexp.config.options import config_folders
    from cnnexp.runs.read import read_yaml

    try:
        config = read_yaml(path)
    except OSError as error:
        raise InputError(f"--frozen {path}: {error.strerror}; give a run's config.yaml") from error
    except ValueError as error:
        raise InputError(f"--frozen {path}: not a configuration ({error}); give a run's config.yaml") from error
    check(config, config_folders())
    return config
