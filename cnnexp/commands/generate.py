"""``cnnexp generate``: pictures that a run's net makes up, on a sheet."""

from __future__ import annotations

import argparse

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run, png_path, weights_named
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run

EXAMPLE = "cnnexp generate last --count 64 --out digits.png"
MOST = 4096
_MOST_SEED = 2**32 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--count", type=int, metavar="N", default=64, help="pictures on the sheet [64]")
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="of the noise; a larger sheet begins with a smaller one's [0]"
    )
    parser.add_argument("--out", metavar="FILE", default="generated.png", help="where the sheet goes [generated.png]")
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
    out = png_path(arguments.out, "--out")
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
    write_png(grid_image(task.generate(arguments.count, arguments.seed)), out)
    loaded()
    noun = "picture" if arguments.count == 1 else "pictures"
    print(f"{out}: {arguments.count:,} {noun} made up by {record.id}, seed {arguments.seed}")
    return 0
