"""Test pictures of a run, with or without what its net makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cnnexp.answers.base import Batch
from cnnexp.builders.reopen import reopen_data
from cnnexp.builders.revive import checked_config, revive
from cnnexp.errors import InputError
from cnnexp.runs.read import Record
from cnnexp.tasks.base import Task
from cnnexp.visualize.canvas import enlarged, to_image, whole_factor
from cnnexp.visualize.png import write_png

_LEAST_SIDE_PX = 112


def draw_test(task: Task, batch: Batch, tables: Mapping[str, np.ndarray], folder: Path) -> None:
    """A few test samples with what the net says of them, and the test's larger results, as PNGs in a folder."""
    batch = task.truth(task.preparation.stored(batch))
    answers = task.predict(task.prepare(batch, train=False))
    pictures = task.facts.input.pictures(batch)
    for name, image in task.answer.sheets(pictures, answers, batch).items():
        write_png(image, folder / f"{name}.png")
    task.answer.draw_tables(tables, folder, task.facts.name)


def pictures_of_test(
    record: Record, places: Sequence[int], answered: bool, trusted: Sequence[str]
) -> list[Image.Image]:
    """The pictures as the net saw them, before they were normalised; arguments and errors as for ``shown_of_test``."""
    return list(shown_of_test(record, places, answered, trusted).images)


@dataclass(frozen=True)
class Shown:
    """Samples for a page: each as a picture, as a wav file where they make a sound, as text where they are one, and as
    a WebP file where they move."""

    images: Sequence[Image.Image]
    sounds: Sequence[bytes] = ()
    texts: Sequence[str] = ()
    moving: Sequence[bytes] = ()


def shown_of_test(record: Record, places: Sequence[int], answered: bool, trusted: Sequence[str]) -> Shown:
    """Test samples for a page.

    Args:
        places: in the test split. answered: with the best weights' answer and the truth drawn, as the answer's form
            does it.

    Raises:
        InputError: the configuration, the data or the weights cannot be used, or the split has no such place.
    """
    opened = reopen_data(record, checked_config(record), trusted)
    task = revive(record, opened.config, trusted=trusted)
    split = opened.data.split("test")
    if not all(0 <= place < len(split) for place in places):
        raise InputError(
            f"{record.id}: predictions.csv names samples that the test split of {len(split)} does not have"
        )
    batch = task.truth(task.preparation.stored(split.batch(torch.tensor(list(places), dtype=torch.int64))))
    given = task.facts.input
    pictures, sounds, texts = given.pictures(batch), given.heard(batch), given.written(batch)
    if not answered:
        images = [to_image(picture) for picture in pictures]
        larger = [enlarged(image, whole_factor(image.size, _LEAST_SIDE_PX)) for image in images]
        return Shown(larger, sounds, texts, given.moving(batch))
    with torch.no_grad():
        answers = task.predict(task.prepare(batch, train=False))
    drawn = [
        task.answer.image(picture, answer, {name: value[place : place + 1].cpu() for name, value in batch.items()})
        for place, (picture, answer) in enumerate(zip(pictures, answers, strict=True))
    ]
    return Shown(drawn, sounds, texts)
