"""Test pictures of a run by their places in the split, with or without what its net makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from cnnexp.builders.reopen import reopen_data
from cnnexp.builders.revive import checked_config, revive
from cnnexp.errors import InputError
from cnnexp.runs.read import Record
from cnnexp.tasks.base import as_pictures
from cnnexp.visualize.canvas import enlarged, to_image, whole_factor

_LEAST_SIDE_PX = 112


def pictures_of_test(
    record: Record, places: Sequence[int], answered: bool, trusted: Sequence[str]
) -> list[Image.Image]:
    """The pictures as the net saw them, before they were normalised.

    Args:
        places: in the test split. answered: with the best weights' answer and the truth drawn, as the task does.

    Raises:
        InputError: the configuration, the data or the weights cannot be used, or the split has no such place.
    """
    opened = reopen_data(record, checked_config(record), trusted)
    task = revive(record, opened.config, "best", trusted)
    split = opened.data.split("test")
    if not all(0 <= place < len(split) for place in places):
        raise InputError(
            f"{record.id}: predictions.csv names pictures that the test split of {len(split)} does not have"
        )
    batch = split.batch(torch.tensor(list(places), dtype=torch.int64))
    pictures = as_pictures(task.normalisation.centre(batch)["image"])
    if not answered:
        images = [to_image(picture) for picture in pictures]
        return [enlarged(image, whole_factor(image.size, _LEAST_SIDE_PX)) for image in images]
    with torch.no_grad():
        answers = task.predict(task.prepare(batch, train=False)["image"])
    centred = task.normalisation.centre(batch)
    return [
        task.image(picture, answer, {name: value[place : place + 1].cpu() for name, value in centred.items()})
        for place, (picture, answer) in enumerate(zip(pictures, answers, strict=True))
    ]
