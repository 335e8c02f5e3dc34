"""Checkpoint files → tensors. A checkpoint may be a stranger's: it is read as data, and a pickle in it never runs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cnnexp.errors import InputError


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, of plain containers and tensors only: a pickle in it is never run.

    Raises:
        InputError: the file is damaged, or holds something else.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # torch warns of pickles that it then refuses
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: not a checkpoint that can be read safely (damaged, or it holds code); nothing of it was run"
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}, not a checkpoint")
    return content


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The net's state dict out of ``best.ckpt`` or ``last.ckpt``.

    Raises:
        InputError: as for ``load_checkpoint``, or there are no weights in it.
    """
    content = load_checkpoint(path)
    if isinstance(content.get("net"), Mapping):
        return _tensors(content["net"], path)
    state = content.get("state_dict")
    if isinstance(state, Mapping):
        weights = _tensors(state, path)
        return {name.removeprefix("net."): value for name, value in weights.items() if name.startswith("net.")}
    raise InputError(f"{path}: no weights in it; take the checkpoint of another run")


def _tensors(state: Mapping[Any, Any], path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a state dict by name; what else a module saves is left out."""
    if not all(isinstance(name, str) for name in state):
        raise InputError(f"{path}: its weights have no names; take the checkpoint of another run")
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
