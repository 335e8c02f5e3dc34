"""Words after a command: in any order, and each mistake in a line that names the way out."""

from __future__ import annotations

import pytest

from cnnexp.commands.parser import CommandParser
from cnnexp.errors import InputError


def parser(settings: bool = True) -> CommandParser:
    made = CommandParser("train", "train a net", "cnnexp train epochs=3")
    if settings:
        made.add_argument("overrides", nargs="*", default=[])
    else:
        made.add_argument("run")
    made.add_argument("--count", type=int)
    made.add_argument("--split", choices=("test", "val"))
    made.add_argument("--dry-run", action="store_true")
    return made


def refused(*words: str, settings: bool = True) -> list[str]:
    with pytest.raises(InputError) as error:
        parser(settings).read(words)
    return list(error.value.lines)


@pytest.mark.parametrize(
    "words", ["--count 3 a=1 b=2 --dry-run", "a=1 --count 3 b=2 --dry-run", "a=1 b=2 --dry-run --count=3"]
)
def test_options_stand_anywhere(words: str) -> None:
    found = parser().read(words.split())
    assert (found.overrides, found.count, found.dry_run) == (["a=1", "b=2"], 3, True)


def test_a_beginning_of_an_option_is_none() -> None:
    assert refused("--coun", "3") == ["--coun: there is no such option; did you mean --count?"]
    assert refused("--dry") != []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--lr=0.1",), "--lr=0.1: there is no such option; settings are given without dashes, lr=0.1"),
        (
            ("--batch-size", "32"),
            "--batch-size: there is no such option; settings are given without dashes, batch_size=32",
        ),
        (("--epochs",), "--epochs: there is no such option; settings are given without dashes, epochs=…"),
        (("--fast", "a=1"), "--fast: there is no such option; settings are given without dashes, fast=…"),
    ],
)
def test_a_setting_with_dashes_is_shown_without(words: tuple[str, ...], says: str) -> None:
    assert refused(*words) == [says]


def test_where_there_are_no_settings_the_options_are_named() -> None:
    (line,) = refused("last", "--quickly", settings=False)
    assert line.startswith("--quickly: there is no such option; known are --count, --dry-run, --help, --split")


def test_every_unknown_option_has_a_line() -> None:
    assert len(refused("--one=1", "--two=2", "x=3")) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--count", "x"), "--count: expected a whole number, not 'x' (cnnexp train --help shows an example)"),
        (("--count",), "--count: expected a value after it (cnnexp train --help shows an example)"),
    ],
)
def test_what_argparse_says_is_said_plainly(words: tuple[str, ...], says: str) -> None:
    assert refused(*words) == [says]


def test_no_such_choice_and_nothing_at_all() -> None:
    (line,) = refused("--split", "train")
    assert line.startswith("--split: no such choice: 'train' (choose from")
    assert refused(settings=False) == ["missing: run (cnnexp train --help shows an example)"]


def test_the_help_ends_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().read(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0 and "Train a net." in text and text.endswith("example:\n  cnnexp train epochs=3\n")
