"""Only an input, and the data sets that store samples for it, know under which key of a batch its tensors are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.packaging.imports import PACKAGE, parts
from tests.packaging.test_layout import TORCH_FREE

OF_EVERY_BATCH = {"index"}
MAY_NAME_THEM = {"inputs", "data"} | TORCH_FREE
"""Where there is no torch there are no batches: a key of that name is another one."""
_READ_IN_INPUTS = re.compile(r"""batch\[["'](\w+)["']\]""")


def keys_of_inputs(package: Path) -> set[str]:
    """What the files of ``inputs`` read out of batches."""
    texts = [file.read_text(encoding="utf-8") for file in (package / "inputs").glob("*.py")]
    return {key for text in texts for key in _READ_IN_INPUTS.findall(text)} - OF_EVERY_BATCH


def named_elsewhere(package: Path, keys: Iterable[str]) -> list[str]:
    """Every line outside of the parts that may do it which reads or writes one of the keys."""
    key = f"""["'](?:{"|".join(sorted(keys))})["']"""
    used = re.compile(
        rf"""\[\s*{key}\s*\]|[{{,]\s*{key}\s*:|^\s*{key}\s*:|{key}\s+(?:not\s+)?in\b|\.(?:get|pop)\({key}"""
    )
    return [
        f"{file.relative_to(package)}:{number} {line.strip()}"
        for part, files in parts(package).items()
        for file in (files if part not in MAY_NAME_THEM else [])
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if used.search(line)
    ]


def test_only_inputs_and_data_name_the_tensors_of_an_input() -> None:
    keys = keys_of_inputs(PACKAGE)
    assert "image" in keys
    assert named_elsewhere(PACKAGE, keys) == []


@pytest.mark.parametrize(
    "line",
    [
        'x = batch["image"]',
        "x = batch['image'].float()",
        'y = {"image": x, "index": i}',
        'y = {**batch, "image": x}',
        '    "image": x,',
        'if "image" in batch:',
        'x = batch.get("image")',
    ],
)
def test_a_key_that_is_named_elsewhere_is_seen(tmp_path: Path, line: str) -> None:
    package = _package(tmp_path, line)
    assert keys_of_inputs(package) == {"image", "signal"}
    assert named_elsewhere(package, {"image", "signal"}) == [f"tasks/base.py:1 {line.strip()}"]


@pytest.mark.parametrize(
    "line",
    ['add_argument("image", metavar="IMAGE")', 'noun = "image"', '"""``image``: uint8."""', 'x = batch["label"]'],
)
def test_other_words_are_not(tmp_path: Path, line: str) -> None:
    assert named_elsewhere(_package(tmp_path, line), {"image", "signal"}) == []


def _package(folder: Path, line: str) -> Path:
    package = folder / "cnnexp"
    for part in ("tasks", "inputs", "data"):
        (package / part).mkdir(parents=True)
    (package / "tasks" / "base.py").write_text(line + "\n")
    (package / "inputs" / "pictures.py").write_text('x = batch["image"], batch["index"]\n')
    (package / "inputs" / "signals.py").write_text("x = batch['signal']\n")
    (package / "data" / "mnist.py").write_text('x = {"image": 1}\n')
    return package
