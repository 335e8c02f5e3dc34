"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """``key=value`` words, and where the user's own YAML and code lie."""
    add_words(parser, "a group's option (model=resnet20, data=cifar10) or a key (optimizer.lr=0.01)")
    add_own_code(parser)


def add_words(parser: argparse.ArgumentParser, meaning: str) -> None:
    """``key=value`` words alone."""
    parser.add_argument("overrides", nargs="*", default=[], metavar="KEY=VALUE", help=meaning)


def add_own_code(parser: argparse.ArgumentParser) -> None:
    """Where the user's own YAML and code lie."""
    parser.add_argument(
        "--config-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of your own YAML, laid out like conf/; may be given several times",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="let configurations name classes of this package of yours; may be given several times",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """RUN and where to look for it."""
    parser.add_argument("run", metavar="RUN", help="a run's folder, its id, the beginning of its id, or last")
    add_outputs(parser)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """The folder that runs are in."""
    parser.add_argument("--outputs", metavar="DIR", default=None, help="the folder that holds the runs [outputs]")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """``--out DIR``, where a technique of visualize writes."""
    parser.add_argument("--out", metavar="DIR", default="visualize", help="where the pictures go [visualize]")


def folder_of(arguments: argparse.Namespace) -> Path:
    """The folder of ``--out DIR``, which is not made yet.

    Raises:
        InputError: it cannot be written.
    """
    from cnnexp.runs.write import writable_folder

    return writable_folder(Path(arguments.out), "--out DIR")
