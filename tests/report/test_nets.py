from __future__ import annotations

import csv
import io
from typing import Any

from rich.console import Console

from cnnexp.report.imagenet import ALSO, TOP5, WINNERS
from cnnexp.report.nets import NetTable, to_csv, with_published


def net(name: str, measured: bool = False) -> dict[str, Any]:
    totals = {"parameters": 25_557_032, "trainable": 1, "multiply_adds": 4_089_184_256, "activation_bytes": 88_900_000}
    step = {"batch_size": 64, "bytes": 5_770_000_000}
    speed = {"device": "a processor", "threads": 1, "bytes": 6e9, "images_per_second": 12.3}
    content = {"model": name, "input": [3, 224, 224], "totals": totals, "training": step}
    return {**content, **({"measured": speed} if measured else {})}


def printed(*contents: dict[str, Any]) -> list[str]:
    console = Console(width=80, file=io.StringIO(), highlight=False)
    console.print(NetTable(contents))
    return str(console.file.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_a_line_for_each_net_within_eighty_columns() -> None:
    lines = printed(net("resnet50", True), net("inception_resnet_v2", True))
    assert max(map(len, lines)) <= 80
    resnet = next(line.split() for line in lines if line.startswith("resnet50"))
    assert {"25,557,032", "4.09", "5.77", "12", "6.7"} <= set(resnet)
    assert any("He, Zhang, Ren, Sun 2015" in line for line in lines), "the source of the error"
    assert any("1 thread" in line and "a processor" in line for line in lines)


def test_columns_that_nothing_is_known_of_are_left_out() -> None:
    header = printed(net("mine"))[0]
    assert "measured" not in header and "top-5" not in header
    assert "mult-adds" in header


def test_no_column_is_cut_and_those_that_find_no_room_are_named() -> None:
    wide = {**net("plain_cnn", True), "settings": {"model.widths": "[64,128,256]", "model.convolution": "separable"}}
    lines = printed(wide)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["net", "parameters", "mult-adds"]
    assert lines[2].split()[-3:] == ["25,557,032", "4.09", "G"]
    assert lines[-1] == "no room for activations, input, step, measured, images/s (--json has all)"
    assert not any(line.startswith(("step:", "measured:")) for line in lines)


def test_for_other_programs() -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv([net("resnet50", True)])))
    assert (row["multiply_adds"], row["top5_error"], row["images_per_second"]) == ("4089184256", "6.71", "12.3")
    assert with_published(net("resnet50"))["imagenet"]["year"] == 2015
    assert with_published(net("mine"))["imagenet"] is None


def test_deeper_twins_are_better_and_winners_improve_by_the_year() -> None:
    for family in (["resnet34", "resnet50", "resnet101", "resnet152"], ["vgg11", "vgg13", "vgg16", "vgg19"]):
        errors = [TOP5[name].error for name in family]
        assert errors == sorted(errors, reverse=True)
    assert [one.error for one in WINNERS] == sorted((one.error for one in WINNERS), reverse=True)
    assert [one.year for one in WINNERS] == list(range(2010, 2018))
    for one in ALSO:
        assert one.error > next(winner.error for winner in WINNERS if winner.year == one.year)


def test_settings_with_several_values_stand_beside_the_net() -> None:
    plain, separable = ({**net("mine"), "settings": {"model.kind": one, "data": "d"}} for one in ("plain", "separable"))
    lines = printed(plain, separable)
    assert lines[2].startswith("mine kind=plain data=d ") and lines[3].startswith("mine kind=separable data=d ")
    rows = list(csv.DictReader(io.StringIO(to_csv([plain, separable]))))
    assert [(row["model"], row["model.kind"], row["data"]) for row in rows] == [
        ("mine", "plain", "d"),
        ("mine", "separable", "d"),
    ]
