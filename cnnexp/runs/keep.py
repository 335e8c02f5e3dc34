"""Keeping house: tags, the trash, archives, and what runs take of the disk."""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cnnexp.errors import InputError
from cnnexp.runs.atomic import replacing, write_json, write_text
from cnnexp.runs.data_record import read_data_record, write_data_record
from cnnexp.runs.lock import NAME as LOCK
from cnnexp.runs.lock import RunLock
from cnnexp.runs.read import UNREADABLE, Record, read_json, read_record, refuse_links
from cnnexp.runs.write import disk_error

TRASH = ".trash"
_TAG = re.compile(r"[A-Za-z0-9][\w.+-]{0,39}")
_ID = re.compile(r"[A-Za-z0-9_][\w.+-]{0,199}")
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""A zip knows no earlier time; no time is kept, so that an archive depends on the run alone."""


def size_bytes(folder: Path) -> int:
    """What the files of a folder take of the disk; links count as themselves."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            facts = os.lstat(os.path.join(place, name))
            total += facts.st_blocks * 512
    return total


def tag(record: Record, words: Sequence[str], remove: bool = False) -> list[str]:
    """Add tags to a run, or take them away.

    Returns:
        The tags that it has now.

    Raises:
        InputError: a word is no tag, the run does not have it, or the run is being written.
    """
    bad = [word for word in words if not _TAG.fullmatch(word)]
    if bad:
        raise InputError(*(f"{word!r}: a tag is letters, digits and . _ + -, 40 at most" for word in bad))
    absent = [word for word in words if word not in record.tags]
    if remove and absent:
        raise InputError(f"{record.id} has no tag {absent[0]}; it has {', '.join(record.tags) or 'none'}")
    tags = [one for one in record.tags if one not in words] + ([] if remove else sorted(set(words)))
    refuse_links(record.folder)
    lock = _held(record)
    try:
        write_json(record.folder / "run.json", {**read_json(record.folder / "run.json"), "tags": tags})
    except OSError as error:
        raise disk_error(error, record.folder) from error
    finally:
        lock.release()
    return tags


def note_places(record: Record, config_text: str, places: Mapping[str, Mapping[str, str]]) -> None:
    """Write down where a run's data is now, in its configuration and beside its samples.

    Raises:
        InputError: the run is being written, or cannot be.
    """
    refuse_links(record.folder)
    lock = _held(record)
    try:
        known = read_data_record(record.folder)
        if known is not None:
            write_data_record(record.folder, replace(known, places=places))
        write_text(record.folder / "config.yaml", config_text)
    except OSError as error:
        raise disk_error(error, record.folder) from error
    finally:
        lock.release()


def move_to_trash(record: Record) -> Path:
    """Put a run's folder aside, into ``.trash`` beside it, where no command looks.

    Returns:
        Where it is now; moved back it is a run again.

    Raises:
        InputError: it is being written, or the folder cannot be.
    """
    folder = record.folder.resolve()
    trash = folder.parent / TRASH
    lock = _held(record)
    try:
        trash.mkdir(exist_ok=True)
        target, number = trash / folder.name, 2
        while os.path.lexists(target):
            target, number = trash / f"{folder.name}.{number}", number + 1
        folder.rename(target)
    except OSError as error:
        raise disk_error(error, trash) from error
    finally:
        lock.release()
    return target


def trash_folders(outputs: Path, depth: int = 4) -> list[Path]:
    """The ``.trash`` folders at or below a folder."""
    found = [outputs / TRASH] if (outputs / TRASH).is_dir() and not (outputs / TRASH).is_symlink() else []
    if depth and outputs.is_dir():
        with os.scandir(outputs) as entries:
            below = sorted(e.path for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith("."))
        found += [one for path in below for one in trash_folders(Path(path), depth - 1)]
    return found


def export(record: Record, archive: Path) -> int:
    """Pack a run's files into a zip, under a folder of its id; the same run gives the same bytes.

    Returns:
        Bytes of the archive.

    Raises:
        InputError: the run is being written, holds a link, or the archive cannot be written.
    """
    folder = record.folder.resolve()
    if archive.resolve().is_relative_to(folder):
        raise InputError(f"{archive}: this is inside the run that it shall hold; name a place outside")
    if record.status == "running":
        raise InputError(f"{record.id} is still running; export it when it has ended")
    files = _files(folder)
    try:
        with replacing(archive) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in files:
                facts = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", _EARLIEST)
                facts.external_attr = (stat.S_IFREG | 0o644) << 16
                facts.compress_type = zipfile.ZIP_DEFLATED
                with path.open("rb") as source, packed.open(facts, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target, 2**20)
    except OSError as error:
        raise disk_error(error, archive.parent, "another FILE.zip") from error
    return archive.stat().st_size


def _files(folder: Path) -> list[Path]:
    """A run's files in order, without its lock.

    Raises:
        InputError: there is a link or something else that is no file.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if Path(place, one).is_symlink())]):
            path = Path(place, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                raise InputError(f"{folder.name}: {path.relative_to(folder)} is no ordinary file; not packed")
            if name != LOCK:
                found.append(path)
    return found


def most_unpacked_bytes(archive: Path) -> int:
    """What the archive of a run may unpack to: weights hardly shrink and text by tens, but a bomb by thousands."""
    return 64_000_000 + 100 * archive.stat().st_size


def adopt(unpacked: Path, outputs: Path) -> Path:
    """Move the one run that was unpacked from an archive into the outputs folder.

    Args:
        unpacked: a folder on the same file system, which holds the run's.

    Returns:
        The run's folder.

    Raises:
        InputError: it holds something else, the run is damaged, or there is one of its id already.
    """
    found = sorted(unpacked.iterdir())
    if len(found) != 1 or not found[0].is_dir() or not _ID.fullmatch(found[0].name):
        raise InputError(
            "the archive holds something else than one run's folder; cnnexp runs export makes such archives"
        )
    record = read_record(found[0])
    if record.status in UNREADABLE:
        raise InputError(f"{record.id}: the run in the archive is {record.status} ({record.problem})")
    target = outputs / record.id
    if os.path.lexists(target):
        raise InputError(f"{record.id}: there is such a run in {outputs} already; give --outputs another folder")
    found[0].rename(target)
    return target


def _held(record: Record) -> RunLock:
    """The run's lock, taken.

    Raises:
        InputError: another process is writing the run, or its folder cannot be written.
    """
    lock = RunLock(record.folder)
    try:
        free = record.status != "running" and lock.take()
    except OSError as error:
        raise disk_error(error, record.folder) from error
    if not free:
        raise InputError(f"{record.id} is still running; wait for it, or stop it with Ctrl-C where it runs")
    return lock
