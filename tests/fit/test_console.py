from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path

import pytest
from rich.console import Console

from cnnexp.fit.console import LOGGER, RunLog, quiet_known_warnings

pytestmark = pytest.mark.usefixtures("logging_kept")


def log(main: bool = True) -> tuple[RunLog, io.StringIO]:
    screen = io.StringIO()
    return RunLog(Console(file=screen, width=40), main), screen


def lines(folder: Path) -> list[str]:
    return (folder / "log.txt").read_text(encoding="utf-8").splitlines()


def test_what_is_said_is_on_the_screen_and_in_the_log(tmp_path: Path) -> None:
    speaking, screen = log()
    speaking.open(tmp_path)
    long = "/a/folder/whose/name/is/longer/than/the/screen/is/wide [red]and not markup[/red]"
    speaking.say(long)
    speaking.note("for the log alone")
    speaking.close()
    assert screen.getvalue() == long + "\n"
    first, second = lines(tmp_path)
    assert first.endswith(f" INFO {long}") and second.endswith(" INFO for the log alone")


def test_the_log_goes_on_after_what_it_holds(tmp_path: Path) -> None:
    for text in ("first", "second"):
        speaking, _ = log()
        speaking.open(tmp_path)
        speaking.say(text)
        speaking.close()
    assert [line.split()[-1] for line in lines(tmp_path)] == ["first", "second"]


def test_after_the_end_nothing_is_written(tmp_path: Path) -> None:
    speaking, _ = log()
    speaking.open(tmp_path)
    speaking.note("before")
    speaking.close()
    LOGGER.info("after")
    assert len(lines(tmp_path)) == 1


def test_other_processes_are_silent(tmp_path: Path) -> None:
    silent, screen = log(main=False)
    silent.open(tmp_path)
    silent.say("word")
    silent.note("word")
    silent.close()
    assert screen.getvalue() == ""
    assert not (tmp_path / "log.txt").exists()


def test_warnings_and_what_libraries_say_go_to_the_log_and_not_to_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    speaking, screen = log()
    speaking.open(tmp_path)
    warnings.simplefilter("always")
    warnings.warn("a number overflowed", RuntimeWarning, 1)
    logging.getLogger("pytorch_lightning.utilities").warning("a word of Lightning")
    logging.getLogger("pytorch_lightning.utilities").info("a tip of Lightning")
    speaking.close()
    written = "\n".join(lines(tmp_path))
    assert "a number overflowed" in written and "WARNING a word of Lightning" in written
    assert "tip" not in written
    assert screen.getvalue() == "" and capfd.readouterr() == ("", "")


def test_only_known_warnings_are_silenced() -> None:
    warnings.simplefilter("error")
    quiet_known_warnings()
    warnings.warn("The 'train_dataloader' does not have many workers which may be a bottleneck.", UserWarning, 1)
    with pytest.raises(UserWarning, match="unknown"):
        warnings.warn("unknown", UserWarning, 1)
