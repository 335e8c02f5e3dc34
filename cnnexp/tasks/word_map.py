"""The vectors of a net's words in the plane, drawn at the end of a test."""

from __future__ import annotations

from typing import Any

from torch import nn

from cnnexp.answers.near_words import word_map
from cnnexp.data.facts import Facts
from cnnexp.inputs.tokens import FIRST_WORD, Tokens
from cnnexp.models.word_tables import word_vectors

MOST = 160


def map_of_words(net: nn.Module, facts: Facts, count: int = MOST) -> dict[str, Any]:
    """A picture of frequent words by name; nothing where there are too few to draw."""
    given = facts.input
    if not isinstance(given, Tokens):
        return {}
    places, words = telling(given, count), given.words or ()
    rows = word_vectors(net)[[place + FIRST_WORD for place in places]].float().cpu().numpy()
    image = word_map(rows, [words[place] for place in places])
    return {} if image is None else {"word_map": image}


def telling(given: Tokens, count: int) -> list[int]:
    """Places of the most frequent words among those that less than half of the training texts have: articles and
    prepositions, which all have, would fill the picture."""
    found, texts = given.found_in or (), given.texts or 0
    return [place for place, in_texts in enumerate(found) if 2 * in_texts < texts][:count]
