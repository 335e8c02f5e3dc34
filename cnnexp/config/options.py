"""The groups of options on disk: which there are, and the one line that each file says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cnnexp.errors import InputError
from cnnexp.paths import config_folder

GROUPS = (
    "model",
    "data",
    "optimizer",
    "scheduler",
    "regularization",
    "augmentation",
    "transfer",
    "hardware",
    "task",
    "logger",
    "experiment",
)
SWEEP = "sweep"
"""Not a group of a run's configuration: it says how many runs are made of one command line."""
LISTED = (*GROUPS, SWEEP)


def config_folders(extra: Sequence[str] = ()) -> list[Path]:
    """The user's own folders of YAML first, then the shipped one.

    Raises:
        InputError: a folder of the user's does not exist.
    """
    own = [Path(folder).resolve() for folder in extra]
    for given, folder in zip(extra, own, strict=True):
        if not folder.is_dir():
            raise InputError(f"--config-dir {given}: there is no such folder")
    return [*own, config_folder()]


def option_files(group: str, folders: Sequence[Path]) -> dict[str, Path]:
    """Every option of a group by name; where two folders have one of the same name, the user's comes first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / group).glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def purpose(path: Path) -> str:
    """The one line a file says of itself: its first comment that is no Hydra header (``# @package …``)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("#") and not text.startswith("# @"):
            return text.lstrip("# ").strip()
        if text and not text.startswith("#"):
            break
    return ""


def task_of_model(path: Path) -> str | None:
    """The task that a model's file brings (its ``override /task:`` entry)."""
    for entry in content_of(path).get("defaults") or []:
        if isinstance(entry, dict) and "override /task" in entry:
            return str(entry["override /task"])
    return None


def models_for(tasks: set[str], folders: Sequence[Path]) -> list[str]:
    """Names of the models whose task is among those given."""
    return [name for name, path in option_files("model", folders).items() if task_of_model(path) in tasks]


def data_with(target: str, folders: Sequence[Path]) -> list[str]:
    """Names of the data sets that give a target (label, mask, boxes)."""
    return [name for name, path in option_files("data", folders).items() if target in targets_of_data(path)]


def targets_of_data(path: Path) -> list[str]:
    """What the data set of a file gives: label, mask, boxes."""
    data = content_of(path).get("data")
    return list(data.get("targets") or []) if isinstance(data, dict) else []


def size_of_data(path: Path) -> list[int]:
    """Height and width of the pictures of a data set's file, in pixels."""
    data = content_of(path).get("data")
    return list(data.get("image_size") or []) if isinstance(data, dict) else []


def content_of(path: Path) -> dict[str, Any]:
    """What an option's file says, before anything is composed.

    Raises:
        InputError: it cannot be read.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not a YAML file that can be read ({' '.join(str(error).split())})") from error
    return content if isinstance(content, dict) else {}
