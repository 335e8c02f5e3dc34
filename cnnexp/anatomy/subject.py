"""The net that a configuration describes, without its weights: made on the meta device, in no time and no memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cnnexp.anatomy.describe import describe, describe_step
from cnnexp.anatomy.memory import Optimizer
from cnnexp.builders.build import bind_task, build_dataset, build_net, find_facts, provisional_facts
from cnnexp.builders.dry import refuse_pictures
from cnnexp.data.base import Facts
from cnnexp.errors import InputError


@dataclass(frozen=True)
class Subject:
    """A net on the meta device, what it is trained with and on, and what makes it with numbers in it.

    Args:
        input_shape: channels, height, width.
        refuse: raises an InputError with the smallest picture that the net takes, if it does not take this one.
    """

    name: str
    net: nn.Module
    input_shape: tuple[int, int, int]
    batch_size: int
    optimizer: Optimizer
    make: Callable[[], nn.Module]
    refuse: Callable[[], None]


def find_subject(
    config: Mapping[str, Any],
    trusted: Sequence[str] = (),
    size: tuple[int, int, int] | None = None,
    classes: int | None = None,
) -> Subject:
    """The net for the configuration's data, or for pictures of a given size and number of classes. No data is read.

    Raises:
        InputError: an argument does not fit.
    """
    facts = find_facts(config, build_dataset(config, trusted)) if size is None else _sized(config, size)
    if classes is not None:
        names = tuple(map(str, range(classes)))
        facts = replace(facts, classes=names, mask_classes=names if facts.mask_classes else ())
    try:
        with torch.device("meta"):
            net, optimizer = build_net(config, facts, trusted)
    except Exception:  # a net may need numbers to be made, and what is wrong with it is said once more
        net, optimizer = build_net(config, facts, trusted)
    shape = (facts.channels, facts.height, facts.width)
    name, batch_size = str(config["choices"]["model"]), config["batch_size"]
    return Subject(
        name,
        net.to("meta"),
        shape,
        batch_size,
        optimizer,
        make=lambda: build_net(config, facts, trusted)[0],
        refuse=lambda: refuse_pictures(config, bind_task(config, facts, trusted).net, facts),
    )


def described(subject: Subject, with_step: bool = True) -> dict[str, Any]:
    """What `describe` says of the net, and ``training``, the memory of a step; null where it cannot be made.

    Raises:
        InputError: the net cannot take a picture of this size.
    """
    try:
        content = describe(subject.net, subject.input_shape, subject.name)
    except (RuntimeError, ValueError, IndexError) as error:
        subject.refuse()
        size = "x".join(map(str, subject.input_shape))
        reason = " ".join(str(error).split())[:160]
        raise InputError(
            f"model={subject.name} takes no picture of {size} ({reason}); "
            "give another size with --input or data.image_size"
        ) from error
    return {**content, "training": _step(subject)} if with_step else content


def multiply_adds_of(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> int | None:
    """Of one picture through the configuration's net; None for a net that cannot be followed without its numbers."""
    try:
        return int(described(find_subject(config, trusted), with_step=False)["totals"]["multiply_adds"])
    except Exception:  # a user's own net may do anything, and no trained run shall fail for want of a figure
        return None


def _step(subject: Subject) -> dict[str, Any] | None:
    try:
        return describe_step(subject.net, subject.input_shape, subject.batch_size, subject.optimizer)
    except (RuntimeError, ValueError):  # batch norm refuses a batch of one, and some losses need numbers
        return None


def _sized(config: Mapping[str, Any], size: tuple[int, int, int]) -> Facts:
    channels, height, width = size
    facts = replace(provisional_facts(config), channels=channels, height=height, width=width)
    return replace(facts, mean=(0.5,) * channels, std=(0.25,) * channels)
