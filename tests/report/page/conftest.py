"""Folders of runs as a training leaves them, and those of a stranger who means harm."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

MakeFolder = Callable[..., Path]

EVIL = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "<!--<script>",
    "]]>&lt;b&gt;&amp;",
    "javascript:window.hacked=1",
    "\u202egnp.exe\u2028\u2029",
    "{{ 7 * 7 }} ${window.hacked = 1} `x`",
    "<style>body { display: none }</style>",
    "<svg onload=window.hacked=1>",
)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A function that writes a run's folder below ``outputs`` and returns it."""

    def make(
        name: str,
        model: str = "lenet5",
        data: str = "mnist5k",
        metric: str = "accuracy",
        score: float = 0.9,
        classes: tuple[str, ...] = ("airplane", "1", "2"),
        seed: int = 0,
        lr: float = 0.001,
        **run: Any,
    ) -> Path:
        folder = tmp_path / "outputs" / name
        (folder / "pictures").mkdir(parents=True)
        choices = {"model": model, "data": data, "optimizer": "adam", "task": metric}
        config = {
            "seed": seed, "name": None, "data": {"classes": list(classes)}, "optimizer": {"lr": lr},
            "task": {"monitor": f"val/{metric}"}, "choices": choices,
        }  # fmt: skip
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        content = {
            "schema_version": 1, "status": "finished", "created": "2026-11-21T09:31:05+00:00", "seed": seed,
            "duration_s": 12.3 + seed, "command": ["cnnexp", "train", f"model={model}"], "host": "node",
            "versions": {"python": "3.12.1", "torch": "2.15.0"}, "git": {"commit": "abc123", "dirty": False}, **run,
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(content))
        metrics = {f"test/{metric}": score, "test/loss": 1 - score, f"val/{metric}": score, "val/loss": 1 - score}
        summary = {
            "metrics": metrics,
            "parameters": 61706,
            "per_class": {f"test/{metric}": dict.fromkeys(classes, score)},
        }
        (folder / "summary.json").write_text(json.dumps(summary))
        rows = [f"epoch,step,train/loss,val/loss,train/{metric},val/{metric}"]
        rows += [f"{e},{10 * e},{1 / e},{1.1 / e},{score - 0.1 / e},{score - 0.2 / e}" for e in range(1, 6)]
        (folder / "metrics.csv").write_text("\n".join([*rows, ""]))
        if metric == "accuracy":
            answers = [(classes[0], classes[0], 0.9)] * 6 + [
                (classes[1], classes[2], 0.8),
                (classes[2], classes[2], 0.7),
            ]
            with (folder / "predictions.csv").open("w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["index", "file", "target", "prediction", "probability"])
                writer.writerows([[place, f"file{place}", *answer] for place, answer in enumerate(answers)])
        Image.new("RGB", (60, 40), (200, 30, 30)).save(folder / "pictures" / "predictions.png")
        return folder

    return make


@pytest.fixture
def three_tasks(make_folder: MakeFolder, tmp_path: Path) -> Path:
    """Runs of three tasks, two of them with the same net and another seed, one that failed and a damaged one."""
    make_folder("20261121-093105-lenet5-mnist5k-aaaa", score=0.90)
    make_folder("20261121-093205-lenet5-mnist5k-bbbb", score=0.94, seed=1, lr=0.01)
    make_folder("20261121-093305-unet-digit_scenes-cccc", "unet", "digit_scenes", "miou", 0.81)
    make_folder("20261121-093405-yolo-bccd-dddd", "yolo", "bccd", "map_50", 0.55)
    failed = make_folder("20261121-093505-lenet5-mnist5k-eeee", status="failed", error="the loss became NaN at step 34")
    (failed / "summary.json").unlink()
    damaged = tmp_path / "outputs" / "20261121-093605-lenet5-mnist5k-ffff"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    return tmp_path / "outputs"


@pytest.fixture
def hostile(make_folder: MakeFolder, tmp_path: Path) -> Path:
    """Runs whose every text is an attack on the page."""
    for place, evil in enumerate(EVIL):
        folder = make_folder(
            f"20261121-09310{place}-evil-{place:04}", evil, evil, classes=(evil, f"{evil}b", f"c{evil}"), lr=evil,  # type: ignore[arg-type]
            command=["cnnexp", evil], error=evil, host=evil, device=evil, versions={evil: evil},
            git={"commit": evil, "dirty": evil}, tags=[evil], status="failed" if place % 2 else "finished",
        )  # fmt: skip
        summary = json.loads((folder / "summary.json").read_text())
        summary["metrics"] |= {f"test/{evil}": 0.5, f"val/{evil}": 0.25}
        summary |= {"per_class": {f"test/{evil}": {evil: 0.5}}, "per_kind": {f"test/{evil}": {evil: 0.5}}}
        summary |= {"verdict": evil, "best_epoch": evil, "epochs": [evil]}
        (folder / "summary.json").write_text(json.dumps(summary))
        header = f'epoch,step,val/loss,"val/{evil.replace(chr(34), chr(34) * 2)}"'
        (folder / "metrics.csv").write_text(f"{header}\n1,10,0.5,0.5\n2,20,0.4,0.6\n")
        picture = folder / "pictures" / "predictions.png"
        picture.write_bytes((b"" if place % 2 else b"\x89PNG\r\n\x1a\n") + evil.encode())
    return tmp_path / "outputs"
