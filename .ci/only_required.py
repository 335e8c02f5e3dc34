"""Let an environment see what the wheel in it asks for, and nothing else of this one: links instead of 7 GB more.

    python .ci/only_required.py ENVIRONMENT

A library that only the development tools bring is not linked, so that a wheel that forgot to ask for it fails.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement


def required(of: Distribution, extras: set[str], found: dict[str, Distribution], seen: set[str]) -> None:
    """Collect by name what a distribution asks for here, with what that asks for."""
    for text in of.requires or []:
        one = Requirement(text)
        if one.marker is not None and not any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        if str(one) in seen:
            continue
        seen.add(str(one))
        found[one.name] = there = distribution(one.name)
        assert one.specifier.contains(there.version, prereleases=True), f"{text}: {there.version} is installed"
        required(there, {"", *one.extras}, found, seen)


def link(one: Distribution, target: Path) -> None:
    """Link a distribution's folders and files, beside those of others."""
    for name in {path.parts[0] for path in one.files or [] if path.parts[0] != ".." and path.suffix != ".pth"}:
        place = target / name
        if not place.exists():
            place.symlink_to(Path(str(one.locate_file(name))).resolve())


def main(environment: str) -> None:
    (target,) = Path(environment).glob("lib/python*/site-packages")
    (wheel,) = distributions(name="cnnexp", path=[str(target)])
    found: dict[str, Distribution] = {}
    required(wheel, {""}, found, set())
    for one in found.values():
        link(one, target)
    print(f"{len(found)} distributions, of {len({one.name for one in distributions()})} here")


if __name__ == "__main__":
    main(*sys.argv[1:])
