from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp import paths
from cnnexp.errors import InputError
from cnnexp.paths import config_folder, outputs_folder


@pytest.mark.parametrize(
    ("given", "variable", "folder"),
    [
        (None, None, "outputs"),
        (None, "elsewhere", "elsewhere"),
        ("here", "elsewhere", "here"),
        ("", "", "outputs"),
        (None, "", "outputs"),
    ],
)
def test_runs_go_where_one_says_on_the_command_line_or_in_the_shell(
    given: str | None, variable: str | None, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CNNEXP_OUTPUTS_DIR", raising=False)
    if variable is not None:
        monkeypatch.setenv("CNNEXP_OUTPUTS_DIR", variable)
    assert outputs_folder(given) == Path(folder)


def test_the_configuration_lies_in_the_wheel_or_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "cnnexp"
    monkeypatch.setattr(paths, "PACKAGE", package)
    (package / "conf").mkdir(parents=True)  # a folder without the root file is none
    with pytest.raises(InputError, match=f"missing beside {package}: install cnnexp again"):
        config_folder()
    for folder in (tmp_path / "conf", package / "conf"):
        folder.mkdir(exist_ok=True)
        (folder / "config.yaml").touch()
        assert config_folder() == folder, "the wheel's own comes first"
