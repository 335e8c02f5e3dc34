"""Questions about scenes of coloured handwritten digits, from the embedded digits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit, padded
from cnnexp.data.coloured_scenes import Painted, coloured_scenes
from cnnexp.data.scene_questions import Question, questions
from cnnexp.draws import permutation
from cnnexp.errors import InputError
from cnnexp.inputs.words import bytes_of

SCENES: dict[SplitName, int] = {"train": 14_000, "val": 4_000, "test": 4_000}
"""Among these a question finds its own."""
WISHED: dict[SplitName, Mapping[str, int]] = {
    "train": {"what digit": 3_000, "is there": 3_000, "how many": 4_000, "what colour": 3_000, "which digit": 3_000,
              "what is": 3_600, "is the": 2_520, "are there": 1_680, "are the": 1_260},
}  # fmt: skip
"""So many questions of each kind, up to what does not divide evenly."""
WISHED |= {split: {kind: count // 7 for kind, count in WISHED["train"].items()} for split in ("val", "test")}
_ORDER = 6  # a purpose of draws beside those of the scenes


class Asked(NamedTuple):
    """The questions of a split in their order: a text, the number of its scene and that of its answer for each."""

    texts: list[str]
    scenes: NDArray[np.int64]
    answers: NDArray[np.int64]


class DigitQuestions(DataSet):
    """Questions about scenes 64×64 of coloured digits, each with one answer of 16: no, yes, 0 to 9, four colours.

    In each split every question in each of its wordings has all its answers equally often, so that nothing can be
    learnt from questions alone. Digits of the training split of mnist5k occur in training scenes only, and so for the
    other splits. All is a function of (scene_seed, split).

    Args:
        parts: of the input; a picture and a question.

    Raises:
        InputError: other parts than these, or pictures without colours.
    """

    targets = ("reply",)

    def __init__(self, *, parts: Mapping[str, Any], scene_seed: int) -> None:
        if set(parts) != {"picture", "question"}:
            raise InputError(f"data.parts: digit_questions has picture and question, and not {', '.join(parts)}")
        if parts["picture"]["channels"] != 3:
            raise InputError("data.parts.picture.channels: questions are about colours; 3 it is")
        height, width = parts["picture"]["image_size"]
        self.image_size, self.scene_seed = (int(height), int(width)), scene_seed

    def load(self, split: SplitName) -> TensorSplit:
        pictures, asked = _asked(self.scene_seed, split)
        tensors = {
            "picture.image": torch.from_numpy(pictures[asked.scenes]),
            "question.text": padded([bytes_of(text) for text in asked.texts], 0),
            "label": torch.from_numpy(asked.answers),
        }
        names = [
            f"digit_questions/{split}/{scene}: {text}" for scene, text in zip(asked.scenes, asked.texts, strict=True)
        ]
        return TensorSplit(tensors, names=names, transform=Painted("picture.image", self.image_size))


@lru_cache(maxsize=len(SPLITS))
def _asked(scene_seed: int, split: SplitName) -> tuple[NDArray[np.uint8], Asked]:
    scenes = coloured_scenes(scene_seed, split, SCENES[split])
    by_kind: dict[str, list[Question]] = defaultdict(list)
    for question in questions(scenes):
        by_kind[question.kind].append(question)
    key = (scene_seed, SPLITS.index(split), _ORDER)
    found = [one for kind, some in by_kind.items() for one in balanced(some, WISHED[split][kind], key)]
    order = permutation(len(found), *key)
    texts, numbers, answers = zip(*(found[place] for place in order), strict=True)
    return scenes.pictures, Asked(list(texts), np.array(numbers), np.array(answers))


def balanced(some: list[Question], wished: int, key: tuple[int, ...]) -> list[tuple[str, int, int]]:
    """About so many of these questions: text, scene and answer of each.

    A text has each of its answers equally often, as often as its rarest answer allows, and at least once where that
    occurs at all. Its wordings share out the scenes.
    """
    ways = [np.unique(question.answers[question.answers >= 0]) for question in some]
    each = max(1, wished // sum(len(question.texts) * len(one) for question, one in zip(some, ways, strict=True)))
    found = []
    for question, answers in zip(some, ways, strict=True):
        fitting = [np.flatnonzero(question.answers == answer) for answer in answers]
        count = min(each, min(len(scenes) // len(question.texts) for scenes in fitting))
        for answer, scenes in zip(answers.tolist(), fitting, strict=True):
            drawn = scenes[permutation(len(scenes), *key, *question.texts[0].encode(), answer)]
            for place, text in enumerate(question.texts):
                found += [(text, scene, answer) for scene in drawn[place * count : (place + 1) * count].tolist()]
    return found
