"""The shape of the code: data flows one way, and what stands at the two ends never imports torch."""

from __future__ import annotations

import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.packaging.imports import PACKAGE, Import, imports_of, parts, reached

# What each part of cnnexp may import. A new part has to be placed here: what does it need, and who may need it?
_FOUNDATION = {"errors", "paths"}
_RECORDS = {"config", "runs", "report"}
_SAMPLES = {"augmentation", "inputs", "answers"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "paths": {"errors"},
    "draws": set(),
    "notice": set(),
    "statistics": {"draws"},
    # left of the builders and right of the run record: no torch, by any way
    "config": _FOUNDATION,
    "runs": _FOUNDATION | {"config"},
    "arithmetic": {"errors"},
    "report": _FOUNDATION | {"config", "runs", "visualize", "arithmetic", "statistics"},
    # the parts that a run is built from
    "models": {"errors", "config"},
    "visualize": _FOUNDATION | {"runs", "models"},
    "sampling": {"errors", "draws"},
    # what goes in and what comes out, and how the one moves the other; no data set, no net
    "augmentation": {"errors", "draws"},
    "inputs": {"errors", "draws", "augmentation", "visualize"},
    "answers": {"errors", "augmentation", "inputs", "visualize"},
    "losses": {"errors", "augmentation"},
    "data": _FOUNDATION | _SAMPLES | {"config", "draws", "sampling"},
    "training": {"errors", "data", "losses", "models"},
    # of models only how nets answer: auxiliary.py
    "tasks": {"errors", "draws", "data", "losses", "statistics", "models", "training"} | _SAMPLES,
    # puts them together, lets them run, writes the record
    "builders": _FOUNDATION
    | _SAMPLES
    | {"config", "runs", "models", "losses", "sampling", "data", "training", "tasks"},
    "fit": _FOUNDATION
    | _RECORDS
    | {"notice", "inputs", "answers", "visualize", "losses", "data", "training", "tasks", "builders", "anatomy"},
    # times runs from outside, beside others' ways to train
    "bench": _FOUNDATION | _RECORDS | {"inputs", "models", "builders", "fit", "sweep", "statistics"},
    "preview": {"errors", "inputs", "answers", "visualize", "training", "builders"},
    "anatomy": {"errors", "config", "report", "models", "builders"},
    "averaging": {"errors", "config", "runs", "statistics", "data", "tasks", "builders"} | _SAMPLES,
    # leads many runs from outside; torch only in the processes that it starts
    "sweep": _FOUNDATION | _RECORDS | {"statistics", "visualize", "builders"},
    "commands": _FOUNDATION
    | _RECORDS
    | {"notice", "arithmetic", "statistics", "inputs", "visualize", "data", "tasks"}
    | {"builders", "fit", "bench", "averaging", "preview", "anatomy", "sweep"},
    "cli": _FOUNDATION | {"notice", "commands"},
    "__main__": {"cli"},
}
# The package's own __init__ (its version) may be imported everywhere and imports nothing itself.
MAY_IMPORT[""] = set()

# Takes long to import: never at the top of a module that every command loads.
HEAVY_LIBRARIES = {
    *("torch", "torchvision", "torchmetrics", "pytorch_lightning"),
    *("optuna", "sqlalchemy", "submitit"),
    *("wandb", "tensorboard", "matplotlib", "mlxtend", "pandas", "scipy", "sklearn"),
}
TORCH_LIBRARIES = {"torch", "torchvision", "torchmetrics", "pytorch_lightning"}
TORCH_FREE = {"errors", "paths", "draws", "config", "runs", "arithmetic", "statistics", "report"}
LIGHT = TORCH_FREE | {"notice", "", "cli", "commands", "__main__"}

# What a run is built from is used without Lightning too: a saved net answers, is drawn and is taken apart without it.
WITHOUT_LIGHTNING = {
    *("models", "visualize", "sampling", "augmentation", "inputs", "answers", "losses", "data", "training", "tasks"),
}
LIGHTNING_LIBRARIES = {"pytorch_lightning", "lightning"}
# Where Lightning and its metrics are loaded with the module; everywhere else inside the function that needs them.
SLOW_LIBRARIES = LIGHTNING_LIBRARIES | {"lightning_fabric", "torchmetrics"}
WITH_LIGHTNING = ("cnnexp/fit/", "cnnexp/bench/", "cnnexp/builders/trainer.py", "cnnexp/builders/loggers.py")


def breaches(package: Path) -> list[str]:
    """Every import under `package` that crosses a wall, in words."""
    found = []
    for part, files in parts(package).items():
        for one in (one for file in files for one in imports_of(file, package)):
            if reason := _breach(part, one):
                found.append(f"{one}: {reason}")
    return list(dict.fromkeys(found))


def _breach(part: str, one: Import) -> str | None:
    if one.part and one.part != part and one.part not in MAY_IMPORT.get(part, set()):
        return f"{part or 'cnnexp/__init__'} may not import {one.part}"
    if part in LIGHT and one.at_import and (one.library in HEAVY_LIBRARIES or one.part not in {None, *LIGHT}):
        return "heavy; import it inside the function that needs it"
    if part in WITHOUT_LIGHTNING and one.library in LIGHTNING_LIBRARIES:
        return f"{part} knows nothing of Lightning"
    if one.at_import and one.library in SLOW_LIBRARIES and not one.file.startswith(WITH_LIGHTNING):
        return "loaded with the module only in fit, bench and two files of builders"
    return None


