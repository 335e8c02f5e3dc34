"""What is left of a run when it has ended: summary.json, predictions.csv, the curves."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnnexp.answers.base import Columns
from cnnexp.data.loading import Data
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.drawing import draw_test
from cnnexp.fit.module import TaskModule
from cnnexp.report.curves import draw_curves, rows_of_epochs
from cnnexp.report.fitting import gaps, verdict
from cnnexp.runs.atomic import replacing, write_text
from cnnexp.runs.read import read_metrics
from cnnexp.visualize.png import write_png


def summarise(
    module: TaskModule,
    checkpointing: Checkpointing,
    images_per_second: float | None,
    partial: bool,
    rows: Sequence[Mapping[str, float | None]] = (),
) -> dict[str, Any]:
    """The content of summary.json: the scores of the weights that were tested, and what they cost.

    Training and validation metrics are those of the best epoch, unless the run was cut short; the gap between the two
    is that of the last epoch.

    Args:
        rows: of metrics.csv.
    """
    score = (module.learning.recipe.monitor or "").rpartition("/")[2] or None
    epochs = [row for row, closes in zip(rows, rows_of_epochs(rows), strict=True) if closes]
    comparable = module.task.comparable
    metrics = module.results if partial else {**checkpointing.best_results, **module.results}
    return {
        "samples_are": module.task.facts.input.noun,
        "metrics": dict(metrics),
        "per_class": per_class(module),
        **({"per_kind": module.kinds} if module.kinds else {}),
        **({"counts": module.counts} if module.counts else {}),
        "best_epoch": checkpointing.best_epoch,
        "epochs": checkpointing.epochs_done,
        "steps": checkpointing.step,
        "stopped_early": checkpointing.stopped_early,
        "parameters": sum(parameter.numel() for parameter in module.net.parameters()),
        "images_per_second": None if images_per_second is None else round(images_per_second, 1),
        "partial": partial,
        "gap": gaps(epochs, score) if comparable else {},
        "verdict": None if partial else module.remark or (verdict(epochs, score) if comparable else None),
    }


def per_class(module: TaskModule) -> dict[str, dict[str, float]]:
    """The test metrics that have a value for each class, by class name."""
    found = {}
    for name, values in module.vectors.items():
        if name.startswith("test/"):
            named = zip(module.task.answer.names, values, strict=True)
            found[name] = {one: value for one, value in named if math.isfinite(value)}
    return found


SHOWN_SAMPLES = 6
SHOWN_SMALL_SAMPLES = 40
_SMALL_VALUES = 4096


def write_test(folder: Path, module: TaskModule, data: Data) -> None:
    """The test's predictions, a row each, and pictures of a few."""
    split = data.split("test")
    if not module.predictions:
        return
    write_predictions(folder, module, split.names)
    small = math.prod(data.facts.input.shape[1:]) < _SMALL_VALUES
    count = min(len(split), SHOWN_SMALL_SAMPLES if small else SHOWN_SAMPLES)
    worth = module.task.answer.worth_showing(module.predictions, count)
    spread = np.linspace(0, len(split) - 1, count).round()  # a split may be sorted
    positions = np.asarray(spread if worth is None else worth).astype(np.int64)
    device = module.task.device
    batch = {name: value.to(device) for name, value in split.batch(torch.from_numpy(positions)).items()}
    module.eval()
    draw_test(module.task, batch, module.tables, folder / "pictures")
    for name, image in module.task.gallery(data, module.predictions).items():
        write_png(image, folder / "pictures" / f"{name}.png")


def write_predictions(folder: Path, module: TaskModule, names: Sequence[str] | None) -> None:
    """predictions.csv, a row for each test sample or box; pictures of predictions go to predictions.npz."""
    larger = {name: values for name, values in module.predictions.items() if values.ndim > 1}
    if larger:
        with replacing(folder / "predictions.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, index=module.predictions["index"], **larger)  # type: ignore[arg-type]
    write_rows(folder / "predictions.csv", module.predictions, names, module.task.answer.names)


def write_rows(path: Path, rows: Columns, names: Sequence[str] | None, classes: Sequence[str]) -> None:
    """Columns of numbers as CSV, with files and classes by name; what is larger than a number a row is left out."""
    columns = {name: values for name, values in rows.items() if values.ndim == 1}
    write_text(path, _csv(columns, names, classes))


def _csv(columns: Mapping[str, np.ndarray], names: Sequence[str] | None, classes: Sequence[str]) -> str:
    readable: dict[str, Sequence[Any]] = {}
    for name, values in columns.items():
        readable[name] = values.tolist()
        if name == "index" and names is not None:
            readable["file"] = [names[i] for i in values.tolist()]
        if name in ("target", "prediction"):
            readable[name] = [classes[i] for i in values.tolist()]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(readable)
    writer.writerows(zip(*([_shown(v) for v in values] for values in readable.values()), strict=True))
    return stream.getvalue()


def _shown(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def draw_run(
    folder: Path, title: str, monitor: str | None, best_epoch: int | None, losses: Sequence[str] = ("loss",)
) -> None:
    """pictures/curves.png; see ``draw_curves``."""
    metrics = folder / "metrics.csv"
    rows = read_metrics(metrics) if metrics.exists() else []
    if rows:
        path = folder / "pictures" / "curves.png"
        draw_curves(rows, path, title, monitor=monitor, best_epoch=best_epoch, losses=losses)
