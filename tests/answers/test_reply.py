from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.answers.reply import MOST_KINDS, OTHER, Reply
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.words import bytes_of


def asked(*texts: str) -> TensorSplit:
    label = torch.zeros(len(texts), dtype=torch.int64)
    return TensorSplit({"label": label}, ragged={"question.text": [bytes_of(text) for text in texts]})


def test_kinds_are_the_words_that_most_questions_begin_with() -> None:
    split = asked(*["How many cats?"] * 3, *["Is there a dog"] * 120, *["how many dogs"] * 2, "Why", "what is it")
    known = Reply(("no", "yes")).learn(split, np.arange(125))
    assert known.kinds == ("is there", "how many", OTHER), "and one question in 125 makes no kind"
    kinds = known.kinds_of(split.batch([0, 5, 125, 126]))
    assert kinds.tolist() == [1, 0, 2, 2]
    assert known.learnt() == {"kinds": ["is there", "how many", OTHER]}
    assert Reply(("no", "yes")).with_learnt(known.learnt()).kinds == known.kinds


def test_only_so_many_kinds_are_told_apart() -> None:
    split = asked(*(f"{letter} x" for letter in "abcdefghijklmnopqrst"))
    known = Reply(("no", "yes")).learn(split, np.arange(20))
    assert known.kinds == (*(f"{letter} x" for letter in "abcdefghijkl"), OTHER) and len(known.kinds) == MOST_KINDS + 1


@pytest.mark.parametrize(
    "content", [{}, {"kinds": []}, {"kinds": ["a"]}, {"kinds": ["a", "a", OTHER]}, {"kinds": [1, OTHER]}]
)
def test_what_it_did_not_write_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"input\.json: expected kinds"):
        Reply(("no", "yes")).with_learnt(content)
