"""A net with weights that somebody else trained, ready to answer or to be tested: no run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from cnnexp.builders.begun import Start
from cnnexp.builders.build import Experiment, build, build_task
from cnnexp.builders.datasets import build_dataset
from cnnexp.builders.facts import answer_class, find_facts, with_classes
from cnnexp.builders.from_run import run_of_file
from cnnexp.builders.hardware import set_up_process
from cnnexp.builders.reopen import for_this_machine, known_to
from cnnexp.builders.same_classes import Known, with_names
from cnnexp.builders.starting import (
    IMAGENET,
    RUN,
    published_of,
    put_start,
    read_weights,
    resolve_start,
    start,
    weights_file,
)
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.inputs.clips import Clips
from cnnexp.inputs.picture_files import middle_of, pixels_of, read_middle, read_picture
from cnnexp.inputs.pictures import Pictures
from cnnexp.models.published import Published
from cnnexp.tasks.base import Task

if TYPE_CHECKING:
    from PIL.Image import Image

CLASSIFICATION = "classification"
"""The task that published weights are for."""


def pretrained(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> tuple[Task, Published]:
    """The task with the weights that the configuration names, in evaluation mode.

    Names of classes are those that the weights were published with; of other numbers of classes they are numbered.

    Returns:
        The task, and how its pictures are to be brought to size.

    Raises:
        InputError: no weights are named, nobody publishes weights for such a net, or they are of another architecture.
    """
    _refuse_no_weights(config, "predict")
    weights, name = config["model"]["weights"], config["choices"]["model"]
    published = published_of(config, None if weights_file(config) else weights, trusted)
    if published is None or config["choices"]["task"] != published.task:
        raise InputError(
            f"model={name}: nobody publishes weights for it, so size and classes of its pictures are not known; "
            "predict with a run, with a net of torchvision or timm, or say data=NAME, which it was trained on"
        )
    if not published.classes:
        raise InputError(
            f"model.weights={weights}: {published.source} and nothing behind it, so the net has nothing to say yet; "
            "train with them"
        )
    config = {**config, "model": published.arguments(config["model"], alone=True)}
    begun, state = read_weights(config, trusted)
    if not published.whole(state):
        raise InputError(
            f"model.weights={weights}: no answers of model={name} in it ({published.answers}), so the net has nothing "
            "to say yet; train with them"
        )
    facts = _facts(config, published, published.count(state), trusted)
    task = build_task(config, facts, trusted)
    put_start(task.net, state, begun, str(name))
    _refuse_fresh(begun)
    return task.eval(), published


def reading(how: Published) -> Callable[[Path], dict[str, Tensor]]:
    """A file → a batch of one, brought to size as the publisher of the weights does."""
    if how.clip is not None:
        return _input_of(how, how.mean, how.std).read
    if how.sized is not None:
        return lambda path: Pictures.stored_as(read_picture(path, None, 3)[0][None])
    size = (how.resize_px, how.crop_px, 3, how.interpolation)
    return lambda path: Pictures.stored_as(read_middle(path, *size)[None])


def reading_images(how: Published) -> Callable[[Image], dict[str, Tensor]]:
    """The same for a picture that is decoded already, such as the frame of a film."""
    if how.sized is not None:
        return lambda image: Pictures.stored_as(pixels_of(image, None, 3)[None])
    size = (how.resize_px, how.crop_px, how.interpolation)
    return lambda image: Pictures.stored_as(middle_of(pixels_of(image, None, 3), *size)[None])


def begun_from(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> tuple[Task, Published, str]:
    """The net that a run began with, as it was published: with the head and the names of its own classes.

    Args:
        config: the run's.

    Returns:
        The task in evaluation mode, how its pictures are to be brought to size, and the weights in words.

    Raises:
        InputError: the run began with random weights or those of another run, is no classifier's, or its weights are
            not there any more.
    """
    weights = config["model"]["weights"]
    if weights is None:
        raise InputError("--before: the run began with random weights, which have nothing to say; leave it out")
    if weights.startswith(RUN):
        source = weights.removeprefix(RUN)
        raise InputError(f"--before: the run began with those of another; ask it: cnnexp predict {source} FILE")
    if config["choices"]["task"] != CLASSIFICATION:
        raise InputError(f"--before: is for classifiers, and this run's task is {config['choices']['task']}")
    pinned = resolve_start(dict(config), trusted)
    task, published = pretrained(pinned, trusted)
    file = weights_file(pinned)
    return task, published, f"{config['choices']['model']} with {weights if file is None else file.name}"


def for_data(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> Task:
    """The task with the weights that the configuration names, in evaluation mode, for pictures like a data set's.

    Size, normalisation and, where the weights do not say theirs, classes are those of the data set, which is not read.

    Raises:
        InputError: no weights are named, or they are of another architecture or number of classes.
    """
    _refuse_no_weights(config, "predict")
    config = resolve_start(dict(config), trusted)
    facts, known = find_facts(config, build_dataset(config, trusted), trusted), known_to_weights(config, trusted)
    if known is not None:
        facts = with_names(facts, config["task"]["target"], known.names)
    task = build_task(config, facts, trusted)
    _started(task, with_classes(config, facts), trusted)
    return task.eval()


def pretrained_experiment(
    config: Mapping[str, Any], trusted: Sequence[str] = ()
) -> tuple[Experiment, dict[str, Any], Start]:
    """The weights that the configuration names, with its data to test them on, in this process alone.

    Returns:
        The experiment, the configuration with weights and classes pinned down, and what became of each tensor.

    Raises:
        InputError: no weights are named, they are of another architecture, or the data has classes that they do not
            know; of weights whose classes have no names, as many as the data has.
    """
    _refuse_no_weights(config, "test")
    pinned = for_this_machine(resolve_start(dict(config), trusted))
    set_up_process(pinned["hardware"])
    experiment = build(pinned, trusted, known=known_to_weights(pinned, trusted))
    pinned = with_classes(pinned, experiment.facts)
    begun = _started(experiment.task, pinned, trusted)
    return experiment, pinned, begun


def known_to_weights(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> Known | None:
    """The classes that the configuration's weights were trained on; None where nothing says their names.

    A run's checkpoint has that run's. Weights with as many outputs as a library's for this net have the library's.
    """
    run = run_of_file(weights_file(config))
    if run is not None:
        known = known_to(run)
        return known if run.config["task"]["target"] == config["task"]["target"] else None
    published = published_of(config, None if weights_file(config) else config["model"]["weights"], trusted)
    if published is None or not published.named or config["choices"]["task"] != published.task:
        return None
    begun, state = read_weights(config, trusted)
    whole = published.classes and published.whole(state)
    if not whole or published.count(state) != len(published.classes):
        return None
    return Known(published.classes, begun.source, published.further())


def _started(task: Task, config: Mapping[str, Any], trusted: Sequence[str]) -> Start:
    begun = start(task.net, config, trusted, task.facts.input)
    assert begun is not None
    _refuse_fresh(begun)
    return begun


def _refuse_no_weights(config: Mapping[str, Any], command: str) -> None:
    weights = config["model"]["weights"]
    if weights is None:
        raise InputError(
            f"model={config['choices']['model']}: random weights have nothing to say; add model.weights=FILE or the "
            "name of some"
        )
    if weights.startswith(RUN):
        raise InputError(
            f"model.weights={weights}: {command} takes a run as its first word, {weights.removeprefix(RUN)}"
        )


def _facts(config: Mapping[str, Any], published: Published, count: int, trusted: Sequence[str]) -> Facts:
    imagenet = config["model"]["normalisation"] == "imagenet"
    known = len(published.classes) == count
    names = published.classes if known else tuple(f"class {number}" for number in range(count))
    mean, std = IMAGENET if imagenet else (published.mean, published.std)
    given = _input_of(published, tuple(mean), tuple(std))
    return Facts(given.name, given, {published.target: answer_class(published.target, trusted)(names)})


def _input_of(published: Published, mean: Sequence[float], std: Sequence[float]) -> Pictures | Clips:
    size = (published.crop_px, published.crop_px)
    if published.clip is None:
        return Pictures(channels=3, image_size=size, mean=mean, std=std)
    frames, stored = published.clip
    return Clips(frames=frames, channels=3, image_size=size, decode_size=stored, mean=mean, std=std)


def _refuse_fresh(begun: Start) -> None:
    if begun.fresh:
        raise InputError(
            f"{begun.source}: no weights for the net's last layer ({', '.join(begun.fresh)}); "
            "are they for other classes?"
        )
