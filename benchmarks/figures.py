"""The figures of docs: one training after the other at its defaults, and a table of what came out beside what should.

    python benchmarks/figures.py detection --data-mirror MIRROR      # hours on two cores; goes on where it was left

A line of ``ROWS`` is the words behind ``cnnexp train``, and the least that figures of its test may be. A run that is
finished is not made again; one that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("outputs/figures")


@dataclass(frozen=True)
class Row:
    """Words of a command line, and the least values of the test's metrics; several seeds are asked for in the mean."""

    words: str
    least: dict[str, float]
    seeds: int = 1


ROWS: dict[str, tuple[Row, ...]] = {
    "detection": (
        Row("model=resnet20 task=localization data=one_digit", {"accuracy": 0.95, "iou": 0.75}),
        Row("model=resnet20 task=localization data=bccd_wbc", {"iou": 0.70}),
        Row("model=window_lenet data=digit_scenes", {"map_50": 0.60}),
        Row("model=yolo data=bccd", {"map_50": 0.88}, seeds=3),
        Row("model=faster_rcnn data=digit_scenes", {"map_50": 0.85, "proposal_recall": 0.9}),
        Row("model=retinanet data=digit_scenes", {"map_50": 0.75}),
        Row("model=ssd data=digit_scenes", {"map_50": 0.75}),
        Row("model=faster_rcnn data=bccd", {"map_50": 0.60}),
        Row("model=retinanet data=bccd", {"map_50": 0.50}),
        Row("model=ssd data=bccd", {"map_50": 0.50}),
        Row("model=mask_rcnn data=digit_scenes", {"map_50": 0.70}),
        Row("model=mask_rcnn data=dsb2018", {"map_50": 0.50}),
        Row("model=unet task=components data=digit_scenes", {}),
        Row("model=unet task=components data=dsb2018", {}),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=ROWS, nargs="?", default="detection")
    parser.add_argument("--data-mirror", default=os.environ.get("CNNEXP_DATA_MIRROR"), help="a folder of downloads")
    parser.add_argument("--only", default="", help="lines that contain this")
    arguments = parser.parse_args()
    if arguments.data_mirror:
        os.environ["CNNEXP_DATA_MIRROR"] = arguments.data_mirror
    rows = [row for row in ROWS[arguments.name] if arguments.only in row.words]
    if not rows:
        parser.error(f"--only {arguments.only}: no line contains it")
    lines, short = [], 0
    for row in rows:
        found = [finished(row.words, seed) for seed in range(row.seeds)]
        values, enough = compared(row, found)
        lines.append(f"{row.words:<50} {values}")
        short += not enough
    print("\n".join(lines))
    sys.exit(1 if short else 0)


def finished(words: str, seed: int) -> dict[str, float]:
    """The metrics of a run's test, which is made or gone on with if need be."""
    name = "-".join(part.partition("=")[2] for part in words.split()) + f"-{seed}"
    folders = sorted((FOLDER / name).glob("*/run.json"))
    if not folders:
        cnnexp("train", *words.split(), f"seed={seed}", f"outputs={FOLDER / name}")
    elif json.loads(folders[-1].read_text(encoding="utf-8"))["status"] != "finished":
        cnnexp("resume", str(folders[-1].parent))
    folder = sorted((FOLDER / name).glob("*/run.json"))[-1].parent
    metrics = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["metrics"]
    return {key.removeprefix("test/"): value for key, value in metrics.items() if key.startswith("test/")}


def cnnexp(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "cnnexp", *words], check=True)


def compared(row: Row, found: list[dict[str, float]]) -> tuple[str, bool]:
    """The means over seeds in words, and whether they are enough."""
    names = list(row.least) or ["map_50"]
    means = {name: sum(one[name] for one in found) / len(found) for name in names}
    words = [
        f"{name} {mean:.3f}" + (f" (at least {row.least[name]:g})" if name in row.least else "")
        for name, mean in means.items()
    ]
    seeds = f", mean of {len(found)} seeds" if len(found) > 1 else ""
    return ", ".join(words) + seeds, all(means[name] >= least for name, least in row.least.items())


if __name__ == "__main__":
    main()
