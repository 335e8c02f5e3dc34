"""The net that a configuration describes, without its weights: made on the meta device, in no time and no memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from cnnexp.anatomy.describe import describe, describe_step
from cnnexp.anatomy.memory import Optimizer
from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import build_net, net_for
from cnnexp.builders.datasets import build_dataset
from cnnexp.builders.dry import refuse_samples
from cnnexp.builders.facts import find_facts, provisional_facts, renamed
from cnnexp.errors import InputError
from cnnexp.models.traced import traced

Found = TypeVar("Found")


@dataclass(frozen=True)
class Subject:
    """A net on the meta device, what it is trained with and on, and what makes it with numbers in it.

    Args:
        input_shape: of a sample, such as channels, height, width. notation: how such a shape is written.
        example: the arguments of the net for so many samples, with any numbers, on a device.
        refuse: raises an InputError with the smallest sample that the net takes, if it does not take this one.
    """

    name: str
    net: nn.Module
    input_shape: tuple[int, ...]
    notation: str
    example: Callable[[int, torch.device | str], tuple[Tensor, ...]]
    batch_size: int
    optimizer: Optimizer
    make: Callable[[], nn.Module]
    refuse: Callable[[], None]


def find_subject(
    config: Mapping[str, Any],
    trusted: Sequence[str] = (),
    size: tuple[int, ...] | None = None,
    classes: int | None = None,
) -> Subject:
    """The net for the configuration's data, or for samples of a given shape and number of classes. No data is read.

    Raises:
        InputError: an argument does not fit.
    """
    if size is None:
        facts = find_facts(config, build_dataset(config, trusted), trusted)
    else:
        facts = provisional_facts(config, trusted)
        facts = replace(facts, input=facts.input.of_shape(size))
    if classes is not None:
        facts = renamed(facts, tuple(map(str, range(classes))))
    try:
        with torch.device("meta"):
            net, optimizer = build_net(config, facts, trusted)
    except Exception:  # a net may need numbers to be made, and what is wrong with it is said once more
        net, optimizer = build_net(config, facts, trusted)
    name, batch_size = str(config["choices"]["model"]), config["batch_size"]
    return Subject(
        name,
        traced(net.to("meta")),
        facts.input.shape,
        facts.input.notation,
        facts.input.example,
        batch_size,
        optimizer,
        make=lambda: build_net(config, facts, trusted)[0],
        refuse=lambda: refuse_samples(config, net_for(bind_run(config, trusted), facts, config), facts.input),
    )


def described(subject: Subject, with_step: bool = True) -> dict[str, Any]:
    """What `describe` says of the net, and ``training``, the memory of a step; null where it cannot be made.

    Raises:
        InputError: the net cannot take a picture of this size.
    """
    content = or_refused(
        subject, lambda: describe(subject.net, subject.input_shape, subject.name, subject.example(1, "meta"))
    )
    return {**content, "training": _step(subject)} if with_step else content


def or_refused(subject: Subject, look: Callable[[], Found]) -> Found:
    """What is found out by leading a sample through the subject's net.

    Raises:
        InputError: the net cannot take a sample of this size.
    """
    try:
        return look()
    except (RuntimeError, ValueError, IndexError) as error:
        subject.refuse()
        size = "x".join(map(str, subject.input_shape))
        reason = " ".join(str(error).split())[:160]
        raise InputError(
            f"model={subject.name} takes no sample of {size} ({reason}); give another size with --input "
            f"{subject.notation}, or in data"
        ) from error


def multiply_adds_of(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> int | None:
    """Of one picture through the configuration's net; None for a net that cannot be followed without its numbers."""
    try:
        return int(described(find_subject(config, trusted), with_step=False)["totals"]["multiply_adds"])
    except Exception:  # a user's own net may do anything, and no trained run shall fail for want of a figure
        return None


def _step(subject: Subject) -> dict[str, Any] | None:
    try:
        batch = subject.example(subject.batch_size, "meta")
        return describe_step(subject.net, subject.input_shape, subject.batch_size, subject.optimizer, batch)
    except (RuntimeError, ValueError):  # batch norm refuses a batch of one, and some losses need numbers
        return None
