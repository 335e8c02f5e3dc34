"""What the values of a set of masks stand for, told by the values of all of them, or by the person."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.augmentation.motion import VOID
from cnnexp.data.mask_scan import Values
from cnnexp.data.mask_words import Said
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import Palette, distances

TWO_VALUED = 0.99
"""The part of the pixels that must lie near one of two values, for masks of two classes whose edges are soft."""
NEAR, APART = 1 / 3, 1 / 6
"""Parts of the way to the other value: an edge's shades are near to one; a region that is apart is another class."""
SAID = 0.9
"""The same, where the person has said which values there are."""
SURELY_NUMBERS = 16
"""So many values from 0 on without a gap are class numbers, whatever else they look like."""
MOST_NUMBERS = 200
"""More values without a gap are shades and no class numbers."""
MOST_LEVELS = 16
LEVEL_GAP = 16
"""Grey values that stand for classes of their own are at least so far apart, and so many at most."""
MOST_COLOURS = 64
_TWO = ("background", "foreground")
_BLACK, _WHITE = 0, 0xFFFFFF


@dataclass(frozen=True)
class Meaning:
    """Attributes:
    names: of the classes. table: the class of each of the 256 values that ``read_mask`` gives, VOID, or -1 = not
        allowed. palette: for coloured masks, the colours whose places those values are. line: to be said, or None.
    """

    names: tuple[str, ...]
    table: tuple[int, ...]
    palette: Palette | None = None
    line: str | None = None


@dataclass(frozen=True)
class Given:
    """Names that come from elsewhere. Attributes: names, and source: where they stand, as it begins an error."""

    names: tuple[str, ...]
    source: str
    of_folder: bool = False
    """Written for these masks (classes.txt), so that their number must be that of the values."""


def meaning_of(seen: Values, folder: Path, given: Given | None, said: Said | None, void: int | None) -> Meaning:
    """The meaning of the masks of a folder.

    Args:
        seen: the values of all masks. given: names of the classes. said: by ``data.mask_values``. void: a value that
            counts for nothing, by ``data.void``; for masks whose meaning is not said.

    Raises:
        InputError: it cannot be told, or what was said does not fit; the line has the histogram, and a key that works.
    """
    if said is not None:
        meaning = _as_said(seen, folder, said, given)
    else:
        known = seen.without(void)
        meaning = _colours(known, folder, void) if seen.coloured else _grey(known, folder, given, void)
    if len(meaning.names) < 2:
        raise InputError(f"{folder}: the masks hold one class only ({seen.histogram()}), so there is nothing to learn")
    if len(meaning.names) > VOID:
        raise InputError(f"{folder}: {len(meaning.names)} classes; masks may have up to {VOID}")
    return _named(meaning, seen, folder, given, said)


def _named(meaning: Meaning, seen: Values, folder: Path, given: Given | None, said: Said | None) -> Meaning:
    """With the names that were given, which must be as many."""
    if given is None or (said is not None and said.names is not None):
        return meaning
    if len(given.names) != len(meaning.names):
        raise InputError(
            f"{given.source}: names {len(given.names)} classes, and the masks hold {len(meaning.names)} "
            f"({seen.histogram()}); name as many, or say which value is which: {suggestion(seen, given.names)}"
        )
    if seen.coloured and said is None and given.of_folder and seen.present != [_BLACK, _WHITE]:
        raise InputError(
            f"{given.source}: names classes, and the masks are coloured ({seen.histogram()}): say which colour is "
            f"which: {suggestion(seen, given.names)}"
        )
    return Meaning(given.names, meaning.table, meaning.palette, meaning.line)


# --- what was said ----------------------------------------------------------------------------------------------------


