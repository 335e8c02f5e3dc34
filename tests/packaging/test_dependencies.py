"""What the code imports is what pyproject.toml asks for."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import pytest

from tests.packaging.imports import PACKAGE, ROOT, Import, imports_of, parts

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _third_party() -> list[Import]:
    files = [file for group in parts(PACKAGE).values() for file in group]
    found = [one for file in files for one in imports_of(file, PACKAGE)]
    return [one for one in found if one.library not in {"cnnexp", *sys.stdlib_module_names}]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-") for requirement in requirements}


def _distributions(one: Import, installed: dict[str, list[str]]) -> set[str]:
    return {name.lower().replace("_", "-") for name in installed.get(one.library, [one.library])}


def test_every_imported_library_is_declared() -> None:
    declared = _names(PROJECT["dependencies"])
    optional = _names([each for extra in PROJECT["optional-dependencies"].values() for each in extra])
    installed = dict(packages_distributions())
    imported = _third_party()
    assert imported, "the walk found no import of a library"

    missing = [
        str(one)
        for one in imported
        if not _distributions(one, installed) & (declared if one.at_import else declared | optional)
    ]

    assert missing == [], (
        "add the library to [project] dependencies, or import an extra inside the function that needs it"
    )


def test_torch_and_torchvision_are_asked_for_together() -> None:
    assert {"torch", "torchvision"} <= _names(PROJECT["dependencies"])


@pytest.mark.parametrize("malicious", ["2.6.2", "2.6.3"])
def test_lightning_is_newer_than_its_malicious_releases(malicious: str) -> None:
    (requirement,) = [each for each in PROJECT["dependencies"] if each.startswith("pytorch-lightning")]
    lowest = re.fullmatch(r"pytorch-lightning>=(\d+\.\d+\.\d+)", requirement)
    assert lowest is not None
    assert [int(part) for part in lowest[1].split(".")] > [int(part) for part in malicious.split(".")]
