"""Where the shipped configuration lies, and where runs go."""

from __future__ import annotations

import os
from pathlib import Path

from cnnexp.errors import InputError

PACKAGE = Path(__file__).resolve().parent


def config_folder() -> Path:
    """The folder of the YAML groups: inside an installed wheel, or beside ``pyproject.toml`` in a checkout.

    It is found from this file: an editable install would leave a dead copy behind any package-data lookup.
    """
    for folder in (PACKAGE / "conf", PACKAGE.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise InputError(f"the configuration files are missing beside {PACKAGE}: install cnnexp again")


def outputs_folder(given: str | None = None) -> Path:
    """The folder that holds runs: what was given, else ``CNNEXP_OUTPUTS_DIR``, else ``outputs`` here."""
    return Path(given or os.environ.get("CNNEXP_OUTPUTS_DIR") or "outputs")
