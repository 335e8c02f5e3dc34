"""What a run says: to the terminal, and to log.txt in its folder."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cnnexp.notice import loaded

LOGGER = logging.getLogger("cnnexp")
NOISY = ("pytorch_lightning", "lightning_fabric", "lightning_utilities", "py.warnings", "torch", "wandb")


class RunLog:
    """Prints for people, and keeps everything in the run's log: warnings and the libraries' messages too.

    Args:
        console: the terminal. main: False in the processes that print and write nothing.
    """

    def __init__(self, console: Console, main: bool = True) -> None:
        loaded()
        self.console = console
        self.main = main
        self._file: logging.FileHandler | None = None
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
        for name in NOISY:
            logger = logging.getLogger(name)
            logger.handlers = [logging.NullHandler()]
            logger.propagate = False
            logger.setLevel(logging.WARNING)
        logging.captureWarnings(True)

    def open(self, folder: Path) -> None:
        """Begin to write log.txt, after what it holds already."""
        if not self.main:
            return
        self._file = logging.FileHandler(folder / "log.txt", encoding="utf-8", delay=True)
        self._file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        for name in ("cnnexp", *NOISY):
            logging.getLogger(name).addHandler(self._file)

    def say(self, text: str, style: str = "") -> None:
        """A line for the terminal and the log."""
        if self.main:
            self.console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)
            LOGGER.info(text)

    def note(self, text: str) -> None:
        """A line for the log alone."""
        if self.main:
            LOGGER.info(text)

    def close(self) -> None:
        """End the log."""
        if self._file is not None:
            for name in ("cnnexp", *NOISY):
                logging.getLogger(name).removeHandler(self._file)
            self._file.close()
            self._file = None
        logging.captureWarnings(False)


@contextmanager
def quiet_log() -> Iterator[None]:
    """Nothing of what libraries say reaches the terminal, for a command that prints its own result."""
    log = RunLog(Console(quiet=True))
    try:
        yield
    finally:
        log.close()


def quiet_known_warnings() -> None:
    """Silence what libraries say about themselves and nobody here can change."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*The `srun` command is available.*")
    warnings.filterwarnings("ignore", message=".*is smaller than the logging interval.*")  # nothing is logged by it
