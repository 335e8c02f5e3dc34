"""Each task trains on real data through the command line, and leaves a record that says what happened."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.integration.conftest import CommandLine
from tests.integration.wandb_file import wandb_values

SMALL = ("data.fraction=0.02", "epochs=2", "batch_size=16", "hardware.threads=1")
TASKS = {
    "classification": ("model=lenet5", "data=mnist5k"),
    "multi_label": ("model=lenet5", "data=digit_scenes", "task=multi_label"),
    "segmentation": ("model=unet", "data=digit_scenes", "model.width=4", "model.depth=2"),
    "detection": ("model=yolo", "data=digit_scenes", "model.width=4"),
    "localization": ("model=lenet5", "data=one_digit", "task=localization", "optimizer.lr=0.001"),
    "autoencoder": ("model=conv_autoencoder", "data=mnist5k"),
    "vae": ("model=vae", "data=mnist5k", "model.kind=conv", "model.width=4", "model.bottleneck=2"),
    "denoise": ("model=dncnn", "data=mnist5k", "model.width=4", "model.depth=3"),
    "super_resolve": ("model=edsr_small", "data=mnist5k", "model.width=4", "model.blocks=1"),
}
METRICS = {
    "classification": {"accuracy", "top5", "loss"},
    "multi_label": {"map", "f1", "accuracy", "exact", "loss"},
    "segmentation": {"miou", "dice", "pixel_accuracy", "boundary_f1", "loss", "cross_entropy", "dice_loss"},
    "detection": {"map", "map_50", "map_small", "loss", "objectness", "box", "class"},
    "localization": {"accuracy", "iou", "iou_50", "localised", "loss", "class", "box"},
    "autoencoder": {"mse", "psnr", "pca_mse", "mse_over_pca", "loss"},
    "vae": {"negative_elbo", "bernoulli", "kl", "loss"},
    "denoise": {"psnr", "ssim", "noisy_psnr", "noisy_ssim", "median_psnr", "median_ssim", "loss"},
    "super_resolve": {"psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "loss"},
}
PICTURES = {
    "classification": {"curves.png", "confusion.png", "predictions.png"},
    "multi_label": {"curves.png", "predictions.png"},
    "segmentation": {"curves.png", "predictions.png"},
    "detection": {"curves.png", "predictions.png", "mistakes.png", "precision_recall.png"},
    "localization": {"curves.png", "confusion.png", "predictions.png"},
    "autoencoder": {"curves.png", "reconstructions.png", "codes.png", "neighbours.png"},
    "vae": {
        "curves.png",
        "reconstructions.png",
        "codes.png",
        "neighbours.png",
        "code_map.png",
        "samples.png",
        "interpolation.png",
    },
    "denoise": {"curves.png", "predictions.png"},
    "super_resolve": {"curves.png", "predictions.png"},
}


@pytest.fixture(params=TASKS)
def trained(request: pytest.FixtureRequest, cnnexp: CommandLine, only_run: Callable[[], Path]) -> tuple[str, Path]:
    """A task and the folder of a run of it."""
    done = cnnexp("train", *TASKS[request.param], *SMALL, figures=True)
    assert done.status == 0, done.err
    assert done.err == ""
    run = only_run()
    assert str(run.relative_to(run.parent.parent)) in done.out
    return request.param, run


def test_the_record(trained: tuple[str, Path], cnnexp: CommandLine, tmp_path: Path) -> None:
    task, run = trained
    record, summary = (json.loads((run / name).read_text()) for name in ("run.json", "summary.json"))
    assert (record["status"], record["schema_version"], record["id"]) == ("finished", 1, run.name)
    assert record["command"][:2] == ["cnnexp", "train"] and "epochs=2" in record["command"]
    assert record["versions"]["torch"] and record["duration_s"] > 0
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["task"]["name"] == task and config["epochs"] == 2
    assert {name for name in summary["metrics"] if name.startswith("test/")} == {f"test/{n}" for n in METRICS[task]}
    assert all(np.isfinite(value) for value in summary["metrics"].values())
    if task == "classification":  # of two convolutions and three layers of units
        convolutions = 5 * 5 * 6 * 28**2 + 5 * 5 * 6 * 16 * 10**2
        assert summary["multiply_adds"] == convolutions + 400 * 120 + 120 * 84 + 84 * 10
    assert summary["multiply_adds"] > summary["parameters"]
    if task == "detection":
        objects = summary["counts"]["sizes"]["small"]
        kinds = summary["counts"]["mistakes"]
        assert kinds["right"] + kinds["wrong_class"] + kinds["missed"] == objects > 1000
        assert summary["frames_per_second"] > 1 and summary["frames_on"].startswith("cpu, ")
    rows = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows if row["val/loss"]] == ["1", "2"]
    assert {path.name for path in (run / "pictures").iterdir()} == PICTURES[task]
    for path in (run / "pictures").iterdir():
        assert min(size_of(path)) > 100
    assert list(csv.DictReader((run / "predictions.csv").read_text().splitlines())) or task == "detection"
    _compared(cnnexp, run, summary)
    _tested_again(cnnexp, run, summary)
    _predicted(cnnexp, task, tmp_path)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(path) as picture:
        return picture.size


def _compared(cnnexp: CommandLine, run: Path, summary: dict[str, Any]) -> None:
    (listed,) = json.loads(cnnexp("compare", "--json").out)
    assert (listed["id"], listed["status"]) == (run.name, "finished")
    assert listed["metrics"]["test/loss"] == summary["metrics"]["test/loss"]


def _tested_again(cnnexp: CommandLine, run: Path, summary: dict[str, Any]) -> None:
    """The best weights give the same scores again."""
    again = json.loads(cnnexp("test", run.name[:12], "--json").out)["metrics"]
    for name, value in again.items():
        assert value == pytest.approx(summary["metrics"][name], rel=1e-5), name


def _predicted(cnnexp: CommandLine, task: str, folder: Path) -> None:
    size = (80, 60)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)).save(folder / "noise.jpg")
    done = cnnexp("predict", "last", "noise.jpg", "--json", "--out", "drawn")
    assert done.status == 0, done.err
    (answer,) = json.loads(done.out)
    assert answer["file"] == "noise.jpg"
    if task == "classification":
        assert len(answer["top"]) == 5 and answer["label"] in "0123456789"
    elif task == "multi_label":
        assert len(answer["all"]) == 10 and all(one["probability"] >= 0.5 for one in answer["labels"])
    elif task == "localization":
        x1, y1, x2, y2 = answer["box"]
        assert answer["label"] in "0123456789" and 0 <= x1 <= x2 <= size[0] and 0 <= y1 <= y2 <= size[1]
    elif task == "segmentation":
        assert sum(answer["area"].values()) == pytest.approx(1, abs=1e-4)
    elif task == "detection":
        for found in answer["boxes"]:
            x1, y1, x2, y2 = found["box"]
            assert -1 <= x1 < x2 <= size[0] + 1 and -1 <= y1 < y2 <= size[1] + 1
    elif task in ("denoise", "super_resolve"):
        factor = 2 if task == "super_resolve" else 1
        assert answer["given"] == [60, 80] and answer["restored"] == [60 * factor, 80 * factor]
        assert size_of(folder / "drawn" / "noise.png") == (80 * factor, 60 * factor)
    else:
        assert answer["psnr"] == pytest.approx(10 * np.log10(1 / answer["mse"]), abs=0.02)
    assert size_of(folder / "drawn" / "noise.png")[0] >= 80


def test_a_net_can_be_had_without_data(cnnexp: CommandLine) -> None:
    done = cnnexp("summary", "model=resnet50", "--input", "3x224x224", "--classes", "1000", "--json")
    assert json.loads(done.out)["totals"]["parameters"] == 25_557_032


def test_max_steps_stops_and_goes_on(cnnexp: CommandLine, only_run: Callable[[], Path]) -> None:
    """Stopped at a step, the record is partial; gone on with, it ends as a run that never stopped."""
    words = ("train", "model=lenet5", "data=mnist5k", *SMALL)
    done = cnnexp(*words, "max_steps=3")
    assert done.status == 0, done.err
    (listed,) = json.loads(cnnexp("compare", "--json").out)
    assert (listed["status"], listed["partial"]) == ("stopped", True)
    assert json.loads((only_run() / "summary.json").read_text())["steps"] == 3
    assert cnnexp("resume", "last", "max_steps=null").status == 0
    resumed = json.loads((only_run() / "summary.json").read_text())
    assert (resumed["partial"], resumed["steps"]) == (False, 10)
    other = cnnexp(*words, "outputs=other")
    assert other.status == 0
    (run,) = (only_run().parent.parent / "other").iterdir()
    assert json.loads((run / "summary.json").read_text())["metrics"] == resumed["metrics"]


def test_a_finished_run_goes_on_as_a_new_one(cnnexp: CommandLine, tmp_path: Path) -> None:
    assert cnnexp("train", "model=lenet5", "data=mnist5k", *SMALL).status == 0
    (first,) = (tmp_path / "outputs").iterdir()
    refused = cnnexp("resume", "last")
    assert refused.status == 2 and "epochs=4" in refused.err
    assert cnnexp("resume", "last", "epochs=3").status == 0
    (second,) = (path for path in (tmp_path / "outputs").iterdir() if path != first)
    assert json.loads((second / "run.json").read_text())["parent"] == first.name
    assert json.loads((second / "summary.json").read_text())["epochs"] == 3


def test_early_stopping_ends_the_run(cnnexp: CommandLine, only_run: Callable[[], Path]) -> None:
    words = ("optimizer.lr=1e-9", "early_stopping.patience=2", "early_stopping.min_delta=0.01")
    assert cnnexp("train", "model=lenet5", "data=mnist5k", *SMALL[:1], "epochs=9", "batch_size=16", *words).status == 0
    summary = json.loads((only_run() / "summary.json").read_text())
    assert (summary["epochs"], summary["stopped_early"]) == (3, True)


def test_dataset_is_another_word_for_data(cnnexp: CommandLine) -> None:
    out = cnnexp("config", "model=unet", "dataset=digit_scenes", "dataset.fraction=0.5", "--json").out
    config = json.loads(out)
    assert (config["choices"]["data"], config["data"]["fraction"]) == ("digit_scenes", 0.5)


def test_tensorboard_has_the_same_numbers(cnnexp: CommandLine, only_run: Callable[[], Path]) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert cnnexp("train", "model=lenet5", "data=mnist5k", *SMALL, "logger=tensorboard").status == 0
    events = event_accumulator.EventAccumulator(str(only_run() / "tensorboard"))
    events.Reload()
    rows = [row for row in csv.DictReader((only_run() / "metrics.csv").read_text().splitlines()) if row["val/accuracy"]]
    logged = [event.value for event in events.Scalars("val/accuracy")]
    assert logged == pytest.approx([float(row["val/accuracy"]) for row in rows])


def test_wandb_offline_has_the_same_numbers_the_result_and_the_pictures(
    cnnexp: CommandLine, only_run: Callable[[], Path]
) -> None:
    """The offline run's own file is read back with wandb's reader."""
    done = cnnexp("train", "model=lenet5", "data=mnist5k", *SMALL, "logger=wandb")
    assert done.status == 0, done.err
    (file,) = (only_run() / "wandb").glob("offline-run-*/run-*.wandb")
    rows = [row for row in csv.DictReader((only_run() / "metrics.csv").read_text().splitlines()) if row["val/accuracy"]]
    logged = [row["val/accuracy"] for row in wandb_values(file, "history") if "val/accuracy" in row]
    assert logged == pytest.approx([float(row["val/accuracy"]) for row in rows])
    summary = json.loads((only_run() / "summary.json").read_text())
    noted = {key: value for items in wandb_values(file, "summary") for key, value in items.items()}
    assert noted["parameters"] == summary["parameters"]
    assert noted["test/accuracy"] == pytest.approx(summary["metrics"]["test/accuracy"])
    shown = {
        key.split("/")[1] for items in wandb_values(file, "history") for key in items if key.startswith("pictures/")
    }
    assert {"confusion", "curves", "predictions"} <= shown
    assert {key for items in wandb_values(file, "run") for key in items} >= {"seed", "optimizer", "choices"}
