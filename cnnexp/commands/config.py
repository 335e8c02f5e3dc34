"""``cnnexp config``: the configuration that a command line composes, checked and resolved."""

from __future__ import annotations

import argparse

from cnnexp.commands.arguments import add_overrides

EXAMPLE = "cnnexp config model=resnet50 data=cifar10 optimizer.lr=0.05"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import compose_run, to_yaml

    config = compose_run(arguments.overrides, arguments.config_dir)
    if arguments.json:
        import json

        print(json.dumps(config, indent=2))
    else:
        print(to_yaml(config), end="")
    return 0
