"""``cnnexp match``: are two pictures of one person? Or: who of those that are enrolled is it?"""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run
from cnnexp.commands.embedding import Embedder, open_embedder
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.report.plain_text import printable
from cnnexp.runs.gallery import GALLERY, Gallery, read_gallery

EXAMPLE = "cnnexp match last anna.jpg who.jpg\n  cnnexp match last who.jpg --gallery people.safetensors"
_OTHERS = 3
_COLUMNS = 79


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="two pictures to be compared, or one to be looked for in a gallery"
    )
    parser.add_argument("--gallery", metavar="FILE", help=f"who is enrolled [{GALLERY} in the run's folder]")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_checkpoint(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    files = [Path(text) for text in arguments.files]
    if len(files) > 2:
        raise InputError(f"{len(files)} files: give two to be compared, or one to be looked for in a gallery")
    missing = [
        f"{path}: {'a folder' if path.is_dir() else 'there is no such file'}"
        for path in dict.fromkeys(files)
        if not path.is_file()
    ]
    if missing:
        raise InputError(*missing)
    if len(files) == 2 and arguments.gallery is not None:
        raise InputError("--gallery: is for one picture, and two are given; leave out the gallery or a picture")
    net = open_embedder(arguments)
    row = _compared(net, files) if len(files) == 2 else _found(net, files[0], _gallery(net, arguments.gallery))
    loaded()
    if arguments.json:
        print(json.dumps(row, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(row)))
    return 0


def _compared(net: Embedder, files: list[Path]) -> dict[str, Any]:
    first, second = net.embeddings(files)
    similarity = float(first.astype(float) @ second.astype(float))
    return {
        "files": [str(path) for path in files],
        "similarity": round(similarity, 6),
        "same": similarity >= net.threshold.similarity,
        **_threshold(net),
    }


def _gallery(net: Embedder, named: str | None) -> Gallery:
    """Raises InputError where it cannot be read, or another net made it."""
    path = Path(named) if named is not None else net.record.folder / GALLERY
    if named is None and not path.exists():
        raise InputError(
            f"{net.record.id}: nobody is enrolled; cnnexp enrol {net.record.id} FOLDER makes a gallery, or give two "
            "pictures to be compared"
        )
    gallery = read_gallery(path)
    if gallery.net != net.net:
        raise InputError(
            f"{path}: a gallery of other weights, those of {gallery.run}; embeddings of two nets cannot be compared: "
            f"cnnexp enrol {net.record.id} FOLDER makes one of these"
        )
    return gallery


def _found(net: Embedder, file: Path, gallery: Gallery) -> dict[str, Any]:
    best = gallery.nearest(net.embeddings([file])[0])
    person, similarity, _ = best[0]
    pictures = len(gallery.people)
    return {
        "file": str(file),
        "person": person if similarity >= net.threshold.similarity else None,
        "nearest": [
            {"person": name, "similarity": round(one, 6), "picture": of} for name, one, of in best[: 1 + _OTHERS]
        ],
        "enrolled": {"people": len(best), "pictures": pictures},
        "stranger_taken_for_somebody": round(1 - (1 - net.threshold.false_accepts) ** pictures, 6),
        **_threshold(net),
    }


def _threshold(net: Embedder) -> dict[str, Any]:
    one = net.threshold
    return {
        "threshold": round(one.similarity, 6),
        "false_accepts": round(one.false_accepts, 6),
        "false_rejects": round(one.false_rejects, 6),
        "validation": net.said(),
    }


def _lines(row: dict[str, Any]) -> list[str]:
    """For a terminal of 80 columns; names in a gallery are anybody's."""
    return [printable(part) for line in _told(row) for part in textwrap.wrap(line, _COLUMNS, subsequent_indent="    ")]


def _told(row: dict[str, Any]) -> list[str]:
    threshold, told = row["threshold"], f"  {row['validation']}"
    if "files" in row:
        verdict = "the same" if row["same"] else "different"
        return [
            " ".join(row["files"]),
            f"  {verdict}: similarity {row['similarity']:.3f}, threshold {threshold:.3f}",
            told,
        ]
    first, *others = row["nearest"]
    near = f"{first['person']}, similarity {first['similarity']:.3f} to {first['picture']}, threshold {threshold:.3f}"
    next_ = ", ".join(f"{one['person']} {one['similarity']:.3f}" for one in others)
    pictures, chance = row["enrolled"]["pictures"], row["stranger_taken_for_somebody"]
    return [
        row["file"],
        f"  {near}" if row["person"] is not None else f"  nobody enrolled; the most similar is {near}",
        *([f"  after that {next_}"] if next_ else []),
        told,
        f"  a stranger is taken for one of {pictures:,} pictures at about "
        f"1 - (1 - {row['false_accepts']:.4f})^{pictures} = {chance:.1%}",
    ]
