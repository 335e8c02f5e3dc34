"""What the code imports is what pyproject.toml asks for."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

import pytest

from cnnexp.fit.loop import TRIED
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
    lowest, _ = _bounds_of_lightning()
    assert lowest > [int(part) for part in malicious.split(".")]


def test_lightning_is_older_than_the_releases_that_were_not_tried() -> None:
    """The direct loop rests on private classes; the last minor release it was tried with is the last one let in."""
    lowest, above = _bounds_of_lightning()
    major, minor = (int(part) for part in TRIED[-1].split("."))
    assert above == [major, minor + 1]
    assert ".".join(map(str, lowest[:2])) in TRIED


def _bounds_of_lightning() -> tuple[list[int], list[int]]:
    """The first release that is let in, and the first that no longer is."""
    (requirement,) = [each for each in PROJECT["dependencies"] if each.startswith("pytorch-lightning")]
    bounds = re.fullmatch(r"pytorch-lightning>=(\d+\.\d+\.\d+),<(\d+\.\d+)", requirement)
    assert bounds is not None
    lowest, above = ([int(part) for part in bound.split(".")] for bound in bounds.groups())
    return lowest, above
