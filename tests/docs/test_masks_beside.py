"""The words of benchmarks/masks_beside.py."""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import pytest

from tests.packaging.imports import ROOT

captioned = runpy.run_path(str(ROOT / "benchmarks" / "masks_beside.py"))["captioned"]


def test_a_caption_and_a_run() -> None:
    assert captioned("FCN-8s=runs/a=b") == ("FCN-8s", Path("runs/a=b"))


@pytest.mark.parametrize("word", ["outputs/run", "=outputs/run", "fcn8s="])
def test_what_is_not_both_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected CAPTION=RUN"):
        captioned(word)
