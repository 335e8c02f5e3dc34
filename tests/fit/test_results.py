"""What is left of a run: predictions as a table with the words of the data set, and the scores that were tested."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.base import TensorSplit
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.module import TaskModule
from cnnexp.fit.results import draw_run, per_class, summarise, write_predictions, write_test
from cnnexp.fit.stopping import StopSignal
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from cnnexp.tasks.segmentation import Segmentation
from tests.tasks import tiny


def classifying() -> TaskModule:
    return tiny.module(Classification, tiny.linear_net())


def table(folder: Path) -> list[list[str]]:
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_predictions_have_the_names_of_files_and_classes(run_folder: Path) -> None:
    made = classifying()
    made.predictions = {
        "index": np.array([0, 2]),
        "target": np.array([1, 0]),
        "prediction": np.array([1, 2]),
        "probability": np.array([0.5, 1 / 3], dtype=np.float32),
    }
    write_predictions(run_folder, made, ["a.png", "b.png", 'c, "d".png'])
    assert table(run_folder) == [
        ["index", "file", "target", "prediction", "probability"],
        ["0", "a.png", "bee", "bee", "0.5"],
        ["2", 'c, "d".png', "ant", "cat", "0.333333"],
    ]
    write_predictions(run_folder, made, None)
    assert table(run_folder)[0] == ["index", "target", "prediction", "probability"]
    assert not (run_folder / "predictions.npz").exists()


def test_pictures_of_predictions_go_to_a_file_of_their_own(run_folder: Path) -> None:
    made = tiny.module(Segmentation, tiny.pixel_net())
    masks = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    made.predictions = {"index": np.array([3, 5]), "pixels": np.array([4, 4]), "mask": masks}
    write_predictions(run_folder, made, None)
    assert table(run_folder) == [["index", "pixels"], ["3", "4"], ["5", "4"]]
    with np.load(run_folder / "predictions.npz") as arrays:
        assert np.array_equal(arrays["mask"], masks)
        assert arrays["index"].tolist() == [3, 5]


def test_a_detector_that_found_nothing_has_a_table_without_rows(run_folder: Path) -> None:
    made = tiny.module(Detection, tiny.grid_net())
    made.predictions = {"index": np.zeros(0, np.int64), "prediction": np.zeros(0, np.int64), "x1": np.zeros(0)}
    write_predictions(run_folder, made, ["a.png"])
    assert table(run_folder) == [["index", "file", "prediction", "x1"]]


def test_the_test_leaves_a_table_and_pictures(run_folder: Path) -> None:
    data, made = tiny.picture_data(test=11), classifying()
    write_test(run_folder, made, data)
    assert list(run_folder.glob("pred*")) == [], "there was no test"
    tiny.trainer().test(made, datamodule=DataModule(data), verbose=False)
    write_test(run_folder, made, data)
    rows = table(run_folder)
    labels = data.split("test").batch(range(11))["label"].tolist()
    assert [row[:2] for row in rows[1:]] == [[str(i), tiny.CLASSES[label]] for i, label in enumerate(labels)]
    for name in ("confusion.png", "predictions.png"):
        with Image.open(run_folder / "pictures" / name) as picture:
            assert min(picture.size) > 50


def kept(folder: Path) -> Checkpointing:
    keeping = Checkpointing(
        folder,
        monitor=None,
        mode="max",
        every_steps=None,
        max_steps=None,
        patience=None,
        min_delta=0,
        signal=StopSignal(),
    )
    keeping.best_epoch, keeping.epochs_done, keeping.step = 3, 5, 15
    keeping.best_results = {"val/accuracy": 0.9, "train/loss": 0.1}
    return keeping


def test_a_summary_has_the_scores_of_the_best_epoch_and_of_the_test(run_folder: Path) -> None:
    made = classifying()
    made.results = {"test/accuracy": 0.8, "test/loss": 0.4}
    made.vectors = {"test/accuracy": [0.7, float("nan"), 0.9], "val/accuracy": [1.0, 1.0, 1.0]}
    summary = summarise(made, kept(run_folder), 1234.567, partial=False)
    assert summary["metrics"] == {"val/accuracy": 0.9, "train/loss": 0.1, "test/accuracy": 0.8, "test/loss": 0.4}
    assert summary["per_class"] == {"test/accuracy": {"ant": 0.7, "cat": 0.9}}
    assert summary["samples_are"] == "picture"
    numbers = {name: summary[name] for name in ("best_epoch", "epochs", "steps", "parameters", "images_per_second")}
    assert numbers == {"best_epoch": 3, "epochs": 5, "steps": 15, "parameters": 64 * 3 + 3, "images_per_second": 1234.6}
    assert json.loads(json.dumps(summary)) == summary


def test_a_partial_run_is_judged_by_what_it_measured_last(run_folder: Path) -> None:
    made = classifying()
    made.results = {"test/accuracy": 0.2}
    summary = summarise(made, kept(run_folder), None, partial=True)
    assert summary["metrics"] == {"test/accuracy": 0.2}
    assert summary["partial"] and summary["images_per_second"] is None


@pytest.mark.parametrize("task_class", [Segmentation, Classification])
def test_values_for_each_class_have_the_names_that_the_task_knows(task_class: type[Any]) -> None:
    """As many classes of masks as of labels: the number alone does not tell them apart."""
    made = TaskModule(tiny.task(task_class, tiny.pixel_net()))
    made.vectors = {"test/score": [0.1, 0.2, 0.3]}
    names = tiny.MASK_CLASSES if task_class is Segmentation else tiny.CLASSES
    assert per_class(made) == {"test/score": dict(zip(names, [0.1, 0.2, 0.3], strict=True))}


def test_curves_are_drawn_where_something_was_measured(run_folder: Path) -> None:
    draw_run(run_folder, "run", None, None)
    (run_folder / "metrics.csv").write_text("epoch,step\n")
    draw_run(run_folder, "run", None, None)
    assert not (run_folder / "pictures" / "curves.png").exists()
    (run_folder / "metrics.csv").write_text("epoch,step,train/loss,val/loss\n1,3,2.0,2.5\n2,6,1.0,1.5\n")
    draw_run(run_folder, "run", "val/loss", 2)
    with Image.open(run_folder / "pictures" / "curves.png") as picture:
        assert min(picture.size) > 200


def test_a_split_with_names_hands_them_to_the_table(run_folder: Path) -> None:
    named = TensorSplit(tiny.samples(3), names=["x.png", "y.png", "z.png"])
    data = tiny.picture_data(dataset=tiny.Given(test=named))
    made = classifying()
    tiny.trainer().test(made, datamodule=DataModule(data), verbose=False)
    write_test(run_folder, made, data)
    assert [row[1] for row in table(run_folder)] == ["file", "x.png", "y.png", "z.png"]
