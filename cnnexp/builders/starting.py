"""The weights that a net starts from: found, read, matched by name, and what became of each tensor."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.builders.adapting import adapted, input_of_run
from cnnexp.builders.begun import Start, few
from cnnexp.builders.binding import bind_run, net_arguments
from cnnexp.builders.build import net_for
from cnnexp.builders.by_stage import match_by_stage
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.from_run import RUN, run_of_file, source_run
from cnnexp.builders.head_by_name import fresh_answers, put_by_name
from cnnexp.builders.revive import checked_config
from cnnexp.builders.target import import_target
from cnnexp.builders.weights import load_weights, read_state
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.models.auxiliary import parts_of
from cnnexp.models.published import Published
from cnnexp.models.stages import head_of
from cnnexp.runs.read import Record

SUFFIXES = (".pth", ".pt", ".th", ".ckpt", ".safetensors", ".bin")
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
"""Mean and standard deviation of ImageNet's training pictures, as nearly everybody uses them."""
COUNTER = "num_batches_tracked"
"""Batch norm's count of batches, which files from before torch 0.4.1 lack; it is no weight, so its lack is no news."""
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
_LARGER = "weights for photographs want model.stem=imagenet, or pictures of more than 64 pixels (data.image_size)"


def resolve_start(config: dict[str, Any], trusted: Sequence[str] = ()) -> dict[str, Any]:
    """The configuration of a new run with ``model.weights`` pinned down, and the pictures normalised as they want it.

    A file's path becomes absolute and gets its sha256, ``run:last`` the run's full id; ``data.mean`` and ``data.std``
    become those that the weights were trained with, where ``model.normalisation`` is ``auto`` and it is known, and so
    do arguments of the net that are null and belong to the weights: a run's are that run's.

    Raises:
        InputError: the weights are not there, or are not the ones that the configuration was frozen with.
    """
    _refuse_match(config)
    run, weights = _run_of(config), config["model"]["weights"]
    model = _belonging(config, trusted) if run is None else _as_in(run, config)
    if weights is not None and weights.startswith(RUN):
        source = source_run(config)
        model["weights"] = f"{RUN}{source.record.id}"
        path: Path | None = source.kept.path
    else:
        path = weights_file(config)
        model["weights"] = weights if path is None else str(path.absolute())
    if path is not None:
        read_state(path)
        found = sha256_of(path)
        if model["weights_sha256"] not in (None, found):
            raise InputError(
                f"model.weights={weights}: another file than the one that the configuration names: sha256 {found}, "
                f"not {model['weights_sha256']}"
            )
        model["weights_sha256"] = found
    if "mean" not in config["data"]:  # a kind of input that nobody publishes weights for
        return {**config, "model": model}
    mean, std = _normalisation(config, trusted)
    return {**config, "model": model, "data": {**config["data"], "mean": mean, "std": std}}


def start(
    net: nn.Module, config: Mapping[str, Any], trusted: Sequence[str] = (), own: Input | None = None
) -> Start | None:
    """Put the weights that the configuration names into a new net; None where it names none.

    Args:
        own: the input that the net is for, with what it learnt.

    Raises:
        InputError: they are not there, damaged, or of another architecture: how many tensors fit, and which do not.
    """
    if config["model"]["weights"] is None:
        return None
    begun, state = read_weights(config, trusted)
    source, answers = _run_of(config), fresh_answers(net)
    if own is not None and config["model"]["weights"].startswith(RUN):
        changed = adapted(net, state, own, input_of_run(source_run(config).record, trusted))
        state, begun.relearnt = {**state, **changed}, list(changed)
    if config["model"]["match"] == "stages":
        _put_by_stage(net, state, begun, config, trusted)
    else:
        put_start(net, state, begun, str(config["choices"]["model"]))
    if source is not None:
        begun.by_name, again = put_by_name(net, answers, begun.loaded, source, config)
        begun.loaded, begun.fresh = [one for one in begun.loaded if one not in again], [*begun.fresh, *again]
    return begun


def _run_of(config: Mapping[str, Any]) -> Record | None:
    """The run that ``model.weights`` are of; None for other weights."""
    named = (config["model"]["weights"] or "").startswith(RUN)
    return source_run(config).record if named else run_of_file(weights_file(config))


