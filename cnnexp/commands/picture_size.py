"""The size of a picture as slides (HxWxC) or torch (CxHxW) write it: which number is the channels."""

from __future__ import annotations

import re
from typing import Literal

from cnnexp.errors import InputError

Order = Literal["chw", "hwc"]
MOST_USUAL_CHANNELS = 4
"""Grey, grey with transparency, colour, colour with transparency: more are maps of a layer."""
_WORDS = {"chw": "channels x height x width", "hwc": "height x width x channels"}


def numbers_of(text: str) -> tuple[int, ...] | None:
    """The numbers of ``3x224x224``, without the order that may stand behind a colon; None for what is no size."""
    parts = re.split("[xX×]", _split(text)[0])
    return tuple(map(int, parts)) if all(part.isdecimal() and int(part) for part in parts) else None


def has_order(text: str) -> bool:
    """Whether the order is said: ``3x3x256:hwc``."""
    return _split(text)[1] is not None


def order_of(text: str, usual: Order) -> Order:
    """How the three numbers of a size are to be read.

    Channels are the odd one out beside two equal sides, or a number of at most 4 beside larger ones; what speaks for
    either counts alike. In a cube it makes no difference. Where as much speaks for one as for the other, the usual
    order holds if its sides are equal (``3x3x512`` are maps of a layer), and otherwise nobody can say.

    Args:
        text: such as ``3x224x224``, ``224x224x3`` or, with the order said, ``3x3x256:hwc``. usual: of the command.

    Raises:
        InputError: nobody can say; the line has both readings.
    """
    size, said = _split(text)
    if said is not None:
        return said
    first, middle, last = numbers_of(size) or (0, 0, 0)
    scores = {"chw": (middle == last) + (first <= MOST_USUAL_CHANNELS)}
    scores["hwc"] = (first == middle) + (last <= MOST_USUAL_CHANNELS)
    if scores["chw"] != scores["hwc"]:
        return "chw" if scores["chw"] > scores["hwc"] else "hwc"
    if {"chw": middle == last, "hwc": first == middle}[usual]:
        return usual
    return _refuse(text, first, middle, last)


def channels_first(text: str) -> tuple[tuple[int, ...], str | None]:
    """Channels, height, width, and a line where the text had them in the other order.

    Raises:
        InputError: nobody can say which number is the channels.
    """
    first, middle, last = numbers_of(text) or (0, 0, 0)
    if order_of(text, "chw") == "chw":
        return (first, middle, last), None
    return (last, first, middle), _told(text, "hwc", last, first, middle)


def channels_last(text: str) -> tuple[tuple[int, ...], str | None]:
    """Height, width, channels, and a line where the text had them in the other order.

    Raises:
        InputError: nobody can say which number is the channels.
    """
    first, middle, last = numbers_of(text) or (0, 0, 0)
    if order_of(text, "hwc") == "hwc":
        return (first, middle, last), None
    return (middle, last, first), _told(text, "chw", first, middle, last)


def _split(text: str) -> tuple[str, Order | None]:
    size, colon, order = text.partition(":")
    match order.lower():
        case "chw":
            return size, "chw"
        case "hwc":
            return size, "hwc"
    return (text if colon else size), None


def _told(text: str, order: Order, channels: int, height: int, width: int) -> str | None:
    """Nothing where the user said the order."""
    if has_order(text):
        return None
    return f"--input {text}: read as {_WORDS[order]}, {_picture(channels, height, width)}"


def _picture(channels: int, height: int, width: int) -> str:
    return f"{channels} channel{'s' if channels > 1 else ''} of {height}x{width} pixels"


def _refuse(text: str, first: int, middle: int, last: int) -> Order:
    raise InputError(
        f"--input {text}: may be {_picture(first, middle, last)}, or {_picture(last, first, middle)}; "
        f"say which with --input {text}:chw or --input {text}:hwc"
    )
