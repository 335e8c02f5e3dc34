"""The lowest release of everything that pyproject.toml asks for, as constraints for pip."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
    for requirement in group:
        found = re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\w.]+)", requirement)
        if found:
            print("==".join(found.groups()))
