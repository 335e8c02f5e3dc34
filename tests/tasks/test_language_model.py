from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnexp.fit.module import TaskModule
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.models.nplm import NPLM
from cnnexp.statistics.kneser_ney import KneserNeyBigram
from cnnexp.tasks.language_model import LanguageModel
from cnnexp.training.learner import Learner
from tests.tasks import tiny
from tests.tasks.test_word_vectors import TEXTS, Texts, data


def task(samples: Any) -> LanguageModel:
    torch.manual_seed(0)
    told = samples.facts.input.told()
    net = NPLM(vocabulary=told["vocabulary"], occurrences=told["occurrences"], words=3, width=4, hidden=5, direct=False)
    return LanguageModel(tiny.parts(LanguageModel, net, facts=samples.facts, loss=CrossEntropy()))


def test_the_loss_is_of_every_word_given_those_before_it_and_of_no_padding() -> None:
    samples = data()
    made = task(samples)
    batch = made.prepare(samples.split("val").batch(range(4)), False)
    (term,) = made.step(batch, "val").terms
    nats = []
    for text in batch["tokens"].tolist():
        words = [word for word in text if word]
        for place, word in enumerate(words):
            before = [0, 0, *words][place : place + 2]
            logits = made.net.logits(torch.tensor([before]))  # type: ignore[operator]
            nats.append(functional.cross_entropy(logits, torch.tensor([word - 1])).item())
    assert int(term.count) == len(nats) == 5 + 7 + 3 + 7
    assert term.mean.item() == pytest.approx(np.mean(nats), rel=1e-5)


def after_a_test(made: LanguageModel, samples: Any, cuts: list[list[int]]) -> TaskModule:
    module = tiny.alone(TaskModule(made, Learner(made, tiny.recipe()))).eval()
    with torch.no_grad():
        for cut in cuts:
            module.test_step(samples.split("test").batch(cut), 0)
    module.on_test_epoch_end()
    return module


def test_perplexity_is_exp_of_the_mean_over_all_words_however_they_are_cut() -> None:
    samples = data()
    made = task(samples)
    module = after_a_test(made, samples, [[0], [1, 2, 3]])
    assert module.results["test/perplexity"] == pytest.approx(math.exp(module.results["test/loss"]))
    once = after_a_test(made, samples, [[0, 1, 2, 3]])
    assert once.results["test/perplexity"] == pytest.approx(module.results["test/perplexity"])
    rows = module.predictions
    assert rows["words"].tolist() == [5, 7, 3, 7]
    assert (rows["nats"] * rows["words"]).sum() / 22 == pytest.approx(module.results["test/loss"], rel=1e-5)


def test_bigrams_of_the_same_texts_and_words_stand_beside_it() -> None:
    samples = data(at_least=10)  # cat, a, saw, and are one unknown word
    made = task(samples)
    words = list(samples.facts.input.learnt()["words"])
    assert set(words) == {"the", "dog", "ran"}
    texts = [np.array([1 + words.index(w) if w in words else 0 for w in text.split()]) for text in TEXTS]
    expected = KneserNeyBigram(texts, 4).perplexity(texts)
    assert made.reference(samples) == {"bigram_perplexity": pytest.approx(expected)}


def test_what_nothing_is_left_for_has_no_bigrams_beside_it() -> None:
    samples = data(["a b a b", "a b a b"])
    made = task(samples)
    samples.replace_split("test", Texts(["b b"]).load("test"))
    assert made.reference(samples) == {}


def test_the_next_word_is_foretold_behind_the_end_of_each_text() -> None:
    samples = data()
    made = task(samples).eval()
    batch = made.prepare(Texts(["the dog ran", "a"]).load("train").batch([0, 1]), False)
    long, short = made.predict(batch)
    words = ["□", *samples.facts.input.learnt()["words"]]
    contexts = torch.tensor([[1 + words.index("dog"), 1 + words.index("ran")], [0, 1 + words.index("a")]])
    expected = made.net.logits(contexts).softmax(1).detach().numpy()  # type: ignore[operator]
    assert np.allclose([long, short], expected, atol=1e-6)
    told = made.answer.as_json(long, None)  # type: ignore[arg-type]
    assert told["label"] == words[int(expected[0].argmax())] and len(told["top"]) == 5
    assert made.answer.sheets([], [], {}) == {}
