"""Text as people and their editors write it: with a byte-order mark, Windows line ends, or in an older encoding."""

from __future__ import annotations

import codecs
import logging
from pathlib import Path
from typing import Any

import yaml

from cnnexp.errors import InputError

log = logging.getLogger(__name__)

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path) -> str:
    """A text file in UTF-8 or UTF-16, with or without a byte-order mark.

    Raises:
        FileNotFoundError: there is none. InputError: it cannot be read, or is in another encoding.
    """
    try:
        return _decoded(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 (byte {error.start}); save it as UTF-8") from error


def read_names(path: Path) -> tuple[str, ...]:
    """The lines of a list of names, without blanks at their ends and empty lines. Where it is not UTF-8 it is read as
    Windows writes Western letters, and a warning says so.

    Raises:
        FileNotFoundError: there is none. InputError: it cannot be read.
    """
    return tuple(line.strip() for line in read_lenient(path).splitlines() if line.strip())


def read_lenient(path: Path) -> str:
    """A text file; where it is not UTF-8 it is read as Windows writes Western letters, and a warning says so.

    Raises:
        FileNotFoundError: there is none. InputError: it cannot be read.
    """
    try:
        return _decoded(path)
    except UnicodeDecodeError:
        log.warning("%s: not UTF-8, read as Western letters of Windows (cp1252); save it as UTF-8", path)
        return path.read_bytes().decode("cp1252", "replace")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def read_yaml_words(path: Path) -> Any:
    """A YAML file in which every scalar is the word that is written: no, 1e3 and 007 are names here.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return yaml.load(read_text(path), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        line = str(error).splitlines()[0]
        raise InputError(f"{path}: not YAML ({line})") from error


def decoded(content: bytes, encoding: str, path: Path) -> str:
    """The text of a file's content.

    Raises:
        InputError: it is not of this encoding, or there is no such encoding; the line names the place.
    """
    try:
        text = content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError as error:
        raise InputError(
            f"data.encoding={encoding}: no such encoding; utf-8, latin-1, cp1252 and utf-16 are some"
        ) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}:{line}: not {encoding} (byte {content[error.start]:#04x}); data.encoding=latin-1 or cp1252 reads "
            "Western letters, or save it as UTF-8"
        ) from error
    return text.replace("\r\n", "\n")


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding)
