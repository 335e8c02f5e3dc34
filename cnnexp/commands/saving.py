"""Answers that are files themselves, such as the mask of a volume: written beside their drawings, or alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnexp.errors import InputError


def folder_or_file(out: Path | None) -> tuple[Path | None, Path | None]:
    """What ``--out`` names: a folder to draw into, or a file that an answer is written to.

    Raises:
        InputError: the folder of the file is not there.
    """
    from cnnexp.inputs.volume_files import suffix_of

    if out is None or suffix_of(out) is None or out.is_dir():
        return out, None
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    return None, out


def refuse_file(file: Path | None, sources: Sequence[Path]) -> None:
    """A file has room for one answer, and is not the file that is asked about.

    Raises:
        InputError: in one line.
    """
    if file is None:
        return
    if len(sources) != 1:
        raise InputError(f"--out {file}: has room for one answer, and there are {len(sources)}; name a folder")
    if file.exists() and file.samefile(sources[0]):
        raise InputError(f"--out {file}: is the file that is asked about; name another one")


def saved(answer: Any, prediction: Any, source: Path, folder: Path | None, file: Path | None) -> dict[str, str]:
    """Write an answer, where it has such a form: to the file, or into the folder as NAME-mask in the source's format.

    Args:
        answer: the form of the prediction.

    Returns:
        The entry for the answer's row.

    Raises:
        InputError: it cannot be written in the file's format, or is of a form that is none; there is no room.
    """
    from cnnexp.inputs.volume_files import stem_of, suffix_of

    place = file
    if folder is not None and suffix_of(source) is not None:
        place = folder / f"{stem_of(source)}-mask{suffix_of(source)}"
    content = None if place is None else answer.saved(prediction, place, source)
    if content is None and file is not None:
        raise InputError(f"--out {file}: what this net answers is drawn and told, not written so; name a folder")
    if place is None or content is None:
        return {}
    from cnnexp.commands.files import writing
    from cnnexp.runs.atomic import replacing

    with writing("out", place), replacing(place) as temporary:
        temporary.write_bytes(content)
    return {"saved": str(place)}


def names_of(files: list[Path]) -> list[str]:
    """A file name for each drawn picture, none twice."""
    names: list[str] = []
    for path in files:
        stem = path.stem.removesuffix(".nii")
        name, number = f"{stem}.png", 2
        while name in names:
            name, number = f"{stem}-{number}.png", number + 1
        names.append(name)
    return names