def unused(package: Path) -> list[str]:
    """Every arrow of the map that no import goes along, but those to the foundation."""
    there = {
        (part, one.part)
        for part, files in parts(package).items()
        for file in files
        for one in imports_of(file, package)
    }
    wanted = {(part, other) for part, others in MAY_IMPORT.items() for other in others - _FOUNDATION}
    return sorted(f"{part} → {other}" for part, other in wanted - there)


def ways_to_torch(package: Path) -> list[str]:
    """Every chain of imports, at whatever level, from a part that does without torch to one of torch's libraries."""
    found = set()
    for part, files in parts(package).items():
        for file in files if part in TORCH_FREE else []:
            for stop, way in reached(file, package).items():
                libraries = {one.library for one in imports_of(stop, package)} & TORCH_LIBRARIES
                found |= {f"{way} → {library}" for library in libraries}
    return sorted(found)


def test_every_part_has_its_place() -> None:
    unplaced = set(parts(PACKAGE)) - set(MAY_IMPORT)
    assert not unplaced, f"place {sorted(unplaced)} in MAY_IMPORT: what may it import, and who may import it?"


def test_the_map_has_no_cycle() -> None:
    assert len(list(TopologicalSorter(MAY_IMPORT).static_order())) == len(MAY_IMPORT)


def test_no_import_crosses_a_wall() -> None:
    assert {"errors", "config"} <= set(parts(PACKAGE)), "the walk found too little to mean anything"
    assert breaches(PACKAGE) == []


def test_no_arrow_of_the_map_is_there_for_nothing() -> None:
    assert unused(PACKAGE) == [], "take them out of MAY_IMPORT, so that nothing comes to need them by accident"


def test_no_way_leads_to_torch_from_config_runs_and_report() -> None:
    assert ways_to_torch(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "breach"),
    [
        ("config/schema.py", "from cnnexp.models.lenet5 import LeNet5", "config may not import models"),
        ("config/schema.py", "from cnnexp import builders", "config may not import builders"),
        ("config/schema.py", "def f():\n    from ..data import base", "config may not import data"),
        ("report/table.py", "import matplotlib.pyplot as plt", "heavy"),
        ("commands/train.py", "from cnnexp.builders.run import build", "heavy"),
        ("commands/train.py", "class A:\n    import torch", "heavy"),
        ("cli.py", "try:\n    import torch\nexcept ImportError:\n    pass", "heavy"),
        ("models/unet.py", "import pytorch_lightning as pl", "models knows nothing of Lightning"),
        ("models/unet.py", "from cnnexp.tasks import base", "models may not import tasks"),
        ("data/cifar10.py", "from pytorch_lightning import LightningDataModule", "data knows nothing of Lightning"),
        ("data/module.py", "from pytorch_lightning import LightningDataModule", "data knows nothing of Lightning"),
        ("data/cifar10.py", "from cnnexp.models import lenet5", "data may not import models"),
        ("data/cifar10.py", "from cnnexp.tasks import base", "data may not import tasks"),
        ("tasks/base.py", "def f():\n    import pytorch_lightning", "tasks knows nothing of Lightning"),
        (
            "tasks/detection.py",
            "from torchmetrics.detection import MeanAveragePrecision",
            "loaded with the module only",
        ),
        ("builders/build.py", "import pytorch_lightning as pl", "loaded with the module only"),
        ("averaging/voter.py", "from lightning_fabric import Fabric", "loaded with the module only"),
        ("tasks/base.py", "from cnnexp.fit.module import TaskModule", "tasks may not import fit"),
        ("tasks/base.py", "from cnnexp.visualize import png", "tasks may not import visualize"),
        ("augmentation/motion.py", "from cnnexp.data.base import Split", "augmentation may not import data"),
        ("augmentation/motion.py", "from cnnexp.inputs.base import Input", "augmentation may not import inputs"),
        ("inputs/pictures.py", "from cnnexp.data import base", "inputs may not import data"),
        ("inputs/pictures.py", "from cnnexp.answers import label", "inputs may not import answers"),
        ("answers/label.py", "from cnnexp.tasks import base", "answers may not import tasks"),
        ("sampling/order.py", "from cnnexp.data import base", "sampling may not import data"),
        ("losses/term.py", "from cnnexp.models import auxiliary", "losses may not import models"),
        ("visualize/filters.py", "from cnnexp.training import penalty", "visualize may not import training"),
        ("training/penalty.py", "from ..tasks.base import Task", "training may not import tasks"),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, file: str, source: str, breach: str) -> None:
    found = breaches(_package(tmp_path, file, source))
    assert len(found) == 1
    assert breach in found[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("commands/train.py", "def f():\n    import torch\n    from cnnexp.builders import run"),
        ("commands/train.py", "import typing\nif typing.TYPE_CHECKING:\n    from cnnexp.builders import run"),
        ("runs/write.py", "from cnnexp import __version__\nfrom . import read"),
        ("fit/data_module.py", "from pytorch_lightning import LightningDataModule"),
        ("builders/trainer.py", "from pytorch_lightning.strategies import DDPStrategy"),
        ("bench/peers.py", "import torchmetrics\nimport pytorch_lightning as pl"),
        ("tasks/detection.py", "def f():\n    from torchmetrics.detection import MeanAveragePrecision"),
        ("tasks/detection.py", "import typing\nif typing.TYPE_CHECKING:\n    import torchmetrics"),
        ("report/curves.py", "def f():\n    import matplotlib.pyplot"),
        ("training/penalty.py", "import torch\nfrom cnnexp.losses.term import Term"),
    ],
)
def test_a_lawful_import_is_not_a_breach(tmp_path: Path, file: str, source: str) -> None:
    assert breaches(_package(tmp_path, file, source)) == []


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("def f():\n    import torch", ""),
        ("from cnnexp.visualize.png import write", "import torch"),
        ("def f():\n    from cnnexp.visualize import png", "def g():\n    import torch.nn"),
        ("from ..visualize import png", "import typing\nif typing.TYPE_CHECKING:\n    from torch import Tensor"),
    ],
)
def test_a_way_to_torch_is_seen(tmp_path: Path, reader: str, writer: str) -> None:
    package = _package(tmp_path, "visualize/png.py", writer)
    (package / "report" / "curves.py").write_text(reader)
    assert [way.split(" → ")[-1] for way in ways_to_torch(package)] == ["torch"]


