from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pytorch_lightning", "lightning", "pandas", "matplotlib", "rich", "numpy", "PIL")
REPORT = """
import sys
from importlib import import_module
from pathlib import Path
import cnnexp.report
folder = Path(cnnexp.report.__file__).parent
names = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
assert len(names) >= 5, names
for name in names:
    import_module(f"cnnexp.report.{name}")
import cnnexp.commands.compare
print(" ".join(sys.modules))
"""
PRINTED = """
import sys
from pathlib import Path
from cnnexp.cli import main
outputs = sys.argv[1]
assert main(["compare", outputs]) == 0
print(" ".join(sys.modules))
"""


def loaded(code: str, *arguments: str) -> set[str]:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", HEAVY)
def test_reports_import_nothing_heavy(module: str, modules_of_reports: set[str]) -> None:
    assert "cnnexp.report.table" in modules_of_reports
    assert module not in modules_of_reports


@pytest.fixture(scope="module")
def modules_of_reports() -> set[str]:
    return loaded(REPORT)


def test_compare_prints_its_table_without_torch(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("outputs") / "20261121-093105-lenet5-mnist5k-3f9a"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    modules = loaded(PRINTED, str(folder.parent))
    assert "rich.table" in modules
    assert not modules & {"torch", "pytorch_lightning", "pandas", "matplotlib"}
