"""``cnnexp enrol``: a folder a person in; a gallery of their embeddings out, for ``cnnexp match``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run
from cnnexp.commands.embedding import Embedder, open_embedder
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.runs.gallery import GALLERY, Gallery, write_gallery

EXAMPLE = "cnnexp enrol last people/            # people/anna/1.jpg, people/ben/1.jpg, …\n  cnnexp match last photo.jpg"
SUFFIX = ".safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("folder", metavar="FOLDER", help="a folder for each person, with pictures of theirs")
    parser.add_argument("--save", metavar="FILE", help=f"where the gallery goes [{GALLERY} in the run's folder]")
    add_checkpoint(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'there is no such folder'}")
    if arguments.save is not None and (not arguments.save.endswith(SUFFIX) or Path(arguments.save).is_dir()):
        raise InputError(f"--save {arguments.save}: a gallery is a file; name it {Path(arguments.save).stem}{SUFFIX}")
    net = open_embedder(arguments)
    people = _people(folder, net)
    files = [path for own in people.values() for path in own]
    owners = tuple(name for name, own in people.items() for _ in own)
    rows = [net.embeddings([path])[0] for path in watched(_whole(net, files), len(files), "enrolling")]

    import numpy as np

    pictures = tuple(path.relative_to(folder).as_posix() for path in files)
    target = Path(arguments.save) if arguments.save is not None else net.record.folder / GALLERY
    try:
        write_gallery(Gallery(np.stack(rows), owners, pictures, net.net, net.record.id), target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); name another place by --save") from error
    loaded()
    print(f"{target}: {len(files):,} pictures of {len(people):,} people, by the net of {net.record.id}")
    single = [name for name, own in people.items() if len(own) == 1]
    if single:
        print(f"of one picture: {_few(single)}; several, in different light, let a person be found more often")
    return 0


def _whole(net: Embedder, files: list[Path]) -> list[Path]:
    """The files, all of which can be read: nothing is left half done.

    Raises:
        InputError: a line for each that cannot.
    """
    problems: list[str] = []
    for path in files:
        try:
            net.task.facts.input.read(path)
        except InputError as error:
            problems.extend(error.lines)
    if problems:
        raise InputError(*problems)
    return files


def _people(folder: Path, net: Embedder) -> dict[str, list[Path]]:
    """The pictures of each person, by name.

    Raises:
        InputError: there are no folders in it, or some without a picture.
    """
    from cnnexp.data.folders import class_folders

    suffixes, noun = net.task.facts.input.suffixes, net.task.facts.input.noun
    people = {
        person.name: sorted(path for path in person.rglob("*") if _is_sample(path, suffixes))
        for person in class_folders(folder)
    }
    if not people:
        raise InputError(f"{folder}: nobody to enrol; expected a folder for each person, as in {folder}/anna/1.jpg")
    empty = [name for name, files in people.items() if not files]
    if empty:
        raise InputError(
            *(f"{folder / name}: no {noun} in it; add one of this person, or remove the folder" for name in empty)
        )
    loose = sum(_is_sample(path, suffixes) for path in folder.iterdir())
    if loose:
        loaded()
        print(f"cnnexp enrol: left out: {loose:,} {noun}s in {folder} that lie in nobody's folder", file=sys.stderr)
    return people


def _is_sample(path: Path, suffixes: frozenset[str] | tuple[str, ...]) -> bool:
    return path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")


def _few(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
