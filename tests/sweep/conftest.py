"""Plans and studies without a command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnexp.config.options import config_folders
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.settings import is_setting, read_settings
from cnnexp.sweep.space import read_space
from cnnexp.sweep.storage import StudyStorage
from cnnexp.sweep.study import Study

FOLDERS = config_folders()
MakePlan = Callable[..., Plan]
MakeStudy = Callable[..., Study]


def plan_of(*words: str, **fields: Any) -> Plan:
    """A plan that nothing was composed for."""
    given: dict[str, Any] = {
        "command": ("cnnexp", "sweep", *words),
        "space": read_space([word for word in words if not is_setting(word)], FOLDERS),
        "settings": read_settings([word for word in words if is_setting(word)], FOLDERS),
        "config_dirs": (),
        "trusted": (),
        "monitor": "val/accuracy",
        "mode": "max",
        "outputs": "outputs",
        "hardware": {"accelerator": "cpu", "devices": 1},
        "choices": {"model": "linear", "data": "mnist5k"},
        "directory": str(Path.cwd()),
    }
    return Plan(**{**given, **fields})


@pytest.fixture
def study_of(tmp_path: Path) -> MakeStudy:
    """``study_of(plan)`` opens the study of a plan in ``tmp_path``."""

    def make(plan: Plan, given: str | None = None) -> Study:
        return Study(plan, StudyStorage(given, tmp_path))

    return make
