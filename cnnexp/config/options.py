"""The groups of options on disk: which there are, and the one line that each file says of itself."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from cnnexp.config.kinds import kind_of_nets
from cnnexp.errors import InputError
from cnnexp.paths import config_folder

GROUPS = (
    "model",
    "data",
    "optimizer",
    "scheduler",
    "regularization",
    "augmentation",
    "sampling",
    "loss",
    "transfer",
    "hardware",
    "task",
    "logger",
    "experiment",
)
PICTURES = "pictures"
"""The usual kind of input."""
SWEEP = "sweep"
"""Not a group of a run's configuration: it says how many runs are made of one command line."""
LISTED = (*GROUPS, SWEEP)
USUAL = ("lenet5", "resnet20", "resnet18", "resnet50", "conv_autoencoder")
"""Nets that are named first where many would fit."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML comes with it: the same content, ten times as fast."""


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


def models_for(given: set[str], folders: Sequence[Path], kind: str | None = None) -> list[str]:
    """Names of the models whose task is among those given, or takes the same nets as one of them.

    Args:
        kind: of input, where only nets for that one will do.
    """
    files = option_files("model", folders).items()
    wanted = {nets_of(task, folders) for task in given}
    fits = {task: nets_of(task, folders) in wanted for task in {task_of_model(path) or "" for _, path in files}}
    fitting = [name for name, path in files if fits[task_of_model(path) or ""]]
    return [name for name in fitting if kind is None or input_of_model(dict(files)[name]) in (None, kind)]


def tasks(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """What each task's file says under ``task``, by name."""
    return {name: dict(content_of(path).get("task") or {}) for name, path in option_files("task", folders).items()}


def nets_of(task: str, folders: Sequence[Path]) -> str:
    """The task whose nets this one takes: its own, if its file names no other."""
    return str(tasks(folders).get(task, {}).get("nets") or task)


def task_of_target(target: str, folders: Sequence[Path]) -> str | None:
    """The task that learns a truth by nets of its own; the first by name where there are several."""
    known = tasks(folders)
    return next((name for name, one in known.items() if one.get("target") == target and not one.get("nets")), None)


def usual_first(names: Sequence[str]) -> list[str]:
    """Options in their order, but for nets that everybody knows, which come first."""
    return sorted(names, key=lambda name: USUAL.index(name) if name in USUAL else len(USUAL))


def data_with(target: str | None, folders: Sequence[Path], kind: str | None = None) -> list[str]:
    """Names of the data sets that give a truth (label, mask, boxes, ...); None: for tasks that need none.

    Args:
        kind: of input that a net is for, where only data for it will do.
    """
    files = option_files("data", folders).items()
    return [
        name for name, path in files if target in (None, *targets_of_data(path)) and kind in (None, nets_of_data(path))
    ]


def targets_of_data(path: Path) -> list[str]:
    """The truths that the data set of a file gives: label, mask, boxes, ..."""
    data = content_of(path).get("data")
    return list(data.get("targets") or []) if isinstance(data, dict) else []


def input_of_data(path: Path) -> str | None:
    """The kind of input of the data set of a file."""
    data = content_of(path).get("data")
    return data.get("input") if isinstance(data, dict) else None


def nets_of_data(path: Path) -> str | None:
    """The kind of input whose nets take the samples of the data set of a file, with the keys that it has there."""
    data = content_of(path).get("data")
    return kind_of_nets(data) if isinstance(data, dict) else None


def input_of_model(path: Path) -> str | None:
    """The kind of input that a model's file is for; None for any."""
    model = content_of(path).get("model")
    return model.get("input", PICTURES) if isinstance(model, dict) else PICTURES


def options_with(group: str, path: Sequence[str], folders: Sequence[Path], kind: str | None = None) -> list[str]:
    """Names of the options of a group whose files have a key; of those that go on from each other the first.

    Args:
        path: of the key, from the group on. kind: of input; an option that is for another one is left out.
    """
    files = option_files(group, folders)
    own = {name: _own_keys(group, content_of(file)) for name, file in files.items()}
    return [
        name
        for name, keys in own.items()
        if _reaches(keys, path)
        and keys.get("input", kind) in (None, kind)
        and not any(_reaches(own[parent], path) for parent in parents_of(group, content_of(files[name]), files))
    ]


def _own_keys(group: str, content: dict[str, Any]) -> dict[str, Any]:
    """What an option's file itself says of its group; files for the whole configuration say it under its name."""
    inner = content.get(group)
    return inner if isinstance(inner, dict) else content


def _reaches(keys: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(keys, dict) or part not in keys:
            return False
        keys = keys[part]
    return True


def parents_of(group: str, content: dict[str, Any], files: dict[str, Path]) -> list[str]:
    """The options of the same group that a file goes on from."""
    entries = [entry for entry in content.get("defaults") or [] if isinstance(entry, str)]
    names = [entry.removeprefix(f"/{group}/").split("@")[0] for entry in entries]
    return [name for name in names if name in files]


def augmentations_for(kind: str, folders: Sequence[Path]) -> list[str]:
    """Names of the augmentations that fit a kind of input."""
    files = option_files("augmentation", folders)
    return [name for name in files if _input_of_augmentation(name, files) in (None, kind)]


def _input_of_augmentation(name: str, files: dict[str, Path]) -> str | None:
    """What a preset's file says under ``input``, or one that it goes on from."""
    content = content_of(files[name])
    own = _own_keys("augmentation", content)
    if "input" in own:
        return own["input"]
    parents = [parent for parent in parents_of("augmentation", content, files) if parent != name]
    return _input_of_augmentation(parents[0], files) if parents else None


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
        file = path.stat()
        content = _parsed(path, file.st_mtime_ns, file.st_size, file.st_ino)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not a YAML file that can be read ({' '.join(str(error).split())})") from error
    return copy.deepcopy(content) if isinstance(content, dict) else {}


@lru_cache(maxsize=1024)
def _parsed(path: Path, *state: int) -> Any:
    """A file's content; read again when it has changed."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
