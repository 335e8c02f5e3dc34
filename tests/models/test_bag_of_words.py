from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from cnnexp.data.base import TensorSplit
from cnnexp.inputs.tokens import Tokens
from cnnexp.inputs.words import bytes_of
from cnnexp.models.bag_of_words import BagOfWords

TEXTS = ["What is it?", "Is it a cat or a dog?", "a cat, a cat, a cat!", "How many dogs are there", "the don't of it"]
ASKED = [*TEXTS, "a cat is what nobody knows", "unknown words alone"]
PATTERN = r"\w+(?:['’]\w+)*"


def numbered(texts: list[str], given: Tokens) -> torch.Tensor:
    split = TensorSplit({}, ragged={"text": [bytes_of(text) for text in texts]})
    preparation = given.preparation(None, (), seed=0, centred=True, channels_last=False)
    return preparation(split.batch(range(len(texts))), False, 0)["tokens"]


@pytest.mark.parametrize(("vectors", "made"), [("counts", CountVectorizer), ("tf_idf", TfidfVectorizer)])
def test_vectors_are_those_of_scikit_learn(vectors: str, made: type) -> None:
    split = TensorSplit({}, ragged={"text": [bytes_of(text) for text in TEXTS]})
    given = Tokens(vocabulary_size=100, length=20).learn(split, np.arange(len(TEXTS)))
    told = {key: value for key, value in given.told().items() if key != "length"}
    net = BagOfWords(num_classes=2, vectors=vectors, **told)
    reference = made(token_pattern=PATTERN, vocabulary=list(given.words or ()))
    reference.fit(TEXTS)
    expected = reference.transform(ASKED).toarray()
    assert expected.shape == (7, len(given.words or ())) and expected[:6].any(1).all() and not expected[6].any()
    np.testing.assert_allclose(net.features(numbered(ASKED, given)).numpy(), expected, rtol=1e-6)


def test_it_is_linear_in_the_counts() -> None:
    net = BagOfWords(vocabulary=5, num_classes=3, texts=None, found_in=None, vectors="counts")
    with torch.no_grad():
        net.linear.weight.copy_(torch.arange(9.0).view(3, 3))
        net.linear.bias.zero_()
    # words 2, 2 and 4: counts (2, 0, 1); 1 is unknown, 0 padding
    assert net(torch.tensor([[2, 4, 1, 2, 0]])).tolist() == [[2.0, 11.0, 20.0]]
