"""A net with weights that somebody else trained, ready to answer: no run, no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from cnnexp.builders.build import build_task
from cnnexp.builders.starting import IMAGENET, RUN, Start, published_of, put_start, read_weights, weights_file
from cnnexp.data.base import Facts
from cnnexp.errors import InputError
from cnnexp.models.published import Published
from cnnexp.tasks.base import Task


def pretrained(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> tuple[Task, Published]:
    """The task of a classifier with the weights that the configuration names, in evaluation mode.

    The names of a thousand classes are ImageNet's; other numbers of classes are numbered.

    Returns:
        The task, and how its pictures are to be brought to size.

    Raises:
        InputError: no weights are named, nobody publishes weights for such a net, or they are of another architecture.
    """
    weights, name = config["model"]["weights"], config["choices"]["model"]
    if weights is None:
        raise InputError(
            f"model={name}: random weights have nothing to say; add model.weights=FILE or the name of some"
        )
    if weights.startswith(RUN):
        raise InputError(f"model.weights={weights}: predict takes a run as its first word, {weights.removeprefix(RUN)}")
    published = published_of(config, None if weights_file(config) else weights, trusted)
    if published is None or config["task"]["target"] != "label":
        raise InputError(
            f"model={name}: nobody publishes weights for it, so size and classes of its pictures are not known; "
            "predict with a run, or with a net of torchvision or timm"
        )
    begun, state = read_weights(config, trusted)
    facts = _facts(config, published, _count(state))
    plain = {**config, "transfer": {"_target_": "cnnexp.training.transfer.Transfer"}}
    task = build_task(plain, facts, trusted)
    put_start(task.net, state, begun, str(name))
    _refuse_fresh(begun)
    return task.eval(), published


def _count(state: Mapping[str, Tensor]) -> int:
    """The number of outputs: a classifier's last tensor has as many rows."""
    return list(state.values())[-1].shape[0]


def _facts(config: Mapping[str, Any], published: Published, count: int) -> Facts:
    imagenet = config["model"]["normalisation"] == "imagenet"
    known = len(published.classes) == count
    return Facts(
        name="pictures",
        channels=3,
        height=published.crop_px,
        width=published.crop_px,
        classes=published.classes if known else tuple(f"class {number}" for number in range(count)),
        targets=("label",),
        mean=tuple(IMAGENET[0]) if imagenet else published.mean,
        std=tuple(IMAGENET[1]) if imagenet else published.std,
    )


def _refuse_fresh(begun: Start) -> None:
    fresh = [name for name in begun.fresh if not name.endswith("num_batches_tracked")]
    if fresh:
        raise InputError(
            f"{begun.source}: no weights for the net's last layer ({', '.join(fresh)}); nothing to predict"
        )
