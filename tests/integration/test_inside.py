"""``cnnexp visualize all``: whatever fits a net, on one page."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cnnexp.commands import visualize
from tests.integration.conftest import CommandLine, command_line
from tests.integration.refusing import assert_refused
from tests.report.page.chromium import browser

pytestmark = pytest.mark.integration

NETS = {
    "classifier": ("model=lenet5",),
    "detector": ("model=yolo", "data=digit_scenes"),
    "segmenter": ("model=unet", "data=digit_scenes", "model.width=2", "model.depth=1"),
    "autoencoder": ("model=conv_autoencoder",),
    "beats": ("model=fcn_1d", "data=ecg200"),
}
LEFT_OUT: dict[str, set[str]] = {
    "classifier": set(),
    "detector": {"shift"},
    "segmenter": {"shift"},
    "autoencoder": {"shift", "saliency"},
    "beats": {"shift", "saliency", "ascent", "deepdream", "patches"},
}
"""At least."""


@pytest.fixture(scope="module")
def net(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a tiny run by its name above, trained when it is first asked for."""

    @cache
    def folder(name: str) -> str:
        place = tmp_path_factory.mktemp(name)
        words = ("data.fraction=0.05", "epochs=1", "batch_size=8", "hardware.threads=1", *NETS[name])
        done = command_line(server, place)("train", *words)
        assert done.status == 0, done.err
        (run,) = (place / "outputs").iterdir()
        return str(run)

    return folder


def few(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    known = visualize.in_reading_order()
    monkeypatch.setattr(visualize, "in_reading_order", lambda: {name: known[name] for name in names})


def test_what_fits_is_on_the_page_and_what_does_not_is_named(
    here: CommandLine, net: Callable[[str], str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "filters", "shift")
    done = here("visualize", "all", net("autoencoder"), "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert list(content["sections"]) == ["filters"] and list(content["left_out"]) == ["shift"]
    assert content["sections"]["filters"]["layer"]
    assert content["written"] == ["visualize/all.html"]
    with browser(work / "browser") as opened:
        opened.open(work / "visualize" / "all.html")
        assert opened.texts("h2") == ["filters", "Left out"]
        assert opened.texts("td")[0] == "shift"
        assert opened.complaints == [] and opened.stopped == []


def test_a_net_that_nothing_fits_is_refused(
    here: CommandLine, net: Callable[[str], str], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "shift")
    run = net("autoencoder")
    lines = [("no technique fits",), ("shift: ", "measured for classification")]
    assert_refused(lambda: here("visualize", "all", run, cwd=work), "visualize", lines, work)


def test_a_picture_that_is_not_there(here: CommandLine, net: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "all", net("classifier"), "--picture", "nothere.png", cwd=work)
    assert done.status == 2 and done.err == "cnnexp visualize: nothere.png: there is no such file\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETS)
def test_each_kind_of_net_has_its_page(kind: str, here: CommandLine, net: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "all", net(kind), "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert {*content["sections"], *content["left_out"]} == set(visualize.in_reading_order())
    assert set(content["left_out"]) >= LEFT_OUT[kind]
    assert {"filters", "embedding", "neighbours"} & set(content["sections"])
