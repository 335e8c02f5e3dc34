"""Detectors with anchors as their YAML has them, with a few keys changed, and truths for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.config.compose import compose_run

TINY = {"width": 8, "pyramid_width": 16, "head_width": 16, "further_width": 16}


def detector(name: str, *words: str, channels: int = 1, size: tuple[int, int] = (64, 64), seed: int = 0) -> Any:
    """A net for ten classes: small, unless the words name a backbone or widths."""
    config = compose_run([f"model={name}", "data=digit_scenes", *words])
    tiny = {key: value for key, value in TINY.items() if config["model"].get(key, "no such key") != "no such key"}
    if config["model"].get("backbone", "small") == "small" and not any("width" in word for word in words):
        config["model"] |= tiny | ({"pyramid_width": 16} if "pyramid_width" in config["model"] else {})
    facts = provisional_facts(config)
    facts = replace(facts, input=facts.input.of_shape((channels, *size)))
    torch.manual_seed(seed)
    return net_for(bind_run(config), facts, config)()


def pictures(count: int = 3, size: tuple[int, int] = (64, 64), channels: int = 1) -> Tensor:
    return torch.randn(count, channels, *size, generator=torch.Generator().manual_seed(3))


def truth() -> tuple[Tensor, Tensor]:
    """Three pictures with two objects, one, and none."""
    nothing = [0.0, 0.0, 0.0, 0.0]
    boxes = [
        [[4.0, 6.0, 20.0, 24.0], [30.0, 28.0, 60.0, 50.0]],
        [[10.0, 33.0, 19.0, 60.0], nothing],
        [nothing, nothing],
    ]
    return torch.tensor(boxes), torch.tensor([[3, 0], [9, -1], [-1, -1]])


def as_torchvision(boxes: Tensor, classes: Tensor, first: int) -> list[dict[str, Tensor]]:
    """The same for torchvision; ``first`` is the number of class 0 there."""
    rows = zip(boxes, classes, strict=True)
    return [{"boxes": own[label >= 0], "labels": label[label >= 0] + first} for own, label in rows]


def livened(net: nn.Module) -> nn.Module:
    """Last layers that say something, so that there is something to find."""
    generator = torch.Generator().manual_seed(5)
    for name, weight in net.named_parameters():
        if any(part in name for part in ("cls_logits.weight", "cls_score.weight", "bbox_", "module_list")):
            with torch.no_grad():
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
        if name.endswith("cls_logits.bias"):  # of a prior that says that next to nothing is there
            nn.init.zeros_(weight)
    return net.eval()
