"""What ``data.mask_values`` and ``data.void`` say: which values of masks, grey or colours, stand for which class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import ImageColor

from cnnexp.errors import InputError

EXAMPLES = '{0: background, 255: cell}, {black: background, "#ff0000": car} or [[0,0,0],[255,0,0]]'


@dataclass(frozen=True)
class Said:
    """Attributes:
    classes: the class of each value, grey or 0xRRGGBB where ``coloured``. names: of the classes, where they are given.
    void: the values that count for nothing.
    """

    classes: Mapping[int, int]
    names: tuple[str, ...] | None
    void: tuple[int, ...]
    coloured: bool


def read_mask_values(given: Any, void: Any) -> Said | None:
    """Read both keys; None where neither says which classes there are.

    Args:
        given: a mapping from values to names (a name that is null is void), or a list of values in the order of the
            classes. A value is a number from 0 to 255, or a colour: a name, ``#rrggbb`` or three numbers.

    Raises:
        InputError: a value is none, or is there twice.
    """
    if given is None:
        return None
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence) and not isinstance(given, str):
        pairs = [(value, str(place)) for place, value in enumerate(given)]
    else:
        raise InputError(f"data.mask_values={given}: expected values with their classes, as {EXAMPLES}")
    coloured = is_colour(void) or any(is_colour(value) for value, _ in pairs)
    names: list[str] = []
    classes: dict[int, int] = {}
    nothing = [] if void is None else [value_of(void, coloured, "data.void")]
    for word, name in pairs:
        value = value_of(word, coloured, "data.mask_values")
        if value in classes or value in nothing:
            raise InputError(f"data.mask_values: {word} is there twice, or void as well; each value once")
        if name is None:
            nothing.append(value)
            continue
        if str(name) not in names:
            names.append(str(name))
        classes[value] = names.index(str(name))
    named = tuple(names) if isinstance(given, Mapping) else None
    return Said(classes, named, tuple(nothing), coloured)


def is_colour(word: Any) -> bool:
    """Whether a value is a colour, and no grey value."""
    return (isinstance(word, str) and not word.strip().isdecimal()) or isinstance(word, (list, tuple))


def value_of(word: Any, coloured: bool, key: str) -> int:
    """A value as a number: grey, or 0xRRGGBB in a set of colours, where 7 is the grey #070707.

    Raises:
        InputError: it is neither.
    """
    if is_colour(word):
        return _colour(word, key)
    if isinstance(word, bool) or not str(word).strip().isdecimal() or not 0 <= int(word) <= 255:
        raise InputError(f"{key}: {word} is no value of a pixel: a number from 0 to 255, or a colour as in {EXAMPLES}")
    return int(word) * 0x010101 if coloured else int(word)


def _colour(word: Any, key: str) -> int:
    parts = word.split(",") if isinstance(word, str) and "," in word and "(" not in word else word
    try:
        if isinstance(parts, str):
            red, green, blue = ImageColor.getrgb(parts.strip())[:3]
        else:
            red, green, blue = (int(part) for part in parts)
        if not all(0 <= part <= 255 for part in (red, green, blue)):
            raise ValueError
    except (ValueError, TypeError):
        shown = word if isinstance(word, str) else f"[{','.join(map(str, word))}]"
        raise InputError(
            f'{key}: {shown} is no colour: a name (black, red), "#rrggbb" or three numbers from 0 to 255'
        ) from None
    return (red << 16) | (green << 8) | blue
