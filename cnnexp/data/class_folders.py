"""Folders of files, a folder per class: ``train/CLASS/FILE`` and so on, or ``CLASS/FILE`` alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from cnnexp.data.base import SplitName
from cnnexp.data.census import Census
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import class_folders, split_folders, subfolders
from cnnexp.data.own_folder import UNREADABLE
from cnnexp.data.samples import THREADS, Sample
from cnnexp.errors import InputError

log = logging.getLogger(__name__)


def folders_of_splits(folder: Path, classes: Sequence[str] | None) -> dict[SplitName, Path]:
    """The folder that holds the class folders, for each split that there is; folders called train or test are classes
    where ``classes`` names them.

    Raises:
        InputError: there are splits, and train is none of them.
    """
    found = split_folders(folder)
    if not found or (classes is not None and {one.name for one in found.values()} <= set(classes)):
        return {"train": folder}
    if "train" not in found:
        raise InputError(f"{folder}: holds {', '.join(p.name for p in found.values())} but no train")
    return found


def class_names_in(folder: Path, kind: str) -> tuple[str, ...]:
    """The names of the class folders, in alphabetical order.

    Args:
        kind: what lies in them, for the error.

    Raises:
        InputError: there are none; or as for ``class_folders``.
    """
    names = tuple(one.name for one in class_folders(folder))
    if not names:
        raise InputError(f"{folder}: holds no folders; expected one folder of {kind} per class")
    return names


def labelled(
    folders: Mapping[SplitName, Path],
    names: Sequence[str],
    files_in: Callable[[Path], Sequence[Path]],
    *,
    root: Path,
    refuses: bool,
    kind: str,
    expected: str,
) -> dict[SplitName, list[Sample]]:
    """The samples of each split, with the number of their class.

    Args:
        folders: as ``folders_of_splits`` has them. names: of the classes. files_in: the samples of a class folder.
        root: what the samples' names are relative to. refuses: whether a folder of another name is a mistake, or
            without a label.
        kind: what samples are called. expected: a file in its class folder, with the suffixes that are read.

    Raises:
        InputError: a split has no sample, or a class none to train with.
    """
    numbers = {name: number for number, name in enumerate(names)}
    found: dict[SplitName, list[Sample]] = {}
    for split, folder in folders.items():
        found[split] = []
        for one in subfolders(folder):
            if one.name not in numbers and refuses:
                refuse_unknown(one.name, list(numbers), one, IN_TRAINING)
            for path in files_in(one):
                found[split].append(Sample(path, path.relative_to(root).as_posix(), label=numbers.get(one.name)))
        if not found[split]:
            raise InputError(f"{folder}: no {kind} found; expected {folder.name}/{expected}")
    taught = {sample.label for sample in found["train"]}
    empty = [name for name, number in numbers.items() if number not in taught]
    if empty:
        raise InputError(f"{folders['train'] / empty[0]}: no {kind} to train this class with; expected {expected}")
    return found


class Looked(NamedTuple):
    """What a look at a file found that is worth a word; and why the file is left out, where it is."""

    notes: Sequence[str] = ()
    left_out: str = ""


def readable(samples: Sequence[Sample], look: Callable[[Path], Looked], census: Census, *, skip: bool) -> list[Sample]:
    """The samples whose files can be used; what is left out of others, or done to them, is counted.

    Args:
        look: raises InputError for a file that cannot be read. skip: whether such files are left out.

    Raises:
        InputError: of a file that cannot be read, and such are not to be skipped.
    """

    def looked(path: Path) -> Looked | InputError:
        try:
            return look(path)
        except InputError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(looked, [sample.picture for sample in samples]))
    kept = []
    for sample, one in zip(samples, found, strict=True):
        if isinstance(one, InputError):
            if not skip:
                raise InputError(f"{one.lines[0]}; data.unreadable=skip leaves such files out")
            log.warning("left out: %s", one.lines[0])
            census.leave_out(census.samples, UNREADABLE, sample.name)
        elif one.left_out:
            census.leave_out(census.samples, one.left_out, sample.name)
        else:
            kept.append(sample)
            for what in one.notes:
                census.note(census.samples, what, sample.name)
    return kept
