"""The judge that a configuration names, not opened yet: what only answers needs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnexp.builders.from_run import RUN
from cnnexp.tasks.quality import Judge


def judge_for(config: Mapping[str, Any]) -> Callable[[], Judge | None] | None:
    """What opens the judge that is named by its run; None where none is."""
    named = config["task"].get("judge")
    if not isinstance(named, str) or not named.startswith(RUN):
        return None

    def opened() -> Judge | None:
        from cnnexp.builders.judges import open_judge  # a run revived, by what is built with this

        return open_judge(named.removeprefix(RUN), Path(config["outputs"]))

    return opened
