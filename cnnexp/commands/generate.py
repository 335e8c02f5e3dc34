"""``cnnexp generate``: pictures that a run's net makes up, on a sheet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run, png_path, weights_named
from cnnexp.commands.files import check_file, writing
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

EXAMPLE = "cnnexp generate last --count 64 --out digits.png"
MOST = 4096
_MOST_SEED = 2**32 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--count", type=int, metavar="N", default=64, help="pictures on the sheet [64]")
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="of the noise; a larger sheet begins with a smaller one's [0]"
    )
    parser.add_argument("--out", metavar="FILE", help="where the sheet goes [generated.png]")
    parser.add_argument(
        "--quiz",
        metavar="FILE.html",
        help="in place of a sheet a page that asks of each, and of as many test pictures: real or generated?",
    )
    add_checkpoint(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    problems = []
    if not 1 <= arguments.count <= MOST:
        problems.append(f"--count {arguments.count}: expected a number of at least 1 and at most {MOST:,}")
    if not 0 <= arguments.seed <= _MOST_SEED:
        problems.append(f"--seed {arguments.seed}: expected a whole number from 0 to {_MOST_SEED:,}")
    if problems:
        raise InputError(*problems)
    if arguments.quiz is not None and arguments.out is not None:
        raise InputError("--out, --quiz: a sheet or a page; give one of the two")
    check_file("quiz", arguments.quiz)
    quiz = arguments.quiz is not None
    out = Path(arguments.quiz) if quiz else png_path(arguments.out or "generated.png", "--out")
    record = open_run(arguments.run, outputs_folder(arguments.outputs))

    from cnnexp.builders.revive import checked_config, revive
    from cnnexp.tasks.generating import Generating
    from cnnexp.visualize.grid import grid_image
    from cnnexp.visualize.png import write_png

    config = checked_config(record)
    task = revive(record, config, weights_named(record, arguments.checkpoint), arguments.trust)
    if not isinstance(task, Generating):
        raise InputError(
            f"{record.id}: its task is {config['task']['name']}, whose net makes no pictures of noise; take a run of "
            "model=vae or model=dcgan"
        )
    pictures = task.generate(arguments.count, arguments.seed)
    noun = "picture" if arguments.count == 1 else "pictures"
    said = f"{out}: {arguments.count:,} {noun} made up by {record.id}, seed {arguments.seed}"
    if quiz:
        real = _test_pictures(record, config, task, arguments)
        _write_quiz(out, record, pictures, real, arguments.seed)
        said += f", among {len(real):,} of the test"
    else:
        write_png(grid_image(pictures), out)
    loaded()
    print(said)
    return 0


def _test_pictures(record: Record, config: dict[str, Any], task: Any, arguments: argparse.Namespace) -> list[Any]:
    """As many as are made up, as the net has them, evenly from the test split.

    Raises:
        InputError: the data cannot be had, or has not so many.
    """
    import torch

    from cnnexp.builders.reopen import reopen_data

    split = reopen_data(record, config, arguments.trust).data.split("test")
    count = arguments.count
    if count > len(split):
        raise InputError(f"--count {count}: the test split has {len(split):,} pictures to hide them among; give fewer")
    places = torch.linspace(0, len(split) - 1, count).round().long()
    return list(task.facts.input.pictures(task.preparation.stored(split.batch(places))))


def _write_quiz(path: Path, record: Record, made: list[Any], real: list[Any], seed: int) -> None:
    from cnnexp.report.page.answers import shown_as
    from cnnexp.report.page.quiz import page_of_quiz
    from cnnexp.report.page.write import write_page
    from cnnexp.visualize.canvas import to_image

    sources = [[shown_as(to_image(picture)) for picture in pictures] for pictures in (real, made)]
    net = f"{record.choices['model']} on {record.choices['data']}, {record.id}"
    with writing("quiz", path):
        write_page(page_of_quiz(*sources, title="Real or generated?", net=net, seed=seed), path)
