"""Files of weights → tensors. A file may be a stranger's: it is read as data, and a pickle in it never runs."""

from __future__ import annotations

import hashlib
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


def load_beside(path: Path, part: str) -> dict[str, torch.Tensor]:
    """What ``best.ckpt`` or ``last.ckpt`` holds beside the net; none for most runs.

    Args:
        part: ``loss``, the weights that it has of its own; or ``decided``, what a validation decided.

    Raises:
        InputError: as for ``load_checkpoint``.
    """
    content = load_checkpoint(path)
    if isinstance(content.get(part), Mapping):
        return _tensors(content[part], path)
    state = content.get("state_dict")
    weights = _tensors(state, path) if isinstance(state, Mapping) else {}
    beginning = f"{part}."
    return {name.removeprefix(beginning): value for name, value in weights.items() if name.startswith(beginning)}


def digest_of(state: Mapping[str, torch.Tensor]) -> str:
    """sha256 over the names, kinds and numbers of a state dict, wherever it lies."""
    total = hashlib.sha256()
    for name, value in sorted(state.items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


NESTED = ("net", "state_dict", "model_state_dict", "model")
"""Under one of these keys many programs put the state dict into what they save."""
PREFIXES = ("module.", "_orig_mod.", "net.", "model.")
"""What data-parallel training, compiling and wrapping put before the names."""


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """A state dict out of a file of any program: safetensors, a plain state dict, or one inside of a checkpoint.

    Prefixes that all names share (``module.``, ``net.``, ...) are taken off; of a checkpoint that holds more than a
    net (metrics, say), what lies under ``net.`` is taken.

    Raises:
        InputError: there is no such file, it is damaged, holds code, or holds no tensors by name.
    """
    if not path.is_file():
        raise InputError(f"model.weights={path}: {'a folder' if path.is_dir() else 'there is no such file'}")
    content: Mapping[Any, Any] = _safetensors(path) if path.suffix == ".safetensors" else load_checkpoint(path)
    nested = next((content[key] for key in NESTED if isinstance(content.get(key), Mapping)), content)
    state = _tensors(nested, path)
    if not state:
        raise InputError(f"{path}: no weights in it, its keys are {', '.join(map(str, list(content)[:5])) or 'none'}")
    own = {name: value for name, value in state.items() if name.startswith("net.")}
    return _without_prefixes(own or state)


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a safetensors file that can be read ({error})") from error


def _without_prefixes(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for prefix in PREFIXES * 2:  # both of two wrappers, in either order
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _tensors(state: Mapping[Any, Any], path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a state dict by name; what else a module saves is left out."""
    if not all(isinstance(name, str) for name in state):
        raise InputError(f"{path}: its weights have no names; take the checkpoint of another run")
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
