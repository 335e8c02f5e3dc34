"""Fixtures for all tests."""

from __future__ import annotations

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server import SERVER, Server

MIRROR_VARIABLE = "CNNEXP_DATA_MIRROR"
LONGEST = (
    "integration/test_resume_others.py",
    "models/test_contract.py",
    "contracts/test_every_yaml.py",
    "integration/test_sweep.py",
    "integration/test_visualize.py",
    "integration/test_strangers_run.py",
    "integration/test_transfer.py",
    "integration/test_averaging.py",
    "integration/test_bad_input.py",
    "integration/test_tasks.py",
    "integration/test_again.py",
    "integration/test_resume.py",
    "integration/test_processes.py",
    "integration/test_data_changed.py",
    "integration/test_signals.py",
    "anatomy/test_every_model.py",
    "sweep/test_executors.py",
    "sweep/test_controller.py",
)
"""The files of tests that take most of the processor's time."""


def pytest_configure() -> None:
    """What is imported and collected stays until the end: it is neither looked through nor counted as garbage."""
    gc.disable()


def pytest_sessionstart(session: pytest.Session) -> None:
    """The server is a fork of this process while it has run no test: see ``integration/server.py``."""
    config = session.config
    folder = Path(__file__).with_name("integration")
    asked = [config.invocation_params.dir / arg.split("::")[0] for arg in config.args]
    if any(folder.is_relative_to(path) or path.is_relative_to(folder) for path in asked) and not _hands_out(config):
        config.stash[SERVER] = Server()


def _hands_out(config: pytest.Config) -> bool:
    """Whether other processes run the tests (pytest-xdist), so that this one needs nothing for them."""
    return config.getoption("dist", "no") != "no"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest go first, so that the processes that share the files out end together."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.as_posix().rpartition("/tests/")[2], len(LONGEST)))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(SERVER, None)
    if server is not None:
        server.close()


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The first existing folder named in CNNEXP_DATA_MIRROR, holding data under the publishers' file names."""
    named = os.environ.get(MIRROR_VARIABLE, "")
    folders = [Path(place) for place in named.split(os.pathsep) if place and "://" not in place]
    for folder in folders:
        if folder.is_dir():
            return folder.resolve()
    found = f"no folder in {MIRROR_VARIABLE}={named!r}" if named else f"{MIRROR_VARIABLE} is not set"
    pytest.skip(f"needs downloaded data: {found}; run with {MIRROR_VARIABLE}=DIR, a folder with the publishers' files")


@pytest.fixture
def process_kept() -> Iterator[None]:
    """A run sets threads, determinism and variables for its whole process; here they are given back."""
    import torch

    deterministic: Any = torch.utils.deterministic
    threads, fills, benchmark = torch.get_num_threads(), deterministic.fill_uninitialized_memory, _cudnn().benchmark
    algorithms, precision = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    environment = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(algorithms)
    torch.set_float32_matmul_precision(precision)
    torch.set_flush_denormal(False)
    deterministic.fill_uninitialized_memory, _cudnn().benchmark = fills, benchmark


def _cudnn() -> Any:
    import torch

    return torch.backends.cudnn


@pytest.fixture
def logging_kept() -> Iterator[None]:
    """A run's log takes over the loggers of the whole process; here they are given back."""
    from cnnexp.fit.console import LOGGER, NOISY

    loggers = [LOGGER, *(logging.getLogger(name) for name in NOISY)]
    kept = [(logger, list(logger.handlers), logger.propagate, logger.level) for logger in loggers]
    with warnings.catch_warnings():
        yield
    logging.captureWarnings(False)
    for logger, handlers, propagate, level in kept:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