def _put_by_stage(
    net: nn.Module, state: Mapping[str, Tensor], begun: Start, config: Mapping[str, Any], trusted: Sequence[str]
) -> None:
    """Load what has a counterpart of its shape in the run's net at the same stage and position; the rest is fresh."""
    theirs = checked_config(source_run(config).record)
    with torch.device("meta"):
        source = net_for(bind_run(theirs, trusted), provisional_facts(theirs, trusted), theirs)()
    names, begun.by_stage = match_by_stage(net, source, state)
    if not names:
        raise InputError(
            f"{begun.source}: weights of another architecture: no layer of model={theirs['choices']['model']} has the "
            f"shape of its counterpart in model={config['choices']['model']}"
        )
    own, used = net.state_dict(), set(names.values())
    begun.loaded = [key for key in own if key in names]
    begun.fresh = [key for key in own if key not in names and not key.endswith(COUNTER)]
    begun.skipped = [key for key in state if key not in used]
    with torch.no_grad():
        for key in begun.loaded:
            own[key].copy_(state[names[key]])


def put_start(net: nn.Module, state: Mapping[str, Tensor], begun: Start, name: str) -> None:
    """Match a state dict with a net's tensors and load what fits, all of the body or nothing.

    The head's tensors of another shape stay fresh, and those of auxiliary heads. The first convolution's may be of
    another number of channels.

    Args:
        begun: told what became of each tensor. name: of the net, for the error.

    Raises:
        InputError: a tensor before the head has no counterpart of its shape.
    """
    own, head = net.state_dict(), head_of(net)
    first = next((f"{name}.weight" for name, one in net.named_modules() if isinstance(one, _CONVOLUTIONS)), "")
    if not set(own) & set(state) and _same_in_order(own, state, head.holds):
        state, begun.by_position = dict(zip(own, state.values(), strict=True)), True
    taken, wrong = _matched(net, state, begun, first)
    parts = {key.split(".")[0] for key in own}
    begun.skipped = [key for key in state if key not in own]
    deeper = [key for key in begun.skipped if key.split(".")[0] in parts and not head.holds(key)]
    wrong += [f"{key} ({_shape(state[key])} in the weights, not there in the net)" for key in deeper]
    if wrong or not taken:
        if len(wrong) == 1 and wrong[0].startswith(first) and first in state:
            wrong[0] += f"; {_LARGER}"
        fit, body = (sum(not head.holds(key) for key in keys) for keys in (taken, own))
        raise InputError(
            f"{begun.source}: weights of another architecture: {fit} of the {body} tensors before the head of "
            f"model={name} fit, not {few(wrong, '; ')}"
        )
    begun.loaded = list(taken)
    with torch.no_grad():
        for key, value in taken.items():
            own[key].copy_(value)


def _matched(
    net: nn.Module, state: Mapping[str, Tensor], begun: Start, first: str
) -> tuple[dict[str, Tensor], list[str]]:
    """What to put into the net's tensors by name, and in words each tensor of the body that nothing fits."""
    head, auxiliary = head_of(net), parts_of(net)
    taken: dict[str, Tensor] = {}
    wrong: list[str] = []
    for key, tensor in net.state_dict().items():
        given = state.get(key)
        if given is None and key.endswith(COUNTER):
            continue
        if given is not None and given.shape == tensor.shape:
            taken[key] = given
        elif given is not None and key == first and (changed := _other_channels(given, tensor)) is not None:
            taken[key] = changed
            begun.adapted.append(key)
        elif head.holds(key) or key.startswith(auxiliary):
            begun.fresh.append(key)
        else:
            wrong.append(f"{key} ({_shape(tensor)}, {'not there' if given is None else _shape(given)} in the weights)")
    return taken, wrong


def _refuse_match(config: Mapping[str, Any]) -> None:
    weights, match = config["model"]["weights"], config["model"]["match"]
    if match == "stages" and not (weights or "").startswith(RUN):
        raise InputError(
            f"model.match=stages: takes the weights of a run, whose net is known, not "
            f"model.weights={weights or 'null'}; give model.weights=run:ID"
        )


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def published_of(config: Mapping[str, Any], weights: str | None, trusted: Sequence[str] = ()) -> Published | None:
    """What the library of the net says of its weights; None for a net that nobody publishes weights for.

    Raises:
        InputError: there are no such weights.
    """
    function = getattr(_module_of(config, trusted), "published", None)
    if function is None:
        return None
    found = function(weights, **_asked_for(function, config))
    assert found is None or isinstance(found, Published)
    return found


