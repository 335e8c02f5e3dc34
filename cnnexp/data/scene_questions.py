"""Questions about scenes of coloured digits, and which scenes they are asked of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.coloured_scenes import COLOURS, NOTHING, ColouredScenes

ANSWERS = ("no", "yes", *map(str, range(10)), *COLOURS)
"""Of all questions: a digit's name, a number of digits and the figure for it are one answer."""
MARGIN_PX = 6
"""Two centres that lie nearer along an axis are neither left nor right, above nor below of each other."""
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SIDES = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
"""The axis, and the sign of what lies there."""
_FIRST_NUMBER, _FIRST_COLOUR = ANSWERS.index("0"), ANSWERS.index("red")
_MOST_ALIKE = 2
"""So many digits of a class, or of a colour, are counted; scenes with more are too rare to balance them."""
UNASKED = -1


@dataclass(frozen=True)
class Question:
    """One question, in one or several wordings.

    Attributes:
        texts: the wordings, of which the first two words say what kind of question it is.
        answers: for each scene the place of the answer in ``ANSWERS``, int64 (N,); ``UNASKED`` where there is none, or
            it would be a matter of opinion.
    """

    texts: tuple[str, ...]
    answers: NDArray[np.int64]

    @property
    def kind(self) -> str:
        """Its first two words."""
        return " ".join(self.texts[0].split()[:2])


def questions(scenes: ColouredScenes) -> Iterator[Question]:
    """All questions with their answers for these scenes."""
    yield from _existence(scenes)
    yield from _counts(scenes)
    yield from _attributes(scenes)
    yield from _neighbours(scenes)
    yield from _comparisons_of_colours(scenes)
    yield from _comparisons_of_digits(scenes)


def _existence(scenes: ColouredScenes) -> Iterator[Question]:
    for digit in range(10):
        yield Question(_worded("is there {a} {digit}", digit), _yes(_number(scenes, digit) > 0))
    for colour, name in enumerate(COLOURS):
        yield Question((f"is there a {name} digit",), _yes(_number(scenes, colour=colour) > 0))
    for (colour, name), digit in product(enumerate(COLOURS), range(10)):
        # half of the answer is always there, so that neither the digit nor the colour alone will do
        near = (_number(scenes, digit) > 0) | (_number(scenes, colour=colour) > 0)
        there = _yes(_number(scenes, digit, colour) > 0)
        yield Question(_worded(f"is there a {name} {{digit}}", digit), np.where(near, there, UNASKED))


def _counts(scenes: ColouredScenes) -> Iterator[Question]:
    for digit in range(10):
        yield Question(_worded("how many {digits}", digit), _counted(_number(scenes, digit), _MOST_ALIKE))
    for colour, name in enumerate(COLOURS):
        number = _number(scenes, colour=colour)
        yield Question((f"how many {name} digits",), _counted(number, _MOST_ALIKE))
    yield Question(("how many digits",), _counted(_number(scenes), scenes.digits.shape[1]))


def _attributes(scenes: ColouredScenes) -> Iterator[Question]:
    """The only digit, the colour of the only such digit, and which digit is the only one of a colour."""
    alone = _at(scenes.digits, _only(scenes.digits != NOTHING))
    yield Question(("what digit is there",), _from(alone, _FIRST_NUMBER))
    for digit in range(10):
        colour = _at(scenes.colours, _only(scenes.digits == digit))
        yield Question(_worded("what colour is the {digit}", digit), _from(colour, _FIRST_COLOUR))
    for number, name in enumerate(COLOURS):
        digits = _at(scenes.digits, _only(scenes.colours == number))
        yield Question((f"which digit is {name}",), _from(digits, _FIRST_NUMBER))


