"""What several runs say of one test picture: the picture, the truth, and below them each run's mask with its mean IoU.

    python benchmarks/masks_beside.py --picture 25 --out docs/images/fcn.jpg fcn32s=RUN fcn16s=RUN fcn8s=RUN

Runs of one data set at one size; each is a folder, its caption before the equals sign.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cnnexp.builders.datasets import prepared_data
from cnnexp.builders.revive import checked_config
from cnnexp.runs.find import open_run
from cnnexp.visualize.canvas import above, beside, framed, to_image
from cnnexp.visualize.masks import legend, overlay

OPACITY = 0.75


def answer(folder: Path, picture: int) -> NDArray[np.uint8]:
    """The mask that a finished run wrote down for a test picture."""
    with np.load(folder / "predictions.npz") as found:
        return found["mask"][int(np.flatnonzero(found["index"] == picture)[0])]


def score(folder: Path) -> float:
    """Its mean IoU on all test pictures."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return float(summary["metrics"]["test/miou"])


def drawn(picture: NDArray[np.uint8], masks: dict[str, NDArray[np.uint8]], names: list[str]) -> Image.Image:
    """The picture and the truth over it, below them what the runs say, above a legend."""
    image = to_image(picture)
    panels = {"picture": image} | {caption: overlay(image, mask, OPACITY) for caption, mask in masks.items()}
    captions = list(panels)
    rows = [beside([panels[one] for one in row], row) for row in (captions[:2], captions[2:])]
    labels = sorted({int(label) for mask in masks.values() for label in np.unique(mask)})
    wide = max(row.width for row in rows)
    return framed(above([*rows, legend(labels, names, wide)]))


def captioned(word: str) -> tuple[str, Path]:
    """A caption and the folder of a run, as they are typed."""
    caption, equals, folder = word.partition("=")
    if not (caption and equals and folder):
        raise argparse.ArgumentTypeError(f"{word}: expected CAPTION=RUN, for example fcn8s=outputs/…")
    return caption, Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=captioned, metavar="CAPTION=RUN")
    parser.add_argument("--picture", type=int, default=0, help="its number in the test split")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    runs = dict(arguments.runs)
    config = checked_config(open_run(str(next(iter(runs.values())).absolute()), Path()))
    data = prepared_data(config)
    batch = data.split("test").batch(torch.tensor([arguments.picture]))
    masks = {"truth": batch["mask"][0].numpy()}
    masks |= {f"{caption}: mean IoU {score(run):.3f}": answer(run, arguments.picture) for caption, run in runs.items()}
    (picture,) = data.facts.input.pictures(batch)
    drawn(picture, masks, list(data.facts.names("mask"))).save(arguments.out, optimize=True, quality=88, subsampling=0)


if __name__ == "__main__":
    main()
