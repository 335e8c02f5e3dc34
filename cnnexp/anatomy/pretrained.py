"""Nets whose weights somebody publishes and that can be had here by name; no weights are fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from cnnexp.anatomy.depth import depth_of
from cnnexp.builders.target import import_target
from cnnexp.config.options import config_folders, content_of, option_files
from cnnexp.report.pretrained import PretrainedNet

TORCHVISION, TIMM = "torchvision", "timm"
DEPTHS = Path(__file__).with_name("depths.json")
"""Depths of the nets that there were when it was written: following all of them takes a minute. See `depths`."""
SIDES_PX = (224, 299)
"""Of pictures that the nets are followed with: the first one that a net takes."""


def pretrained_nets(own_folders: Sequence[str] = ()) -> list[PretrainedNet]:
    """Every classifier of torchvision with weights, and timm's nets of the group `model`.

    Of torchvision the default weights: the file's size, parameters, top-1 accuracy on ImageNet and multiply-adds are
    what its own description of them says. Of timm, which says nothing of the kind without a network, size and
    parameters are those of the net, four bytes a number.
    """
    options = _options(own_folders)
    return [*_of_torchvision(options), *_of_timm(options)]


def depths(own_folders: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Depths by library and name, each net followed anew."""
    options = _options(own_folders)
    names = {TIMM: [name for name, _ in _timm_names(options)], TORCHVISION: _torchvision_names()}
    return {library: {name: _followed(library, name) for name in sorted(of_it)} for library, of_it in names.items()}


def _options(own_folders: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the files of the group `model` say of their nets."""
    files = option_files("model", config_folders(own_folders))
    return {name: dict(content_of(path).get("model") or {}) for name, path in files.items()}


def _torchvision_names() -> list[str]:
    from torchvision import models

    return [name for name in models.list_models(module=models) if list(models.get_model_weights(name))]


def _timm_names(options: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Names in timm of the options' nets that have weights there, and the options."""
    import timm

    named = [
        (str(content["name"]), option)
        for option, content in options.items()
        if option != TIMM and str(content.get("_target_")).startswith("cnnexp.models.of_timm.")
    ]
    return [(name, option) for name, option in named if timm.list_pretrained(f"{name}.*")]


def _of_torchvision(options: Mapping[str, Mapping[str, Any]]) -> Iterator[PretrainedNet]:
    from torchvision import models

    for name in _torchvision_names():
        weights = models.get_model_weights(name)["DEFAULT"]
        said = weights.meta
        yield PretrainedNet(
            name=name,
            option=name if _publishes(options.get(name)) else None,
            library=TORCHVISION,
            weights=weights.name,
            file_mb=float(said["_file_size"]),
            estimated=False,
            parameters=int(said["num_params"]),
            depth=_depth(TORCHVISION, name),
            top1=float(said["_metrics"]["ImageNet-1K"]["acc@1"]),
            multiply_adds=round(float(said["_ops"]) * 1e9),
        )


def _of_timm(options: Mapping[str, Mapping[str, Any]]) -> Iterator[PretrainedNet]:
    import timm

    for name, option in _timm_names(options):
        net = _unmade(TIMM, name)
        yield PretrainedNet(
            name=name,
            option=option,
            library=TIMM,
            weights=str(getattr(timm.get_pretrained_cfg(name), "tag", None) or TIMM),
            file_mb=sum(one.numel() * one.element_size() for one in net.state_dict().values()) / 2**20,
            estimated=True,
            parameters=sum(one.numel() for one in net.parameters()),
            depth=_depth(TIMM, name),
            top1=None,
            multiply_adds=None,
        )


def _publishes(content: Mapping[str, Any] | None) -> bool:
    """Whether an option's net is one that its module knows published weights for."""
    if content is None:
        return False
    module = import_module(import_target(content["_target_"], "model", ()).__module__)
    return hasattr(module, "published")


def _depth(library: str, name: str) -> int:
    known = _written().get(library, {}).get(name)
    return _followed(library, name) if known is None else known


@cache
def _written() -> dict[str, dict[str, int]]:
    return dict(json.loads(DEPTHS.read_text(encoding="utf-8"))) if DEPTHS.is_file() else {}


def _followed(library: str, name: str) -> int:
    net = _unmade(library, name)
    for side in SIDES_PX[:-1]:
        try:
            return depth_of(net, torch.empty(1, 3, side, side, device="meta"))
        except (RuntimeError, ValueError, AssertionError):
            continue
    return depth_of(net, torch.empty(1, 3, SIDES_PX[-1], SIDES_PX[-1], device="meta"))


class _EmptyOnMeta(TorchFunctionMode):
    """Weights take no memory, and what a net computes while it is made has numbers all the same."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        if func is torch.empty and options.get("device") is None:
            options["device"] = "meta"
        return func(*args, **options)


def _unmade(library: str, name: str) -> nn.Module:
    """A net of a library without numbers in it."""
    if library == TIMM:
        import timm

        with torch.device("meta"):
            made: nn.Module = timm.create_model(name, pretrained=False)
        return made
    from torchvision import models

    from cnnexp.models.of_torchvision import OLD

    with _EmptyOnMeta():
        options = {"init_weights": False} if name in OLD else {}
        net: nn.Module = models.get_model(name, weights=None, **options)
    return net.to("meta")


if __name__ == "__main__":
    print(json.dumps(depths(), indent=1))