def _neighbours(scenes: ColouredScenes) -> Iterator[Question]:
    """The one digit on a side of the only such digit; not asked where another one lies hardly on that side."""
    for digit, (side, (axis, sign)) in product(range(10), _SIDES.items()):
        only = _only(scenes.digits == digit)
        own = _at(scenes.centres[..., axis], only)
        away = sign * (scenes.centres[..., axis] - own[:, None])
        others = (scenes.digits != NOTHING) & (np.arange(scenes.digits.shape[1]) != only[:, None])
        unclear = (others & (away > 0) & (away < MARGIN_PX)).any(1) | (only == NOTHING)
        found = _at(scenes.digits, np.where(unclear, NOTHING, _only(others & (away >= MARGIN_PX))))
        one = _WORDS[digit] if (digit + axis) % 2 else str(digit)
        yield Question((f"what is {side} the {one}",), _from(found, _FIRST_NUMBER))


def _comparisons_of_colours(scenes: ColouredScenes) -> Iterator[Question]:
    for (first, name), (second, other) in permutations(enumerate(COLOURS), 2):
        own, others = _number(scenes, colour=first), _number(scenes, colour=second)
        answers = np.where(own + others > 0, _yes(own > others), UNASKED)
        yield Question((f"are there more {name} than {other} digits",), answers)


def _comparisons_of_digits(scenes: ColouredScenes) -> Iterator[Question]:
    """Of two digits that are the only such ones: where they lie, and their colours."""
    only = [_only(scenes.digits == digit) for digit in range(10)]
    pairs = [(a, b) if (a + b) % 2 else (b, a) for a, b in combinations(range(10), 2)]
    for (first, second), (side, (axis, sign)) in product(pairs, _SIDES.items()):
        own, other = (_at(scenes.centres[..., axis], only[digit]) for digit in (first, second))
        clear = (np.minimum(only[first], only[second]) != NOTHING) & (np.abs(own - other) >= MARGIN_PX)
        answers = np.where(clear, _yes(sign * (own - other) > 0), UNASKED)
        yield Question((f"is the {_word(first, second)} {side} the {_word(second, first)}",), answers)
    for first, second in pairs:
        own, other = (_at(scenes.colours, only[digit]) for digit in (first, second))
        both = np.minimum(only[first], only[second]) != NOTHING
        answers = np.where(both, _yes(own == other), UNASKED)
        yield Question((f"are the {_word(first, second)} and the {_word(second, first)} of one colour",), answers)


def _worded(pattern: str, digit: int) -> tuple[str, str]:
    """A question with the digit as a word and as a figure."""
    article, plural = "an" if digit == 8 else "a", "es" if digit == 6 else "s"
    word, figure = _WORDS[digit], str(digit)
    return (
        pattern.format(a=article, digit=word, digits=f"{word}{plural}"),
        pattern.format(a=article, digit=figure, digits=f"{figure}s"),
    )


def _word(digit: int, beside: int) -> str:
    """As a word or as a figure, so that over all pairs both are met in both places."""
    return _WORDS[digit] if (digit + 2 * beside) % 3 else str(digit)


def _number(scenes: ColouredScenes, digit: int | None = None, colour: int | None = None) -> NDArray[np.int64]:
    """How many digits there are, of a class, of a colour, or of both, (N,)."""
    found = scenes.digits != NOTHING if digit is None else scenes.digits == digit
    return (found if colour is None else found & (scenes.colours == colour)).sum(1)


def _only(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place in each row of the only true one, (N,); ``NOTHING`` where there are none or several."""
    return np.where(found.sum(1) == 1, found.argmax(1), NOTHING)


def _at(values: NDArray[Any], places: NDArray[np.int64]) -> NDArray[Any]:
    """The value at a place of each row, (N,); where the place is ``NOTHING``, that too."""
    picked = np.take_along_axis(values, places.clip(min=0)[:, None], 1)[:, 0]
    return np.where(places == NOTHING, np.asarray(NOTHING, values.dtype), picked)


def _yes(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(true, ANSWERS.index("yes"), ANSWERS.index("no"))


def _counted(number: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return np.where(number <= most, _FIRST_NUMBER + number, UNASKED)


def _from(values: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    return np.where(values == NOTHING, UNASKED, first + values)
