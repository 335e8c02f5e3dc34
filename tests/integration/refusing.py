"""What every refusal has in common: the lines, the exit status, and that nothing has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnexp.cli import COMMANDS
from tests.integration.conftest import Done

# Nothing is fetched: the publisher is behind a port where nobody listens.
OFFLINE = {
    "CNNEXP_DATA_MIRROR": "",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}
KNOWN = {command.name for command in COMMANDS}


@dataclass(frozen=True)
class Case:
    """A command line and what the lines on stderr must say, one tuple of words for each line in its order."""

    words: str | tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    @property
    def argv(self) -> list[str]:
        return self.words.split() if isinstance(self.words, str) else list(self.words)


def case(words: str | tuple[str, ...], *says: str) -> Case:
    """One mistake, one line."""
    return Case(words, (says,))


def assert_refused(
    call: Callable[[], Done], command: str, lines: Sequence[Sequence[str]], folder: Path, status: int = 2
) -> None:
    """The call ends with the status, its lines say what they must, and every file in the folder is as it was."""
    before = content(folder)
    done = call()
    assert done.status == status, done.err or done.out
    assert len(done.lines) == len(lines), done.err
    prefix = f"cnnexp {command}: " if command in KNOWN else "cnnexp: "
    for line, says in zip(done.lines, lines, strict=True):
        assert line.startswith(prefix)
        assert [word for word in says if word not in line] == [], line
    assert "Traceback" not in done.err
    assert done.out == ""
    assert content(folder) == before


def content(folder: Path) -> dict[str, str]:
    """Every file and folder below a folder, with a digest of the files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        plain = path.is_file() and not path.is_symlink()
        found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else "-"
    return found
