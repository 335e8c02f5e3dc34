"""What a net is asked about: a run or a net with weights of its own, and files with samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.config.options import (
    PICTURES,
    config_folders,
    data_with,
    input_of_model,
    option_files,
    task_of_model,
    tasks,
)
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.averaging.words import Choice
    from cnnexp.inputs.base import Input
    from cnnexp.tasks.base import Task

USUAL_TARGET = "label"
EMBEDDED = "digit_scenes"
"""Data for detectors and segmenters that needs no download."""
DATA = ("data=", "dataset=", "data.", "dataset.")


def settings_and_files(given: Sequence[str], example: str) -> tuple[list[str], list[str]]:
    """Settings and files: where the first word is a setting, a net with weights of its own stands in place of a run.

    Args:
        given: the words. example: a command line without a run, for the errors.

    Raises:
        InputError: a setting that is neither the net's nor the data's.
    """
    if "=" not in given[0] or Path(given[0]).exists():
        return [], list(given[1:])
    words = [word for word in given if "=" in word and not Path(word).exists()]
    files = [word for word in given if word not in words]
    wrong = [word for word in words if not word.lstrip("+").startswith(("model=", "model.", *DATA))]
    if wrong:
        raise InputError(
            f"{wrong[0]}: without a run only model=…, model.…, and data=… where the weights are of nobody's library, "
            f"are taken, as in: {example}"
        )
    return words, files


def views_named(given: Sequence[str]) -> tuple[Choice, list[str]]:
    """The views that words such as ``tta=flip`` ask for, and the other words.

    Raises:
        InputError: a line for each mistake.
    """
    from cnnexp.averaging.words import read_choice
    from cnnexp.config.overrides import read_words

    about = [text for text in given if text.startswith(("tta=", "tta.")) and not Path(text).exists()]
    return read_choice(read_words(about))[0], [text for text in given if text not in about]


def names_data(words: Sequence[str]) -> bool:
    """Whether one of the settings is about data."""
    return any(word.lstrip("+").startswith(DATA) for word in words)


def net_named(words: Sequence[str], own_folders: Sequence[str] = ()) -> Path | None:
    """The file of the net that the words name; None where they name none, or one that there is not."""
    named = [word.split("=", 1)[1] for word in words if word.startswith("model=")]
    return option_files("model", config_folders(own_folders)).get(named[-1]) if named else None


def suitable_data(words: Sequence[str], own_folders: Sequence[str] = ()) -> list[str]:
    """Data that suits the net that the words name, where the usual data does not; as words to add."""
    path, folders = net_named(words, own_folders), config_folders(own_folders)
    if path is None:
        return []
    kind, task = input_of_model(path) or PICTURES, tasks(folders).get(task_of_model(path) or "", {})
    target = task.get("target") or USUAL_TARGET
    if kind == PICTURES and target == USUAL_TARGET:
        return []
    fitting = data_with(target, folders, kind)
    return [f"data={EMBEDDED if EMBEDDED in fitting else fitting[0]}"] if fitting else []


def files_in(given: Sequence[str], of: Input) -> list[Path]:
    """Files as given, those in folders that such an input reads, and folders that are a sample themselves.

    Raises:
        InputError: a line for each that is not there.
    """
    found: list[Path] = []
    missing = []
    for text in given:
        path = Path(text)
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in of.suffixes) if path.is_dir() else [path]
        if path.is_dir() and not inside and of.is_sample(path):
            inside = [path]
        if path.is_dir() and not inside:
            known = ", ".join(sorted(of.suffixes)) or "this net takes no files"
            missing.append(f"{text}: a folder without {of.noun}s ({known})")
        elif not path.exists():
            missing.append(f"{text}: there is no such file")
        found.extend(inside)
    if missing:
        raise InputError(*missing)
    return found


def refuse_own_size(task: Task, choice: Choice) -> None:
    """Refuse files at their own size where a net, or views, are of one size.

    Raises:
        InputError: they are.
    """
    if not task.answer.dense:
        raise InputError("--own-size: is for nets that answer for every pixel; this one takes samples of one size")
    if choice.name != "none":
        raise InputError(
            f"--own-size: tta={choice.name} looks at pictures of the size that the net learnt at; leave one"
        )
