"""A bar where somebody looks on, and nothing where a program reads."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cnnexp.commands.watching import terminal, watched


@pytest.mark.parametrize(("on_terminal", "count"), [(True, 5), (True, 1), (False, 5)])
def test_the_items_pass_and_several_are_counted_on_a_terminal(on_terminal: bool, count: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=on_terminal, width=60, color_system=None)
    assert list(watched(iter(range(count)), count, "predicting", console)) == list(range(count))
    assert ("predicting" in screen.getvalue()) == (on_terminal and count > 1)
    assert (screen.getvalue() == "") == (not on_terminal or count < 2)


def test_it_is_drawn_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    terminal().print("bar")
    assert capsys.readouterr() == ("", "bar\n")