def _as_said(seen: Values, folder: Path, said: Said, given: Given | None) -> Meaning:
    listed = np.array([*said.classes, *said.void], np.int64)
    targets = (*said.classes.values(), *[VOID] * len(said.void))
    squares = _squares(seen, listed)
    other = squares.min(1) > 0
    soft = bool(other.any())
    if soft and not _is_soft(seen, listed, squares):
        values = [seen.shown(int(value)) for value in seen.values[other]]
        more = f" and {len(values) - 5} more" if len(values) > 5 else ""
        raise InputError(
            f"{folder}: the masks hold {', '.join(values[:5])}{more}, of which data.mask_values says nothing "
            f"({seen.histogram()}); add them, with null for what counts for nothing"
        )
    names = said.names or tuple(seen.shown(value) for value in said.classes)
    line = "the values between those of data.mask_values are each read as the nearest one" if soft else None
    if seen.coloured:
        return Meaning(names, (*targets, *[-1] * (256 - len(targets))), Palette(tuple(listed.tolist()), soft), line)
    table = np.full(256, -1)
    table[listed] = targets
    if soft:
        table = np.array(targets)[np.abs(np.arange(256)[:, None] - listed).argmin(1)]
    return Meaning(names, tuple(table.tolist()), None, line)


def _squares(seen: Values, listed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Squared distances of the values to those that are listed (N, M)."""
    return distances(seen.values, listed) if seen.coloured else (seen.values[:, None] - listed) ** 2


def _is_soft(seen: Values, listed: NDArray[np.int64], squares: NDArray[np.int64]) -> bool:
    """Whether the other values are only what JPEG or smoothing makes of the listed ones: nearly all close to one of
    them, and none that fills a region of its own."""
    if len(listed) < 2:
        return False
    between = distances(listed, listed) if seen.coloured else (listed[:, None] - listed) ** 2
    between[np.diag_indices(len(listed))] = between.max() + 1
    away = np.sqrt(squares.min(1) / between.min(1)[squares.argmin(1)])
    if seen.within(away <= NEAR) < SAID:
        return False
    few = (squares.min(1) > 0).sum() < 8
    return not (few and not seen.lossy) and (seen.coloured or not _fills(seen, away > APART))


def _fills(seen: Values, where: NDArray[np.bool_]) -> bool:
    """Whether some of these values fill regions, in ten thousandths of the pixels at least."""
    return bool(seen.inside[where].sum() > 1e-4 * seen.counts.sum())


# --- what the values tell ---------------------------------------------------------------------------------------------


def _grey(seen: Values, folder: Path, given: Given | None, void: int | None) -> Meaning:
    present = seen.present
    numbers = [value for value in present if value != VOID] if void is None else present
    stated = 0 if given is None or given.of_folder else len(given.names)
    counted = len(numbers) > 1 and numbers == list(range(len(numbers)))
    if counted and not seen.lossy and len(numbers) <= SURELY_NUMBERS:
        return _numbered(max(len(numbers), stated), VOID in present, void)
    if len(numbers) > 1 and not seen.lossy and max(numbers) < stated:
        return _numbered(stated, VOID in present, void)
    if len(present) == 2:
        return _divided(present[0], present[1], True, void)
    if (two := _two_values(seen)) is not None:
        return _divided(*two, False, void)
    if counted and not seen.lossy and len(numbers) <= MOST_NUMBERS:
        return _numbered(len(numbers), VOID in present, void)
    if not seen.lossy and _are_levels(seen):
        places = {value: place for place, value in enumerate(present)}
        names = tuple(str(value) for value in present)
        line = f"masks: {len(present)} classes by their grey values, in this order: {', '.join(names)}"
        return Meaning(names, _table(places, void), None, line)
    if len(present) < 2:
        return Meaning(tuple(map(str, present)), _table({}, void))
    raise InputError(
        f"{folder}: it cannot be told what the values of the masks stand for ({seen.histogram()}); say it: "
        f"{suggestion(seen, given.names if given else ())}"
    )


def _numbered(count: int, has_255: bool, void: int | None) -> Meaning:
    places = {value: value for value in range(count)}
    ignored = VOID if void is None else void
    line = f"masks: class numbers 0 to {count - 1}, and 255 is void" if has_255 and void is None else None
    return Meaning(tuple(map(str, places)), _table(places, ignored), None, line)


def _two_values(seen: Values) -> tuple[int, int] | None:
    """The two values that the masks were drawn with, where JPEG or smoothing has added others."""
    low, high = (int(seen.values[half][seen.counts[half].argmax()]) if half.any() else -1 for half in _halves(seen))
    if low < 0 or high - low < 64:
        return None
    away = np.minimum(np.abs(seen.values - low), np.abs(seen.values - high)) / (high - low)
    if len(seen.values) < 4 or seen.within(away <= NEAR) < TWO_VALUED or _fills(seen, away > APART):
        return None
    return low, high


def _halves(seen: Values) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    middle = (int(seen.values[0]) + int(seen.values[-1])) / 2
    return seen.values <= middle, seen.values > middle


def _divided(low: int, high: int, clean: bool, void: int | None) -> Meaning:
    """Two classes: of two values alone, or on two sides of the middle between two values."""
    threshold = (low + high + 1) // 2
    table = [int(value >= threshold) for value in range(256)]
    if clean:
        table = [{low: 0, high: 1}.get(value, -1) for value in range(256)]
    if void is not None:
        table[void] = VOID
    how = f"{low} is background, {high} foreground"
    if not clean:
        how = f"two values with soft edges: below {threshold} is background, from {threshold} on foreground"
    return Meaning(_TWO, tuple(table), None, f"masks: {how}")


def _are_levels(seen: Values) -> bool:
    if not 2 < len(seen.values) <= MOST_LEVELS or np.diff(seen.values).min() < LEVEL_GAP:
        return False
    return len(seen.values) == 3 or bool((seen.inside > 0).all())


def _table(places: dict[int, int], void: int | None) -> tuple[int, ...]:
    return tuple(VOID if value == void else places.get(value, -1) for value in range(256))


def _colours(seen: Values, folder: Path, void: int | None) -> Meaning:
    present = seen.present
    if seen.lossy or len(present) > MOST_COLOURS:
        raise InputError(
            f"{folder}: coloured masks whose colours were changed by JPEG or smoothing ({seen.histogram()}); say which "
            f"there are, and each pixel is read as the nearest: {suggestion(seen, ())}"
        )
    names = _TWO if present == [_BLACK, _WHITE] else tuple(seen.shown(value) for value in present)
    colours = (*present, *([] if void is None else [void]))
    table = (*range(len(present)), *([] if void is None else [VOID]))
    line = f"masks: {len(present)} classes by their colours, in this order: {', '.join(map(seen.shown, present))}"
    return Meaning(names, (*table, *[-1] * (256 - len(table))), Palette(colours), line)


def suggestion(seen: Values, names: Sequence[str]) -> str:
    """The word that sets ``data.mask_values`` to the main values, as a shell takes it."""
    main = _main_values(seen)
    if len(names) != len(main):
        names = ["background", *(f"class{number}" for number in range(1, len(main)))]
    pairs = [
        f"{_quoted(seen.shown(value)) if seen.coloured else value}: {_quoted(name)}"
        for value, name in zip(main, names, strict=True)
    ]
    return shlex.quote(f"data.mask_values={{{', '.join(pairs)}}}")


def _quoted(text: str) -> str:
    """In quotes, unless it is a plain word."""
    return (
        text
        if text.isidentifier() and text.lower() not in ("null", "true", "false")
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _main_values(seen: Values) -> list[int]:
    """All values of a few; of many those that most regions have, and that are no shades of one another."""
    if len(seen.values) <= 8 and not seen.lossy:
        return seen.present
    kept: list[int] = []
    least = 0.002 * seen.inside.sum()
    for place in np.argsort(-seen.inside, kind="stable"):
        value = seen.values[place : place + 1]
        near = _squares(Values(value, value, value, seen.coloured, False), np.array(kept or [-(1 << 30)], np.int64))
        far = near.min() >= (3 * 48**2 if seen.coloured else 32**2)
        if seen.inside[place] >= least and (far or not kept):
            kept.append(int(value[0]))
    return sorted(kept[:MOST_LEVELS])
