"""Words with several values, such as ``model=a,b model.kernel=3,5``: the nets that they come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from cnnexp.errors import InputError

MOST_NETS = 12
"""So many can still be compared in a table."""


def combinations(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    """The words for each net: every combination of the values, the first key's changing last.

    A comma stands between values as in a sweep; within brackets, braces or quotes it belongs to the value. The nets of
    several ``model=`` words come one after another, and the net stands at the end of the words.

    Returns:
        For each net its words, and the values of those keys that have several, but for ``model``.

    Raises:
        InputError: there is nothing between two commas, or there would be more nets than can be compared.
    """
    models = [word for word in words if word.startswith("model=")]
    nets = [name for word in models for name in _values(word)]
    if len(nets) == len(models):  # none has several
        models, nets = [], []
    others = [(word, _values(word)) for word in words if word not in models]
    fixed = [word for word, values in others if len(values) == 1]
    keys = [(word.partition("=")[0], values) for word, values in others if len(values) > 1]
    count = math.prod([max(1, len(nets)), *(len(values) for _, values in keys)])
    if count > MOST_NETS:
        raise InputError(
            f"{' '.join(word for word in words if len(_values(word)) > 1)}: these are {count} nets, and {MOST_NETS} at "
            "most are shown side by side; give fewer values"
        )
    found = []
    for name, *chosen in product(nets or [""], *(values for _, values in keys)):
        settings = {key: value for (key, _), value in zip(keys, chosen, strict=True)}
        texts = [*fixed, *(f"{key}={value}" for key, value in settings.items())]
        found.append(([*texts, f"model={name}"] if name else texts, settings))
    return found


def _values(word: str) -> list[str]:
    """The values of ``key=a,b``; one for a word without a comma between values.

    Raises:
        InputError: one of several is empty.
    """
    key, _, text = word.partition("=")
    values, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and not (quote or depth):
            values.append("")
        else:
            values[-1] += letter
    if len(values) > 1 and not all(value.strip() for value in values):
        example = "model=resnet20,resnet56" if key == "model" else f"{key}=A,B"
        raise InputError(f"{word}: expected values with a comma between them, such as {example}")
    return values
