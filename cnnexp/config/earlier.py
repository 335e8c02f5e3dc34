"""Configurations that an earlier version froze: a key that did not exist yet has the value that held before it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from cnnexp.config.options import config_folders, content_of, option_files

BEFORE: Mapping[str, Any] = {
    "accumulate": 1,
    "model.weights": None,
    "model.weights_sha256": None,
    "model.normalisation": "auto",
    "model.match": "names",
    "model.input": "pictures",
    "data.decode_size": None,
    "data.range": None,
    "data.background": None,
    "data.unreadable": "fail",
    "data.labels_per_class": None,
    "data.input": "pictures",
    "data.input_sha256": None,
    "data.fingerprint": "auto",
    "data.split": {"folds": None, "fold": None},
    "data.split.group": None,
    "optimizer.of": {},
    "augmentation.input": "pictures",
    "sampling": {"_target_": "cnnexp.sampling.shuffled.Shuffled"},
    "choices.sampling": "shuffled",
    "optimizer.stage_rates": None,
    "scheduler.warmup_epochs": 0.0,
    "regularization.stochastic_depth": None,
    "regularization.class_weights": None,
    "regularization.sparsity": None,
    "regularization.sparsity_weight": 0.008,
    "regularization.max_norm": None,
    "regularization.max_norm_of": "all",
    "regularization.ema_decay": None,
    "regularization.include_biases_and_norms": True,
    "hardware.loop": "lightning",
    "logger.gradients": None,
    "checkpoint.keep": None,
    "transfer": {"_target_": "cnnexp.training.transfer.Transfer"},
    "choices.transfer": "none",
}
"""Whoever adds a key that every run must have adds its line here."""

MOVED: Mapping[str, str] = {
    "augmentation.shift": "crop.padding",
    "augmentation.mirror_horizontal": "mirror.horizontal",
    "augmentation.mirror_vertical": "mirror.vertical",
    "augmentation.quarter_turn": "quarter_turn.probability",
}
"""Keys of the first augmentation, which had no further operations, and where they are now."""


def brought_up(config: Mapping[str, Any]) -> dict[str, Any]:
    """A frozen configuration with the keys that its version did not know; the rest stays, whatever it is."""
    result = deepcopy(dict(config))
    _nest_augmentation(result)
    _join_classes(result)
    _name_loss(result)
    for key, value in BEFORE.items():
        *groups, last = key.split(".")
        holder: Any = result
        for group in groups:
            holder = holder.get(group) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.setdefault(last, deepcopy(value))
    return result


def _join_classes(config: dict[str, Any]) -> None:
    """Names of a mask's values had a key of their own beside the names of labels or boxes."""
    data = config.get("data")
    if not isinstance(data, dict) or "mask_classes" not in data:
        return
    masks, targets = data.pop("mask_classes"), data.get("targets")
    if targets == ["mask"]:
        data["classes"] = masks
    elif isinstance(targets, list) and "mask" in targets:
        data["classes"] = {target: masks if target == "mask" else data.get("classes") for target in targets}


def _name_loss(config: dict[str, Any]) -> None:
    """A task had one loss, which it did not name."""
    task = config.get("task")
    if "loss" in config or not isinstance(task, dict):
        return
    path = option_files("task", config_folders()).get(str(task.get("name")))
    for entry in (content_of(path).get("defaults") or []) if path is not None else []:
        name = entry.get("override /loss") if isinstance(entry, dict) else None
        if name is not None:
            config["loss"] = content_of(option_files("loss", config_folders())[name])
            if isinstance(config.get("choices"), dict):
                config["choices"].setdefault("loss", name)


def _nest_augmentation(config: dict[str, Any]) -> None:
    augmentation = config.get("augmentation")
    flat = {key.removeprefix("augmentation."): place for key, place in MOVED.items()}
    if not isinstance(augmentation, dict) or not all(_is_number(augmentation.get(key)) for key in flat):
        return
    nested = content_of(option_files("augmentation", config_folders())["pictures"])
    for key, place in flat.items():
        operation, name = place.split(".")
        nested[operation][name] = augmentation[key]
    config["augmentation"] = {**nested, "_target_": augmentation.get("_target_")}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
