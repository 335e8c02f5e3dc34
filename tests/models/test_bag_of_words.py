"""The bag of words: its vectors are scikit-learn's, its co-occurrences NumPy's, its vote one that is counted out."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.neighbors import KNeighborsClassifier

from cnnexp.data.base import TensorSplit
from cnnexp.inputs.tokens import Tokens
from cnnexp.inputs.words import bytes_of, words_of
from cnnexp.models.bag_of_words import BagOfWords

TEXTS = ["What is it?", "Is it a cat or a dog?", "a cat, a cat, a cat!", "How many dogs are there", "the don't of it"]
ASKED = [*TEXTS, "a cat is what nobody knows", "unknown words alone"]
TOLD = ("vocabulary", "length", "texts", "found_in")
PATTERN = r"\w+(?:['’]\w+)*"


def numbered(texts: list[str], given: Tokens) -> torch.Tensor:
    split = TensorSplit({}, ragged={"text": [bytes_of(text) for text in texts]})
    preparation = given.preparation(None, (), seed=0, centred=True, channels_last=False)
    return preparation(split.batch(range(len(texts))), False, 0)["tokens"]


@pytest.mark.parametrize(("vectors", "made"), [("counts", CountVectorizer), ("tf_idf", TfidfVectorizer)])
def test_vectors_are_those_of_scikit_learn(vectors: str, made: type) -> None:
    split = TensorSplit({}, ragged={"text": [bytes_of(text) for text in TEXTS]})
    given = Tokens(vocabulary_size=100, length=20).learn(split, np.arange(len(TEXTS)))
    net = BagOfWords(num_classes=2, vectors=vectors, **{key: given.told()[key] for key in TOLD})
    reference = made(token_pattern=PATTERN, vocabulary=list(given.words or ()))
    reference.fit(TEXTS)
    expected = reference.transform(ASKED).toarray()
    assert expected.shape == (7, len(given.words or ())) and expected[:6].any(1).all() and not expected[6].any()
    np.testing.assert_allclose(net.features(numbered(ASKED, given)).numpy(), expected, rtol=1e-6)


def test_it_is_linear_in_the_counts() -> None:
    net = BagOfWords(vocabulary=5, num_classes=3, length=5, texts=None, found_in=None, vectors="counts")
    with torch.no_grad():
        net.linear.weight.copy_(torch.arange(9.0).view(3, 3))
        net.linear.bias.zero_()
    # words 2, 2 and 4: counts (2, 0, 1); 1 is unknown, 0 padding
    assert net(torch.tensor([[2, 4, 1, 2, 0]])).tolist() == [[2.0, 11.0, 20.0]]


def learnt_from(texts: list[str], **options: Any) -> tuple[BagOfWords, Tokens]:
    split = TensorSplit({}, ragged={"text": [bytes_of(text) for text in texts]})
    given = Tokens(vocabulary_size=100, length=20).learn(split, np.arange(len(texts)))
    net = BagOfWords(num_classes=2, **options, **{key: given.told()[key] for key in TOLD})
    net.remember((numbered([text], given), torch.tensor([place % 2])) for place, text in enumerate(texts))
    return net, given


def test_words_are_told_by_what_they_stand_near() -> None:
    net, given = learnt_from(TEXTS, vectors="cooccurrence", contexts=4, window=2)
    words = list(given.words or ())
    near = np.zeros((len(words), len(words)))
    for text in TEXTS:
        places = [words.index(word) for word in words_of(text)]
        for one, other in itertools.product(range(len(places)), repeat=2):
            if 0 < abs(one - other) <= 2:
                near[places[one], places[other]] += 1 / abs(one - other)
    with np.errstate(divide="ignore"):
        chance = np.outer(near.sum(1), near.sum(0)) / near.sum()
        information = np.maximum(0, np.log(near / chance))[:, :4]
    length = np.linalg.norm(information, axis=1, keepdims=True)
    expected = np.divide(information, length, out=np.zeros_like(information), where=length > 0)
    np.testing.assert_allclose(net.vector_of_word.numpy(), expected, atol=1e-6)

    weights = net.weight_of_word.numpy()
    mean = sum(weights[words.index(word)] * expected[words.index(word)] for word in ("what", "is", "it"))
    features = net.features(numbered(["What is it?"], given))[0].numpy()
    np.testing.assert_allclose(features, mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize("vectors", ["tf_idf", "counts", "cooccurrence"])
def test_the_nearest_texts_vote_as_scikit_learns_do(vectors: str) -> None:
    net, given = learnt_from(TEXTS, vectors=vectors, classifier="knn", neighbours=3)
    with torch.no_grad():
        net.nearest.sharpness.fill_(0.0)  # type: ignore[union-attr]
    several = [*TEXTS[:3], ASKED[5]]  # of the others many lie equally far
    known, asked = (net.features(numbered(texts, given)).numpy() for texts in (TEXTS, several))
    reference = KNeighborsClassifier(3, metric="cosine").fit(known, [0, 1, 0, 1, 0])
    found = net.eval()(numbered(several, given)).softmax(1).detach().numpy()
    np.testing.assert_allclose(found, reference.predict_proba(asked), atol=1e-3)


def test_in_training_a_text_and_its_copies_have_no_vote_on_it() -> None:
    net, given = learnt_from(["a cat", "a dog", "a cat", "the dog"], classifier="knn", neighbours=1)
    asked = numbered(["a cat"], given)
    assert net.eval()(asked).argmax() == 0
    assert net.train()(asked).argmax() == 1, "the nearest other one is a dog"
    net(asked).logsumexp(1).sum().backward()
    assert net.nearest is not None and net.nearest.sharpness.grad is not None


def test_what_it_remembers_is_kept_with_the_weights() -> None:
    net, given = learnt_from(TEXTS, vectors="cooccurrence", classifier="knn")
    other = BagOfWords(
        num_classes=2, vectors="cooccurrence", classifier="knn", **{key: given.told()[key] for key in TOLD}
    )
    asked = numbered(ASKED, given)
    before = other.eval()(asked)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(asked), net.eval()(asked)) and not torch.equal(other(asked), before)
