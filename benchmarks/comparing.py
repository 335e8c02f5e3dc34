"""How long `cnnexp compare` takes over many runs, and how much memory it needs.

    python benchmarks/comparing.py             10,000 runs, five times
    python benchmarks/comparing.py 2000 --keep runs/

The runs' folders are made up, but hold what a real one does: a composed configuration, run.json and summary.json. Three
nets, three optimizers, a learning rate of its own and one of twenty seeds for each run; one in fifty has failed, one in
a hundred is damaged.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cnnexp.config.compose import compose_run, to_yaml

MOST_SECONDS, MOST_MEGABYTES = 2.0, 300.0
"""What is promised for 10,000 runs on two cores."""
REPEATS = 5
FORMS = ((), ("--sort", "test/accuracy"), ("--where", "test/accuracy>0.9", "--sort", "score"), ("--group-by", "model"))
NETS, OPTIMIZERS = ("lenet5", "resnet20", "resnet18"), ("adam", "sgd", "rmsprop")


def make_runs(outputs: Path, count: int) -> None:
    """Write the folders of so many runs, the same ones each time."""
    draws = random.Random(0)
    pairs = [(net, optimizer) for net in NETS for optimizer in OPTIMIZERS]
    configs = {pair: compose_run([f"model={pair[0]}", "data=mnist5k", f"optimizer={pair[1]}"]) for pair in pairs}
    texts = {pair: to_yaml(config) for pair, config in configs.items()}
    for place in range(count):
        pair = draws.choice(pairs)
        _make_run(outputs, place, draws, pair[0], configs[pair], texts[pair])


def _make_run(outputs: Path, place: int, draws: random.Random, net: str, config: dict[str, Any], text: str) -> None:
    stamp = f"20260101-{place // 3600:02}{place // 60 % 60:02}{place % 60:02}"
    folder = outputs / f"{stamp}-{net}-mnist5k-{place:04x}"
    (folder / "checkpoints").mkdir(parents=True)
    rate, seed = 10 ** draws.uniform(-4, -1), draws.randrange(20)
    text = text.replace(f"\n  lr: {config['optimizer']['lr']}\n", f"\n  lr: {rate}\n", 1)
    (folder / "config.yaml").write_text(text.replace(f"seed: {config['seed']}\n", f"seed: {seed}\n", 1))
    damaged, failed = place % 100 == 7, place % 50 == 3
    content = json.dumps(_run(folder.name, config, rate, seed, failed), indent=2)
    (folder / "run.json").write_text(content[:100] if damaged else content)
    if not failed:
        (folder / "summary.json").write_text(json.dumps(_summary(draws), indent=2))


def _run(name: str, config: dict[str, Any], rate: float, seed: int, failed: bool) -> dict[str, Any]:
    words = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "hydra-core", "omegaconf", "numpy", "pillow")
    return {
        "schema_version": 1,
        "id": name,
        "name": None,
        "status": "failed" if failed else "finished",
        "partial": False,
        "command": ["cnnexp", "train", "model=…", "data=mnist5k", f"optimizer.lr={rate}", f"seed={seed}"],
        "choices": config["choices"],
        "seed": seed,
        "parent": None,
        "created": "2026-01-01T00:00:00.000+00:00",
        "started": "2026-01-01T00:00:00.000+00:00",
        "finished": "2026-01-01T00:00:09.000+00:00",
        "duration_s": 9.0 + seed / 10,
        "host": "node",
        "pid": 1,
        "platform": "Linux",
        "versions": {"python": "3.12.1", **dict.fromkeys(words, "1.2.3")},
        "git": {"commit": "0" * 40, "dirty": False},
        "error": "the loss became NaN at step 34" if failed else None,
    }


def _summary(draws: random.Random) -> dict[str, Any]:
    names = [f"{stage}/{name}" for stage in ("val", "train", "test") for name in ("accuracy", "loss", "top5")]
    return {
        "metrics": {name: draws.uniform(0.8, 0.99) for name in names},
        "per_class": {"test/accuracy": {str(digit): draws.uniform(0.8, 0.99) for digit in range(10)}},
        "best_epoch": 13,
        "epochs": 20,
        "steps": 1240,
        "parameters": 61706,
        "images_per_second": 8069.7,
        "partial": False,
    }


def measure(outputs: Path, words: tuple[str, ...]) -> tuple[float, float, float]:
    """Seconds, those of the processor, and the largest memory in megabytes of one call in a process of its own.

    Where the processor's seconds are much fewer, something else was running.
    """
    command = [sys.executable, "-m", "cnnexp", "compare", str(outputs), *words]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "120"})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="of runs [10000]")
    parser.add_argument("--keep", metavar="DIR", help="leave the runs there; one that is there is measured as it is")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        outputs = Path(arguments.keep or temporary, "runs")
        if not outputs.is_dir():
            make_runs(outputs, arguments.count)
        return 0 if _print_table(outputs, arguments.count) else 1


def _print_table(outputs: Path, count: int) -> bool:
    print(f"{count:,} runs; promised for 10,000: {MOST_SECONDS:g} s and {MOST_MEGABYTES:g} MB")
    kept = True
    for words in FORMS:
        measured = [measure(outputs, words) for _ in range(REPEATS)]
        seconds, processor, memory = (sorted(one) for one in zip(*measured, strict=True))
        kept = kept and (statistics.median(seconds) < MOST_SECONDS and memory[-1] < MOST_MEGABYTES)
        said = f"{statistics.median(seconds):5.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f})"
        said += f", processor {statistics.median(processor):.2f} s, {memory[-1]:4.0f} MB"
        print(f"{said}  cnnexp compare {' '.join(words)}")
    return kept


if __name__ == "__main__":
    sys.exit(main())
