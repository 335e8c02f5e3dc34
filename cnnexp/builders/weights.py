"""Checkpoint files → tensors. A checkpoint may be a stranger's: it is read as data, and a pickle in it never runs."""

from __future__ import annotations

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
        return dict(content["net"])
    state = content.get("state_dict")
    if isinstance(state, Mapping):
        return {name.removeprefix("net."): value for name, value in state.items() if name.startswith("net.")}
    raise InputError(f"{path}: no weights in it")
