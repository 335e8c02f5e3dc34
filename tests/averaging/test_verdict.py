"""What is said of an average: against the scores of its parts, which must add up."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.averaging.panel import Member, Panel
from cnnexp.averaging.verdict import compare_members, compare_views
from cnnexp.averaging.views import FLIP
from cnnexp.tasks.base import Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.segmentation import Segmentation
from tests.tasks import tiny

SAMPLES = 40


def net(seed: int, hidden: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Linear(64, hidden), nn.Linear(hidden, 3)] if hidden else [nn.Linear(64, 3)]
    return nn.Sequential(nn.Flatten(), *layers)


def member(identity: str, task: Task, data: Any) -> Member:
    record: Any = SimpleNamespace(id=identity, choices={"model": f"net_{identity}"})
    return Member(record, task, data, {"hardware": dict(tiny.HARDWARE)})


def panel(*nets: nn.Module, kind: type[Task] = Classification) -> Panel:
    data = tiny.picture_data(test=SAMPLES)
    return Panel(tuple(member(letter, tiny.task(kind, one), data) for letter, one in zip("abc", nets, strict=False)))


def accuracies(asked: Panel) -> list[float]:
    """One by one, by hand."""
    found = []
    for one in asked.members:
        batch = tiny.samples(SAMPLES, seed=2)
        with torch.no_grad():
            logits = one.task.net((batch["image"].float() / 255 - 0.4) / 0.2)
        found.append(float((logits.argmax(1) == batch["label"]).float().mean()))
    return found


def test_gains_are_over_the_best_member_and_over_their_mean() -> None:
    asked = panel(net(0), net(3), net(5))
    alone = accuracies(asked)
    assert len(set(alone)) == 3
    content, together = compare_members(asked, [1.0, 2.0, 1.0], (), "test")
    assert [row["metrics"]["test/accuracy"] for row in content["members"]] == pytest.approx(alone)
    assert [row["weight"] for row in content["members"]] == [1.0, 2.0, 1.0]
    whole = content["ensemble"]["metrics"]["test/accuracy"]
    over_best, over_mean = content["gain_over_best"], content["gain_over_mean"]
    assert over_best["member"] == "abc"[alone.index(max(alone))]
    assert over_best["value"] == pytest.approx(whole - max(alone))
    assert over_mean["value"] == pytest.approx(whole - sum(alone) / 3)
    assert over_best["low"] <= over_best["value"] <= over_best["high"]
    assert over_best["fixed"] - over_best["broken"] == round((whole - max(alone)) * SAMPLES)
    assert (content["metric"], content["samples"], over_best["counted"]) == ("test/accuracy", SAMPLES, "pictures")
    assert over_best["method"] == "paired bootstrap over 40 pictures"
    assert len(together.rows["index"]) == SAMPLES


def test_an_ensemble_of_one_net_alone_in_weight_is_that_net() -> None:
    asked = panel(net(0), net(3))
    content, _ = compare_members(asked, [1.0, 1e9], (), "test")
    assert content["ensemble"]["metrics"]["test/accuracy"] == pytest.approx(accuracies(asked)[1])


def test_what_it_costs_is_the_sum_against_the_best() -> None:
    asked = panel(net(0), net(3, hidden=8))
    content, _ = compare_members(asked, [1.0, 1.0], (), "test")
    small, large = 64 * 3 + 3, 64 * 8 + 8 + 8 * 3 + 3
    assert [row["parameters"] for row in content["members"]] == [small, large]
    whole = content["ensemble"]
    assert (whole["parameters"], whole["weight_bytes"]) == (small + large, 4 * (small + large))
    best = {"a": small, "b": large}[content["gain_over_best"]["member"]]
    assert content["cost_in_weights"] == round((small + large) / best, 2)
    assert content["cost_in_time"] > 1
    assert whole["ms_per_picture"] >= max(row["ms_per_picture"] for row in content["members"])


def test_views_are_held_against_the_picture_as_it_is() -> None:
    asked = panel(net(3))
    content = compare_views(asked, "flip", FLIP, "test")
    (alone,) = accuracies(asked)
    averaged = content["tta"]["metrics"]["test/accuracy"]
    gain = content["tta"]["gain"]
    assert content["metrics"]["test/accuracy"] == pytest.approx(alone) and averaged != alone
    assert gain["value"] == pytest.approx(averaged - alone)
    assert gain["fixed"] - gain["broken"] == round((averaged - alone) * SAMPLES)
    assert (content["tta"]["name"], content["tta"]["views"]) == ("flip", [view.name for view in FLIP])
    assert content["tta"]["ms_per_picture"].keys() == {"as_it_is", "averaged"}


def test_of_maps_pixels_are_counted() -> None:
    content = compare_views(panel(tiny.pixel_net(), kind=Segmentation), "flip", FLIP, "val")
    gain = content["tta"]["gain"]
    assert gain["counted"] == "pixels" and gain["metric"] == "val/miou"
    assert gain["fixed"] + gain["broken"] > 10, "of 10 pictures with 64 pixels"


def test_it_is_plain_values() -> None:
    content, _ = compare_members(panel(net(0), net(3)), [1.0, 1.0], FLIP, "val")
    assert json.loads(json.dumps(content)) == content
