"""Answers that are files themselves, such as the mask of a volume: written beside their drawings, or alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.answers.base import Answer


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


def refuse_file(file: Path | None, answer: Answer, sources: Sequence[Path]) -> None:
    """A file has room for one answer, of a form that is written, and is not the file that is asked about.

    Raises:
        InputError: in one line.
    """
    if file is None:
        return
    if len(sources) != 1:
        raise InputError(f"--out {file}: has room for one answer, and there are {len(sources)}; name a folder")
    if file.exists() and file.samefile(sources[0]):
        raise InputError(f"--out {file}: is the file that is asked about; name another one")
    if type(answer).saved is _not_saved():
        raise InputError(f"--out {file}: what this net answers is drawn and told, not written so; name a folder")


def saved(answer: Answer, prediction: Any, source: Path, folder: Path | None, file: Path | None) -> dict[str, str]:
    """Write an answer, where it has such a form: to the file, or into the folder as NAME-mask in the source's format.

    Returns:
        The entry for the answer's row.

    Raises:
        InputError: it cannot be written in the file's format; there is no room.
    """
    from cnnexp.inputs.volume_files import stem_of, suffix_of

    if folder is not None and suffix_of(source) is not None:
        file = folder / f"{stem_of(source)}-mask{suffix_of(source)}"
    content = None if file is None else answer.saved(prediction, file, source)
    if file is None or content is None:
        return {}
    from cnnexp.commands.files import writing
    from cnnexp.runs.atomic import replacing

    with writing("out", file), replacing(file) as temporary:
        temporary.write_bytes(content)
    return {"saved": str(file)}


def _not_saved() -> Any:
    from cnnexp.answers.base import Answer

    return Answer.saved
