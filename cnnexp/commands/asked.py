"""What a net is asked about: a run or a net with weights of its own, and picture files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnexp.errors import InputError

DATA = ("data=", "dataset=", "data.", "dataset.")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


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


def names_data(words: Sequence[str]) -> bool:
    """Whether one of the settings is about data."""
    return any(word.lstrip("+").startswith(DATA) for word in words)


def pictures_in(given: Sequence[str]) -> list[Path]:
    """Files as given, and the pictures in folders.

    Raises:
        InputError: a line for each that is not there.
    """
    found: list[Path] = []
    missing = []
    for text in given:
        path = Path(text)
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if path.is_dir() and not inside:
            missing.append(f"{text}: a folder without pictures ({', '.join(SUFFIXES[:3])}, …)")
        elif not path.exists():
            missing.append(f"{text}: there is no such file")
        found.extend(inside)
    if missing:
        raise InputError(*missing)
    return found
