"""``cnnexp train``: one command line, one run."""

from __future__ import annotations

import argparse
import sys

from cnnexp.commands.arguments import add_overrides

EXAMPLE = "cnnexp train model=resnet20 data=cifar10 optimizer.lr=0.05 epochs=10"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import compose_run

    config = compose_run(arguments.overrides, arguments.config_dir)

    from cnnexp.fit import run as fitting
    from cnnexp.fit.ranks import find_role

    request = fitting.Request(config=config, command=["cnnexp", *sys.argv[1:]], trusted=arguments.trust)
    return fitting.run(request, find_role())
