"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.errors import InputError
from cnnexp.notice import loaded

if TYPE_CHECKING:
    from cnnexp.runs.read import Record


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


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """``--checkpoint``: which of a run's weights."""
    parser.add_argument(
        "--checkpoint",
        choices=("best", "last"),
        default=None,
        help="which weights [best; last of a run that was stopped before it had any]",
    )


def weights_named(record: Record, wished: str | None) -> str:
    """Which weights of a run will be used, best or last; a person is told where that is not what one would expect.

    Raises:
        InputError: the run has no such weights.
    """
    from cnnexp.runs.weights import kept_weights

    kept = kept_weights(record, wished)
    if kept.note:
        loaded()
        print(f"{record.id}: {kept.note}", file=sys.stderr)
    return kept.name


def png_path(text: str, option: str) -> Path:
    """A file that a PNG can be written to; nothing is made yet.

    Args:
        option: that named it.

    Raises:
        InputError: it is a folder, is named otherwise, or cannot be written.
    """
    from cnnexp.runs.write import writable_folder

    path = Path(text)
    if path.is_dir():
        raise InputError(f"{option} {text}: this is a folder; name a file, such as {path / 'picture.png'}")
    if path.suffix.lower() != ".png":
        raise InputError(f"{option} {text}: the picture is a PNG; name it {path.with_suffix('.png')}")
    writable_folder(path.parent, f"{option} FILE")
    return path


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