def test_an_arrow_for_nothing_is_seen(tmp_path: Path) -> None:
    package = _package(tmp_path, "models/unet.py", "def f():\n    from cnnexp.config import nearest")
    found = unused(package)
    assert "models → config" not in found and "report → runs" in found and "models → errors" not in found


def test_torch_in_another_file_of_a_part_is_no_way_to_it(tmp_path: Path) -> None:
    package = _package(tmp_path, "visualize/png.py", "import numpy")
    (package / "visualize" / "filters.py").write_text("import torch")
    (package / "report" / "curves.py").write_text("def f():\n    from cnnexp.visualize.png import write")
    assert ways_to_torch(package) == []


def _package(folder: Path, file: str, source: str) -> Path:
    package = folder / "cnnexp"
    for part in MAY_IMPORT:
        (package / part).mkdir(parents=True, exist_ok=True)
    target = package / file
    target.parent.mkdir(exist_ok=True)
    target.write_text(source)
    return package


LIGHT_PROGRAM = f"""
import sys
from cnnexp.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as stop:
    status = stop.code
loaded = sorted(set({sorted(HEAVY_LIBRARIES)!r}) & set(sys.modules))
print(f"status {{status or 0}}, loaded {{loaded}}", file=sys.stderr)
"""

RUN_JSON = """{"schema_version": 1, "id": "20260102-030405-lenet5-mnist5k-0a1b", "status": "failed", "partial": false,
"command": ["cnnexp", "train", "model=lenet5"], "created": "2026-01-02T03:04:05+00:00", "error": "loss is not finite",
"choices": {"model": "lenet5", "data": "mnist5k"}}"""


@pytest.mark.integration
@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["train", "--help"],
        ["list"],
        ["layer", "conv", "--input", "227x227x3", "--filters", "96", "--kernel", "11", "--stride", "4"],
        ["config", "model=resnet50", "data=cifar10"],
        ["compare", "runs"],
        ["runs", "ls", "--outputs", "runs"],
    ],
    ids=" ".join,
)
def test_light_commands_import_nothing_heavy(tmp_path: Path, command: list[str]) -> None:
    record = tmp_path / "runs" / "20260102-030405-lenet5-mnist5k-0a1b"
    record.mkdir(parents=True)
    (record / "run.json").write_text(RUN_JSON)
    (record / "config.yaml").write_text("seed: 0\n")

    done = subprocess.run(
        [sys.executable, "-c", LIGHT_PROGRAM, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stderr.splitlines()[-1:] == ["status 0, loaded []"], done.stderr
    assert done.stdout.strip(), "the command printed nothing"


ANSWERING = ("builders.revive", "builders.pretrained", "averaging.voter", "preview.pictures", "anatomy.subject")
LOADS = """
import importlib, pkgutil, sys
import cnnexp.tasks
for name in sys.argv[1:]:
    importlib.import_module(f"cnnexp.{name}")
found = [one.name for one in pkgutil.iter_modules(cnnexp.tasks.__path__)]
for name in found:
    importlib.import_module(f"cnnexp.tasks.{name}")
print(len(found), *sorted({one.partition(".")[0] for one in sys.modules}))
"""


@pytest.mark.integration
def test_a_net_is_revived_and_asked_without_lightning() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS, *ANSWERING], capture_output=True, text=True, timeout=120, check=True
    )
    tasks, *loaded = done.stdout.split()
    assert int(tasks) > 5 and "torch" in loaded
    assert SLOW_LIBRARIES.isdisjoint(loaded)
