"""The wheel holds the package and its configuration, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path, PurePosixPath

import pytest

from cnnexp.report.page.write import SCRIPTS
from tests.packaging.imports import PACKAGE, ROOT


def _build(kind: str, folder: Path) -> Path:
    # hatchling is among the development tools: without an isolated environment nothing is downloaded here.
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(_build("wheel", tmp_path_factory.mktemp("wheel")))


def _sources(folder: Path, suffix: str) -> set[str]:
    return {file.relative_to(ROOT).as_posix() for file in folder.rglob(f"*{suffix}")}


def test_the_wheel_holds_the_configuration(wheel: zipfile.ZipFile) -> None:
    written = sorted((ROOT / "conf").rglob("*.yaml"))
    assert written
    for file in written:
        assert wheel.read(f"cnnexp/{file.relative_to(ROOT).as_posix()}") == file.read_bytes()


def test_the_wheel_holds_nothing_stray(wheel: zipfile.ZipFile) -> None:
    page = {f"cnnexp/report/page/{name}" for name in ("page.css", *SCRIPTS)}
    page.add("cnnexp/anatomy/depths.json")
    expected = _sources(PACKAGE, ".py") | page | {f"cnnexp/{name}" for name in _sources(ROOT / "conf", ".yaml")}
    found = {name for name in wheel.namelist() if not PurePosixPath(name).parts[0].endswith(".dist-info")}
    assert found == expected


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    points = ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert dict(points["console_scripts"]) == {"cnnexp": "cnnexp.cli:main"}


def test_the_source_archive_builds_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with tarfile.open(_build("sdist", tmp_path / "archive")) as archive:
        # Python 3.11.0 to 3.11.3 know no filters; from 3.12 on it is a warning to name none.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()

    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "wheel"),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr

    (again,) = (tmp_path / "wheel").iterdir()
    assert set(zipfile.ZipFile(again).namelist()) == set(wheel.namelist())
