"""The options of every group: by which words, how wide, and with those of a folder of one's own."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from cnnexp.commands import listing
from cnnexp.config.options import LISTED
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    listing.add_arguments(parser)
    return parser.parse_args(words)


def content(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, str]]:
    assert listing.run(parsed(*words, "--json")) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_without_words_all_groups_are_listed_and_each_option_says_what_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = content(capsys)
    assert list(found) == list(LISTED)
    assert all(line for group, options in found.items() for name, line in options.items())


@pytest.mark.parametrize("word", ["data", "dataset", "datasets"])
def test_a_group_has_several_names(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(content(capsys, word)) == ["data"]


def test_groups_come_in_the_order_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(content(capsys, "optimizers", "model")) == ["optimizer", "model"]


def test_a_group_that_there_is_not_is_refused_before_anything_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"^modle: there is no such group; did you mean model\?"):
        listing.run(parsed("data", "modle"))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("columns", [20, 80, 300])
def test_lines_fit_and_none_is_lost(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert listing.run(parsed("optimizers", "models")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= max(60, min(columns, 120))
    text = "".join("".join(lines).split())  # words with a dash are broken at it
    for group, options in content(capsys, "optimizers", "models").items():
        assert f"{group}=" in lines
        assert all(f"{name}{''.join(line.split())}" in text for name, line in options.items())


def test_options_of_one_s_own_are_among_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("# A net of mine.\n_target_: mine.Net\n")
    assert content(capsys, "model", "--config-dir", str(tmp_path))["model"]["mine"] == "A net of mine."
    assert "mine" not in content(capsys, "model")["model"]


@pytest.mark.parametrize("words", [(), ("data",), ("models", "data")])
def test_the_page_is_of_the_nets(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="--markdown: is for the nets; cnnexp list models --markdown"):
        listing.run(parsed(*words, "--markdown"))


def test_the_keys_of_an_option(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert listing.run(parsed("model=alexnet", "optimizers=sgd")) == 0
    text = capsys.readouterr().out
    assert text.index("  model.groups=1\n") < text.index("optimizer=sgd: ") < text.index("  optimizer.momentum=0.9\n")
    assert max(map(len, text.splitlines())) <= 80
    assert listing.run(parsed("model=alexnet", "--json")) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["keys"][0]["name"] == "model.groups" and found["example"].startswith("cnnexp train model=alexnet ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("model", "alexnet"), "its keys are shown by cnnexp list model=alexnet or cnnexp list augmentation=alexnet"),
        (("lenet5",), "lenet5: its keys are shown by cnnexp list model=lenet5"),
        (("model=lenet",), r"model=lenet: there is no such model; did you mean lenet5"),
        (("modle=lenet5",), r"modle: there is no such group; did you mean model\?"),
    ],
)
def test_an_option_is_asked_for_as_it_is_chosen(words: tuple[str, ...], line: str) -> None:
    with pytest.raises(InputError, match=line):
        listing.run(parsed(*words))
