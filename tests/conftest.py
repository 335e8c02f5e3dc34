"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

MIRROR_VARIABLE = "CNNEXP_DATA_MIRROR"


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
