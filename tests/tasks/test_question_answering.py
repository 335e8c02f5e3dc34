"""Accuracy by kind, with pictures shuffled and of the commonest answers, against counting one after another."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.answers.reply import Reply
from cnnexp.data.base import TensorSplit
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.fit.module import TaskModule
from cnnexp.inputs.several import Several
from cnnexp.inputs.words import bytes_of
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.tasks.question_answering import QuestionAnswering
from cnnexp.training.learner import Learner
from tests.tasks import tiny

ANSWERS = ("no", "yes", "dark", "bright")
TEXTS = ("is it bright", "what shade is it", "is it dark")
PARTS = {
    "picture": {"input": "pictures", "channels": 1, "image_size": (2, 2), "mean": (0.0,), "std": (1.0,)},
    "question": {"input": "tokens", "vocabulary_size": 20, "length": 6},
}


class Brightness(nn.Module):
    """Knows the answer by the mean of a picture and the number of the question's second word."""

    def __init__(self, second: dict[int, str]) -> None:
        super().__init__()
        self.second = second
        self.calls: list[int] = []

    def forward(self, picture: Tensor, question: Tensor) -> Tensor:
        self.calls.append(len(picture))
        bright = picture.mean((1, 2, 3)) > 0.5
        logits = torch.zeros(len(picture), len(ANSWERS))
        for row, (one, words) in enumerate(zip(bright.tolist(), question.tolist(), strict=True)):
            text = " ".join(self.second[word] for word in words if word)
            logits[row, ANSWERS.index(answer(text, one))] = 5
        return logits


def answer(text: str, bright: bool) -> str:
    if text.startswith("what"):
        return "bright" if bright else "dark"
    return "yes" if bright == (text == "is it bright") else "no"


def split(count: int, seed: int, wrong: int = 0) -> TensorSplit:
    """Questions about bright and dark pictures; the first so many have an answer that is not true."""
    drawn = np.random.default_rng(seed)
    bright, texts = drawn.random(count) < 0.5, drawn.choice(TEXTS, count).tolist()
    image = torch.from_numpy(np.where(bright, 255, 0).astype(np.uint8)).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    asked = enumerate(zip(texts, bright, strict=True))
    true = [answer(text, bool(one) != (place < wrong)) for place, (text, one) in asked]
    tensors = {"picture.image": image.contiguous(), "label": torch.tensor([ANSWERS.index(one) for one in true])}
    return TensorSplit(tensors, ragged={"question.text": [bytes_of(text) for text in texts]})


def module(splits: dict[str, TensorSplit]) -> tuple[TaskModule, Data]:
    given = Several(PARTS).learn(splits["train"], np.arange(len(splits["train"])))
    reply = Reply(ANSWERS).learn(splits["train"], np.arange(len(splits["train"])))
    facts = Facts("tiny", given, {"reply": reply})
    net = Brightness(dict(enumerate(given.parts["question"].words, start=2)))
    task = tiny.task(QuestionAnswering, net, facts=facts, loss=CrossEntropy(), target="reply")
    data = Data(dataset=tiny.Given(**splits), facts=facts, batch_size=8, workers=0, seed=0)
    return tiny.alone(TaskModule(task, Learner(task, tiny.recipe()))), data


@torch.no_grad()
def test_it_counts_each_question_and_each_kind() -> None:
    made, data = module({"train": split(60, 0), "test": split(41, 1, wrong=9)})
    test, whole = data.split("test"), data.split("test").batch(range(41))
    texts, bright = [TEXTS.index(one) for one in written(whole)], (whole["picture.image"] > 0).flatten(1)[:, 0].tolist()
    cuts = [list(range(0, 8)), list(range(8, 40)), [40]]
    for cut in cuts:
        made.test_step(test.batch(cut), 0)
    made.on_test_epoch_end()
    asked, right, again, still = Counter(), Counter(), Counter(), Counter()  # type: ignore[var-annotated]
    for cut in cuts:
        for place, own in enumerate(cut):
            text, true = TEXTS[texts[own]], ANSWERS[int(whole["label"][own])]
            kind = " ".join(text.split()[:2])
            asked[kind] += 1
            right[kind] += answer(text, bright[own]) == true
            if len(cut) > 1:
                again[kind] += 1
                still[kind] += answer(text, bright[cut[place - 1]]) == true
    assert made.counts == {"questions": dict(asked)}
    assert made.results["test/accuracy"] == pytest.approx(32 / 41) == sum(right.values()) / 41
    assert made.results["test/shuffled_accuracy"] == pytest.approx(sum(still.values()) / 40)
    assert made.kinds["test/accuracy"] == pytest.approx({kind: right[kind] / asked[kind] for kind in asked})
    assert made.kinds["test/shuffled_accuracy"] == pytest.approx({kind: still[kind] / again[kind] for kind in again})
    assert made.results["test/shuffled_accuracy"] < 0.7, "the pictures say all that these questions do not"
    assert made.predictions["question"].tolist() == written(whole)


@torch.no_grad()
def test_other_stages_ask_once() -> None:
    made, data = module({"train": split(60, 0), "val": split(20, 2), "test": split(1, 1)})
    net = made.net
    assert isinstance(net, Brightness)
    made.validation_step(data.split("val").batch(range(20)), 0)
    assert net.calls == [20]
    made.read("val")
    assert made.results["val/accuracy"] == 1 and "val/shuffled_accuracy" not in made.results
    made.test_step(data.split("test").batch([0]), 0)
    made.read("test")
    assert net.calls == [20, 1] and "test/shuffled_accuracy" not in made.results, "there is no other picture"


def test_the_commonest_answer_to_the_same_text() -> None:
    train, test = split(60, 0), split(41, 1)
    made, data = module({"train": train, "test": test})
    answers: dict[str, Counter[int]] = {text: Counter() for text in TEXTS}
    for text, label in zip(written(train.batch(range(60))), train.tensors["label"].tolist(), strict=True):
        answers[text][label] += 1
    best = {text: max(sorted(counts), key=counts.__getitem__) for text, counts in answers.items()}
    asked = zip(written(test.batch(range(41))), test.tensors["label"].tolist(), strict=True)
    assert made.task.reference(data) == {"guess_accuracy": sum(best[text] == label for text, label in asked) / 41}


def test_a_text_that_was_never_asked_has_the_commonest_answer_of_all() -> None:
    train = TensorSplit(
        {"picture.image": torch.zeros(3, 1, 2, 2, dtype=torch.uint8), "label": torch.tensor([1, 1, 0])},
        ragged={"question.text": [bytes_of(text) for text in ("is it", "is he", "is it")]},
    )
    test = TensorSplit(
        {"picture.image": torch.zeros(2, 1, 2, 2, dtype=torch.uint8), "label": torch.tensor([1, 0])},
        ragged={"question.text": [bytes_of(text) for text in ("is she", "is it")]},
    )
    made, data = module({"train": train, "test": test})
    assert made.task.reference(data) == {"guess_accuracy": 1.0}, "of two that are as common the first"


def written(batch: dict[str, Tensor]) -> list[str]:
    return [row.tobytes().rstrip(b"\0").decode() for row in batch["question.text"].numpy()]
