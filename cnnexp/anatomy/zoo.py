"""The page of the zoo: a line for each net of the group `model`, counted from the net itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.anatomy.subject import described, find_subject
from cnnexp.builders.facts import build_input
from cnnexp.builders.starting import published_of
from cnnexp.config.compose import compose_run
from cnnexp.config.model_header import ModelHeader, model_header, takes_a_name
from cnnexp.config.options import (
    PICTURES,
    config_folders,
    data_with,
    input_of_data,
    input_of_model,
    option_files,
    purpose,
    size_of_data,
    targets_of_data,
    task_of_model,
    tasks,
)
from cnnexp.errors import InputError
from cnnexp.report.zoo import ZooRow

Size = tuple[int, ...]

TO_BEGIN_WITH = ("mnist5k", "cifar10", "imagenette", "digit_scenes", "trec_pairs")
"""Data that one begins with; those with labels from the smallest pictures to the largest."""
PHOTOGRAPH_PX = 224
SMALL_PX = 64


def zoo_rows(own_folders: Sequence[str] = (), trusted: Sequence[str] = ()) -> Iterator[ZooRow]:
    """Every net but those that stand for a whole library.

    Raises:
        InputError: a net has another number of parameters than its file says, or takes no data set's pictures.
    """
    folders = config_folders(own_folders)
    data = option_files("data", folders)
    for name, path in option_files("model", folders).items():
        if not takes_a_name(purpose(path)):
            yield _row(name, path, data, own_folders, trusted)


def sets_for(path: Path, task: str, data: Mapping[str, Path], folders: Sequence[Path]) -> list[str]:
    """Data that suits a net, the usual one first; where its line says a size that none of those has, what has it."""
    kind, target = input_of_model(path) or PICTURES, str(tasks(folders)[task].get("target") or "label")
    usual = [one for one in TO_BEGIN_WITH if input_of_data(data[one]) == kind and target in targets_of_data(data[one])]
    every, side = data_with(target, folders, kind), model_header(purpose(path)).side
    of_its_size = [name for name in every if kind == PICTURES and size_of_data(data[name]) == [side, side]]
    return usual if set(usual) & set(of_its_size) else of_its_size or usual or every


def _row(name: str, path: Path, data: dict[str, Path], own_folders: Sequence[str], trusted: Sequence[str]) -> ZooRow:
    header, task = model_header(purpose(path)), task_of_model(path) or "classification"
    sets = sets_for(path, task, data, config_folders(own_folders))
    config = compose_run([f"model={name}", f"data={sets[0]}"], own_folders)
    tried: list[int] = []
    refused = ""
    for size, classes in _candidates(header, config, trusted):
        try:
            totals = described(find_subject(config, trusted, size, classes), with_step=False)["totals"]
        except InputError as error:
            refused = "; ".join(error.lines)
            continue
        tried.append(totals["parameters"])
        if header.parameters in (None, totals["parameters"]):
            words = _training(name, sets, size, data)
            return ZooRow(name, header, task, size, classes, totals["parameters"], totals["multiply_adds"], words)
    if not tried:
        raise InputError(f"{path}: the net takes none of the pictures that it was tried with; the last time: {refused}")
    raise InputError(f"{path}: says {header.parameters:,} parameters, and the net has {tried}; mend its first line")


def _candidates(
    header: ModelHeader, config: dict[str, Any], trusted: Sequence[str]
) -> Iterator[tuple[Size, int | None]]:
    """Pictures that the net may be meant for: what its line says, then what it is published for, then the data's."""
    of_data = build_input(config, trusted).shape
    classes = None if config["task"]["target"] != "label" else header.classes or len(config["data"]["classes"])
    if header.frames and header.side:
        yield (header.frames, 1 if header.grey else 3, header.side, header.side), classes
    elif config["data"]["input"] != PICTURES:
        yield of_data, classes
    elif header.side:
        yield (1 if header.grey else 3, header.side, header.side), classes
    elif header.classes == 1000:
        side = _published_px(config, trusted)
        yield (3, side, side), classes
    else:
        yield of_data, classes
        yield (3, 32, 32), classes


def _published_px(config: dict[str, Any], trusted: Sequence[str]) -> int:
    try:
        published = published_of(config, None, trusted)
    except InputError:  # a library that has the net without weights
        published = None
    return published.crop_px if published else PHOTOGRAPH_PX


def _training(name: str, sets: Sequence[str], size: Size, data: Mapping[str, Path]) -> tuple[str, ...]:
    """The words that train the net here on pictures like those that it is meant for, brought to its size if need be."""
    if len(size) != 3:
        return (f"model={name}", f"data={sets[0]}")
    photograph, colour = size[1] > SMALL_PX, size[0] > 1
    chosen = sets[-1] if photograph else sets[min(int(colour), len(sets) - 1)]
    words = (f"model={name}", f"data={chosen}")
    fits = size_of_data(data[chosen]) == list(size[1:])
    return words if fits else (*words, f"'data.image_size=[{size[1]},{size[2]}]'")
