"""Questions about scenes: true by an evaluator of its own, balanced, and of digits that stay in their split."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.data.base import SPLITS, SplitName, TensorSplit
from cnnexp.data.coloured_scenes import coloured_scenes
from cnnexp.data.digit_questions import SCENES, WISHED, DigitQuestions
from cnnexp.data.scene_questions import ANSWERS, MARGIN_PX
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of
from tests.data.tiny import measured, read_conf

PARTS: dict[str, Any] = {"picture": {"channels": 3, "image_size": [64, 64]}, "question": {}}
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDES = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "below": (1, 1)}
GUESSED = 0.35
"""The most that the best constant answer to each text may be right."""


def made(**changes: Any) -> DigitQuestions:
    return DigitQuestions(**{"parts": PARTS, "scene_seed": 0, **changes})


@pytest.fixture(scope="module")
def splits() -> dict[SplitName, TensorSplit]:
    return {name: made().load(name) for name in SPLITS}


def asked(split: TensorSplit) -> list[tuple[str, str]]:
    answers = [ANSWERS[number] for number in split.tensors["label"].tolist()]
    return list(zip(texts_of(split.tensors["question.text"]), answers, strict=True))


def test_each_text_has_all_its_answers_equally_often(splits: dict[SplitName, TensorSplit]) -> None:
    texts = {}
    for name, split in splits.items():
        answers: dict[str, Counter[str]] = defaultdict(Counter)
        for text, answer in asked(split):
            answers[text][answer] += 1
        assert all(len(counts) > 1 and len(set(counts.values())) == 1 for counts in answers.values())
        assert sum(max(counts.values()) for counts in answers.values()) / len(split) <= GUESSED
        kinds = Counter(" ".join(text.split()[:2]) for text, _ in asked(split))
        assert kinds.keys() == WISHED[name].keys()
        assert all(WISHED[name][kind] / 2 < count <= WISHED[name][kind] for kind, count in kinds.items())
        texts[name] = set(answers)
    assert texts["train"] == texts["val"] == texts["test"], "no question is asked that was never trained"


@pytest.mark.parametrize("name", SPLITS)
def test_the_answers_are_true(splits: dict[SplitName, TensorSplit], name: SplitName) -> None:
    """By a second evaluator, which reads the words and looks at one scene after another."""
    scenes = coloured_scenes(0, name, SCENES[name])
    split = splits[name]
    assert split.names is not None
    for place, (text, answer) in enumerate(asked(split)[:3000]):
        number, _, of_name = split.names[place].removeprefix(f"digit_questions/{name}/").partition(": ")
        assert of_name == text
        scene = int(number)
        objects = [
            (int(digit), list(("red", "green", "blue", "yellow"))[colour], centre)
            for digit, colour, centre in zip(
                scenes.digits[scene], scenes.colours[scene], scenes.centres[scene].tolist(), strict=True
            )
            if digit >= 0
        ]
        assert truth(text.split(), objects) == answer, split.names[place]


def truth(words: list[str], objects: list[tuple[int, str, list[float]]]) -> str:
    """The answer of a question, word by word."""
    if words[-3:] == ["of", "one", "colour"]:
        words = words[:-3]  # this one is no digit
    numbers = [digit for word in words if (digit := digit_of(word)) is not None]
    colours = [word for word in words if word in ("red", "green", "blue", "yellow")]
    chosen = [one for one in objects if (not numbers or one[0] in numbers) and (not colours or one[1] in colours)]
    match words:
        case ["is", "there", *_]:
            return "yes" if chosen else "no"
        case ["how", "many", *_]:
            return str(len(chosen))
        case ["what", "colour", *_]:
            ((_, colour, _),) = chosen
            return colour
        case ["which" | "what", "digit", *_]:
            ((digit, _, _),) = chosen
            return str(digit)
        case ["are", "there", "more", *_]:
            first, second = (sum(one[1] == colour for one in objects) for colour in colours)
            return "yes" if first > second else "no"
        case ["are", "the", *_]:
            first, second = chosen
            return "yes" if first[1] == second[1] else "no"
    axis, sign = next(SIDES[word] for word in words if word in SIDES)
    if words[0] == "what":
        ((digit, _, centre),) = chosen
        away = {other: sign * (place[axis] - centre[axis]) for other, _, place in objects if other != digit}
        assert all(distance <= 0 or distance >= MARGIN_PX for distance in away.values()), "a matter of opinion"
        (found,) = (one for one in objects if one[0] != digit and sign * (one[2][axis] - centre[axis]) > 0)
        return str(found[0])
    (first,), (second,) = ([one for one in objects if one[0] == digit] for digit in numbers)
    away_px = sign * (first[2][axis] - second[2][axis])
    assert abs(away_px) >= MARGIN_PX
    return "yes" if away_px > 0 else "no"


def digit_of(word: str) -> int | None:
    for digit, name in enumerate(WORDS):
        if word in (name, f"{name}s", f"{name}es", str(digit), f"{digit}s"):
            return digit
    return None


def test_all_is_a_function_of_the_seed(splits: dict[SplitName, TensorSplit]) -> None:
    again, other = made().load("val"), made(scene_seed=1).load("val")
    assert again.names == splits["val"].names and again.names is not None and other.names is not None
    assert torch.equal(again.batch([3, 5])["picture.image"], splits["val"].batch([3, 5])["picture.image"])
    assert len(set(again.names) & set(other.names)) < len(again.names) / 10
    assert len(set(again.names)) == len(again.names), "no question is asked of a scene twice"


def test_a_batch_holds_its_pictures_in_colour(splits: dict[SplitName, TensorSplit]) -> None:
    batch = splits["test"].batch(torch.arange(9))
    assert batch.keys() == {"picture.image", "question.text", "label", "index"}
    assert batch["picture.image"].shape == (9, 3, 64, 64) and batch["picture.image"].dtype == torch.uint8
    scenes = coloured_scenes(0, "test", SCENES["test"])
    names = splits["test"].names or ()
    first = int(names[0].removeprefix("digit_questions/test/").partition(":")[0])
    assert ((batch["picture.image"][0] > 0).any(0).numpy() == (scenes.pictures[first] % 64 > 0)).all()
    stated = read_conf("digit_questions")["data"]["parts"]["picture"]
    train = splits["train"].batch(torch.arange(0, len(splits["train"]), 5))
    mean, std = measured(train["picture.image"])
    assert mean == pytest.approx(stated["mean"], abs=1e-3) and std == pytest.approx(stated["std"], abs=3e-3)
    assert tuple(read_conf("digit_questions")["data"]["classes"]) == ANSWERS
    assert np.bincount(splits["train"].tensors["label"].numpy(), minlength=len(ANSWERS)).min() > 0


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({**PARTS, "more": {}}, "digit_questions has picture and question, and not picture, question, more"),
        ({**PARTS, "picture": {"channels": 1, "image_size": [64, 64]}}, "questions are about colours"),
    ],
)
def test_other_parts_are_refused(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        made(parts=parts)