def _asked_for(function: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the net's arguments that a function of its module wants to know."""
    wanted = inspect.signature(function).parameters
    return {key: value for key, value in net_arguments(config).items() if key in wanted}


def _module_of(config: Mapping[str, Any], trusted: Sequence[str]) -> Any:
    """Where the net is defined, and what is known of weights for it."""
    return import_module(import_target(config["model"]["_target_"], "model", trusted).__module__)


def read_weights(config: Mapping[str, Any], trusted: Sequence[str]) -> tuple[Start, dict[str, Tensor]]:
    """The state dict that ``model.weights`` names, and where it is from.

    Raises:
        InputError: it is not there, damaged, or could not be downloaded.
    """
    weights, sha256 = config["model"]["weights"], config["model"]["weights_sha256"]
    if weights.startswith(RUN):
        source = source_run(config)
        return Start(source.described, sha256, source.kept.name), load_weights(source.kept.path)
    path = weights_file(config)
    if path is not None:
        state, rename = read_state(path), getattr(_module_of(config, trusted), "renamed", None)
        return Start(str(path), sha256), state if rename is None else rename(state, **_asked_for(rename, config))
    published = _published(config, weights, trusted)
    return Start(published.source), published.load()


def _published(config: Mapping[str, Any], weights: str, trusted: Sequence[str]) -> Published:
    found = published_of(config, weights, trusted)
    if found is None:
        raise InputError(
            f"model.weights={weights}: no file, and nobody publishes weights for model={config['choices']['model']}; "
            "give a file or run:ID"
        )
    return found


def weights_file(config: Mapping[str, Any]) -> Path | None:
    """The file that ``model.weights`` names, whether it is there or not; None where it is a name of published ones."""
    weights = config["model"]["weights"]
    if weights is None or weights.startswith(RUN):
        return None
    path = Path(weights).expanduser()
    return path if path.is_file() or path.suffix in SUFFIXES or os.sep in weights else None


def _belonging(config: Mapping[str, Any], trusted: Sequence[str]) -> dict[str, Any]:
    """The net's part of the configuration, with arguments that belong to weights that somebody publishes.

    A file is looked into where the net's module knows its publishers' names; one of a backbone alone brings nothing.
    """
    model, path = dict(config["model"]), weights_file(config)
    if model["weights"] is None or (path is not None and not hasattr(_module_of(config, trusted), "renamed")):
        return model
    found = published_of(config, None if path is not None else model["weights"], trusted)
    if found is None or (path is not None and not found.whole(read_weights(config, trusted)[1])):
        return model
    return found.arguments(model)


def _as_in(run: Record, config: Mapping[str, Any]) -> dict[str, Any]:
    """The net's part of the configuration; where it says nothing, and the run has the same net, with what that has.

    Some of it no tensor's shape tells: an output stride, anchors. A net that is begun by stages is another one.
    """
    model, theirs = dict(config["model"]), run.config["model"]
    if model["match"] == "stages" or model["_target_"] != theirs["_target_"]:
        return model
    return model | {key: theirs.get(key) for key, value in net_arguments(config).items() if value is None}


def _normalisation(config: Mapping[str, Any], trusted: Sequence[str]) -> tuple[Any, Any]:
    """Mean and standard deviation of pixels in [0, 1] that the pictures are to be normalised with."""
    weights, how, data = config["model"]["weights"], config["model"]["normalisation"], config["data"]
    own = data.get("mean"), data.get("std")
    if how == "imagenet":
        return IMAGENET
    if how == "data" or weights is None:
        return own
    path = weights_file(config)
    run = _run_of(config)
    if run is not None:
        return _of_run(run.config, own)
    published = published_of(config, None, trusted) if path is not None else _published(config, weights, trusted)
    return own if published is None else (list(published.mean), list(published.std))


def _of_run(config: Mapping[str, Any], own: tuple[Any, Any]) -> tuple[Any, Any]:
    """What a run's net was given; some tasks take pixels as they are."""
    data = config["data"]
    if not import_target(config["task"]["_target_"], "task").normalises:
        return [0.0] * data["channels"], [1.0] * data["channels"]
    return (data["mean"], data["std"]) if data["mean"] is not None else own


def _same_in_order(own: Mapping[str, Tensor], state: Mapping[str, Tensor], in_head: Any) -> bool:
    """Whether a state dict has the same kinds of tensors in the same order; the head's may be of another shape."""
    return len(own) == len(state) and all(
        name.rpartition(".")[2] == other.rpartition(".")[2] and (tensor.shape == given.shape or in_head(name))
        for (name, tensor), (other, given) in zip(own.items(), state.items(), strict=True)
    )


def _other_channels(given: Tensor, own: Tensor) -> Tensor | None:
    """A first convolution (O, C, k, k), or over time, for other channels: as if grey were shown as colour, or back."""
    if given.ndim not in (4, 5) or given.shape[0] != own.shape[0] or given.shape[2:] != own.shape[2:]:
        return None
    if (given.shape[1], own.shape[1]) == (3, 1):
        return given.sum(1, keepdim=True)
    if (given.shape[1], own.shape[1]) == (1, 3):
        return given.expand_as(own) / 3
    return None


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
