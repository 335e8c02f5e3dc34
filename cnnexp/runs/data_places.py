"""Folders of the user's that a configuration names: where they are for a run that is opened again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnexp.errors import InputError
from cnnexp.runs.data_record import DataRecord, place_of

PLACES = ("root", "file")
"""Keys of ``data`` that name a folder or a file of the user's."""
MOVABLE = (*(f"data.{key}" for key in PLACES), "data.mirror")
"""Keys that may be given anew to a run that is opened again: where the data is now, and not which."""


def located(
    config: dict[str, Any], record: DataRecord | None, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """The configuration of a recorded run with its data's places as they can be found now.

    A place is looked for as it was written, from the working directory; then where it was; then as seen from the run's
    folder, with which it may have been moved.

    Args:
        record: of the run's data; None for a run of an earlier version. folder: the run's.
        say: told where it was found when it is another folder than the run had.

    Raises:
        InputError: it is nowhere; the line says what to give.
    """
    data = dict(config["data"])
    for key in PLACES:
        written = data.get(key)
        if isinstance(written, str):
            known = {} if record is None else record.places.get(key, {})
            data[key] = _found(f"data.{key}", written, known, folder, say)
    return {**config, "data": data}


def places_of(written: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> dict[str, dict[str, str]]:
    """The places of a run's data, for its record.

    Args:
        written: the configuration as frozen. now: with the places as they were found. folder: the run's.
    """
    found = {}
    for key in PLACES:
        text, path = written["data"].get(key), now["data"].get(key)
        if isinstance(text, str) and isinstance(path, str) and Path(path).expanduser().exists():
            found[key] = place_of(Path(path), text, folder)
    return found


def anchored(config: dict[str, Any], begun: Path) -> dict[str, Any]:
    """The configuration with relative places of its data as absolute ones: seen from the folder that a command was
    given in, or from this one where there is no such place.

    A place that is in neither stays as it is written, such as a file that is named within ``data.root``.
    """
    data = dict(config["data"])
    for key in PLACES:
        written = data.get(key)
        if isinstance(written, str):
            path = Path(written).expanduser()
            there = (one for one in (begun / path, path.absolute()) if one.exists())
            data[key] = next((str(one) for one in there), written)
    return {**config, "data": data}


def place_words(config: Mapping[str, Any]) -> list[str]:
    """The places of the data as one writes them on a command line."""
    return [f"data.{key}={written}" for key in PLACES if (written := config["data"].get(key))]


def moved(config: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with places given anew.

    Args:
        values: by dotted key, of ``MOVABLE``.

    Raises:
        InputError: this data set has no such key.
    """
    if not values:
        return config
    missing = [key for key in values if key.removeprefix("data.") not in config["data"]]
    if missing:
        raise InputError(*(f"{key}: data={config['choices']['data']} reads no such place" for key in missing))
    return {**config, "data": {**config["data"], **{key.removeprefix("data."): one for key, one in values.items()}}}


def _found(key: str, written: str, known: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> str:
    here = Path(written).expanduser()
    if known.get("written") != written:  # given anew, or a run of an earlier version
        if not here.exists() and key == "data.root":
            raise InputError(f"{key}={written}: no such folder; say where the data is now: {key}=FOLDER")
        return written
    before = Path(known["absolute"])
    beside = (folder / known["from_run"]).resolve()
    for path, text in ((here, written), (before, str(before)), (beside, str(beside))):
        if path.exists():
            if path.absolute() != before:
                say(f"{key}={written} is {path.absolute()}; when the run began it was {before}")
            return text
    kind = "folder" if key == "data.root" else "file"
    raise InputError(
        f"{key}={written}: no such {kind} here, and none where it was ({before}); say where the data is now: "
        f"{key}={kind.upper()}"
    )
