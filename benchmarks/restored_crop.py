"""A part of a test picture before and after a net, its truth and its error, each pixel shown large.

    cnnexp train model=edsr_small data=imagenette
    python benchmarks/restored_crop.py RUN --picture 12 --at 60,80 --side 72 --out docs/images/edsr_crop.png

Of a run of ``task=super_resolve`` or ``task=denoise``. Without --picture it is the one in the middle by PSNR.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from cnnexp.builders.reopen import reopen_data
from cnnexp.builders.revive import checked_config, revive
from cnnexp.inputs.degraded import GIVEN
from cnnexp.inputs.pictures import as_pictures
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.visualize.canvas import framed
from cnnexp.visualize.restored import restored_row


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--picture", type=int, help="number in the test split")
    parser.add_argument("--at", default="60,60", help="row,column of the crop's corner")
    parser.add_argument("--side", type=int, default=72)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    record = open_run(given.run, outputs_folder())
    opened = reopen_data(record, checked_config(record))
    task = revive(record, opened.config)
    number = median_of(record.folder) if given.picture is None else given.picture
    batch = task.truth(task.prepare(opened.data.split("test").batch([number]), train=False))
    (true,) = task.facts.input.arguments(batch)
    restored = task.net(batch[GIVEN])
    factor = true.shape[-1] // batch[GIVEN].shape[-1]
    side = given.side - given.side % factor
    row, column = (int(one) - int(one) % factor for one in given.at.split(","))
    pictures = []
    for picture, scale in ((batch[GIVEN], factor), (restored, 1), (true, 1)):
        part = picture[..., row // scale : (row + side) // scale, column // scale : (column + side) // scale]
        pictures.append(as_pictures(part.float().clamp(0, 1).mul(255).round().byte())[0])
    framed(restored_row(*pictures)).save(given.out)
    print(f"test picture {number}, rows {row} to {row + side}, columns {column} to {column + side}: {given.out}")


def median_of(folder: Path) -> int:
    """The number of the test picture in the middle by PSNR."""
    rows = np.genfromtxt(folder / "predictions.csv", delimiter=",", names=True)
    return int(rows["index"][np.argsort(rows["psnr"])[len(rows) // 2]])


if __name__ == "__main__":
    main()
