"""Thousands of runs side by side: all are shown, in little memory; `benchmarks/comparing.py` times it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.comparing import FORMS, make_runs
from cnnexp.runs.find import find_runs
from cnnexp.runs.read import read_record, read_records

COUNT = 3000
MOST_MEGABYTES = 300.0

pytestmark = [pytest.mark.slow, pytest.mark.integration]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many runs, some of them failed and damaged."""
    outputs = tmp_path_factory.mktemp("many") / "runs"
    make_runs(outputs, COUNT)
    return outputs


# A child begins with the memory of the process that makes it, and pytest's may be large: a small one stands between.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stdout, used.ru_maxrss / 1000]))
"""


@pytest.mark.parametrize("words", FORMS, ids=" ".join)
def test_thousands_of_runs_take_little_memory(many: Path, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "cnnexp", "compare", str(many), *words]
    measured = subprocess.run([sys.executable, "-c", MEASURED, *command], stdout=subprocess.PIPE, check=True)
    status, printed, megabytes = json.loads(measured.stdout)
    assert status == 0
    if "--where" not in words and "--group-by" not in words:
        assert sum(line.startswith("20260101") for line in printed.splitlines()) >= COUNT
    assert 20 < megabytes < MOST_MEGABYTES


def test_read_together_they_are_what_each_is_alone(many: Path) -> None:
    folders = find_runs([many])
    assert len(folders) == COUNT
    together = read_records(folders)
    assert all(together[place] == read_record(folders[place]) for place in range(0, COUNT, 25))
    assert {record.status for record in together} == {"finished", "failed", "damaged"}
