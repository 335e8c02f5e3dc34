from __future__ import annotations

from cnnexp.runs.checkpoints import BY_NAME
from tests.packaging.imports import PACKAGE


def test_their_places_are_written_down_once() -> None:
    """A record keeps its layout; and no other file spells it out."""
    assert BY_NAME == {"best": "checkpoints/best.ckpt", "last": "checkpoints/last.ckpt"}
    spelled = [file for file in PACKAGE.rglob("*.py") if '"checkpoints' in file.read_text(encoding="utf-8")]
    assert [file.relative_to(PACKAGE).as_posix() for file in spelled] == ["runs/checkpoints.py"]
