"""ImageNet's weights for the part of a net that looks at pictures, from its library or from a file of a classifier."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import timm
from torch import Tensor, nn
from torchvision import models

from cnnexp.models import of_timm, of_torchvision
from cnnexp.models.published import Published
from cnnexp.models.pyramids import TIMM

IMAGENET = "imagenet"
"""The word for a backbone's weights of ImageNet; all behind it is fresh."""
_FLATTENED = re.compile(r"^net\.([a-z]+)_([a-z]*\d+|conv)\.")
"""timm cuts a row of stages into its parts where it answers a list of maps: ``stages.0.`` is then ``net.stages_0.``."""


def is_timms(name: str) -> bool:
    """Whether a backbone of this name is timm's, and not torchvision's."""
    return name.startswith(TIMM) or name not in models.list_models(module=models)


def published_backbone(
    weights: str | None, name: str, body: Callable[[], nn.Module], *, under: str, task: str, target: str
) -> Published | None:
    """What its library says of ImageNet's weights for a backbone; None where it has none and none are asked for.

    Args:
        weights: ``imagenet`` or None for the library's first choice, or a name that it has for them.
        name: of torchvision or timm; ``timm/`` before it means the latter. body: makes the backbone, for the names of
            its tensors. under: what stands before these in the net. task, target: what the net is for.

    Raises:
        InputError: the library has no such net, or no such weights for it.
    """
    plain, timms = name.removeprefix(TIMM), is_timms(name)
    library, first = (of_timm, of_timm.DEFAULT) if timms else (of_torchvision, of_torchvision.DEFAULT[0])
    if weights is None and timms and timm.is_model(plain) and not timm.list_pretrained(f"{plain}.*"):
        return None
    whole = library.published(first if weights == IMAGENET else weights, name=plain)
    source = f"{whole.source}, its backbone"
    return replace(
        whole, source=source, classes=(), load=lambda: of_body(whole.load(), body, under), task=task, target=target
    )


def of_body(state: Mapping[str, Tensor], body: Callable[[], nn.Module], under: str) -> dict[str, Tensor]:
    """A state dict by the names that its tensors have in a net with that backbone.

    What has the prefix already is passed on whole. Of a classifier's, which has none, those that the backbone has are
    taken, and nothing of what stands behind it; one that has none of them is passed on, to be refused by name.
    """
    if any(name.startswith(under) for name in state):
        return dict(state)
    found = {}
    for name in body().state_dict():
        plain = name.removeprefix("net.")
        there = next((one for one in (name, plain, _FLATTENED.sub(r"\1.\2.", name)) if one in state), None)
        if there is not None:
            found[under + name] = state[there]
    return found or dict(state)
