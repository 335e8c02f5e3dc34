"""``cnnexp visualize windows``: where a slid window sees something at each scale, and which boxes are kept of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnnexp.commands.arguments import add_checkpoint, add_folder, add_outputs, add_own_code, folder_of, weights_named
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run

LINE = "a window slid over a picture: what it sees, and the boxes that are kept"
EXAMPLE = """cnnexp train model=window_lenet data=digit_scenes
  cnnexp visualize windows last
  cnnexp visualize windows last photo.jpg --score 0.1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run of window_lenet")
    parser.add_argument("file", metavar="FILE", nargs="?", default=None, help="a picture [one of the test's]")
    add_outputs(parser)
    parser.add_argument("--sample", type=int, metavar="N", default=0, help="which of the test's, from 0 [0]")
    parser.add_argument(
        "--score", type=float, metavar="X", default=0.3, help="of the boxes that are drawn, at least [0.3]"
    )
    add_checkpoint(parser)
    add_folder(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.score <= 1:
        raise InputError(f"--score {arguments.score:g}: expected a number from 0 to 1")
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    if (record.config.get("task") or {}).get("name") != "detection":
        raise InputError(f"{record.id}: windows are slid by model=window_lenet, which is for detection")
    folder = folder_of(arguments)

    import torch

    from cnnexp.builders.reopen import reopen_data
    from cnnexp.builders.revive import checked_config, revive
    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.windows import look, windows_image

    opened = reopen_data(record, checked_config(record), arguments.trust)
    task = revive(record, opened.config, weights_named(record, arguments.checkpoint), arguments.trust)
    if not hasattr(task.net, "view"):
        choice = record.choices.get("model")
        raise InputError(f"{record.id}: model={choice} slides no windows; such a net is model=window_lenet")
    if arguments.file is not None:
        stored = task.facts.input.read(Path(arguments.file))
    else:
        split = opened.data.split("test")
        if not 0 <= arguments.sample < len(split):
            raise InputError(f"--sample {arguments.sample}: the test has pictures 0 to {len(split) - 1}")
        stored = split.batch(torch.tensor([arguments.sample]))
    # the picture as the net sees it: its truth, where it has one, plays no part
    batch = task.preparation(stored, False, 0)
    (x,) = task.facts.input.arguments(batch)
    heats, before, after = look(task.net, x)  # type: ignore[arg-type]
    before, after = (found.surer(arguments.score) for found in (before, after))
    (picture,) = task.preparation.shown(batch)
    path = write_png(windows_image(picture, heats, before, after, task.answer.names), folder / "windows.png")
    for heat in heats:
        surest = heat.values.max()
        print(
            f"scale {heat.scale:<6g}{heat.values.size:>7,} windows of {heat.span:>4.0f} pixels, the surest {surest:.3f}"
        )
    print(f"{len(before.boxes)} boxes of a score of at least {arguments.score:g}, {len(after.boxes)} after suppression")
    print(path)
    return 0
