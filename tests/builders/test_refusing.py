"""Parts of a configuration that do not go together, beyond what the tests of binding refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cnnexp.builders.binding import bind_run
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.refusing import refuse_transfer, refuse_unfit
from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError
from cnnexp.training.transfer import FeatureExtractor, FineTune, Transfer, TwoPhase
from tests.builders.made import configuration


def unfit(config: dict[str, Any], named: bool = True) -> list[str]:
    try:
        refuse_unfit(config, bind_run(config), replace(provisional_facts(config), named=named))
    except InputError as error:
        return list(error.lines)
    return []


def problems(transfer: Transfer, **changes: Any) -> list[str]:
    config = configuration(choices={"transfer": "the_one"}, **changes)
    try:
        refuse_transfer(config, transfer, bind_run(config))
    except InputError as error:
        return list(error.lines)
    return []


# --- data, net and loss -----------------------------------------------------------------------------------------------


def test_weights_are_counted_where_the_classes_are_known() -> None:
    config = configuration(regularization={"class_weights": [1.0, 2.0]})
    assert unfit(config) == ["regularization.class_weights: 2 factors for 3 classes; give one for each"]
    assert unfit(config, named=False) == [], "two stand-ins say nothing of the number"
    assert unfit(configuration(regularization={"class_weights": "balanced"})) == [], "a word is no list of eight"


def test_a_net_with_one_answer_for_a_whole_signal_is_refused_for_its_parts() -> None:
    config = configuration(
        model={"_target_": "cnnexp.models.fcn_1d.FCN1d", "widths": [4], "kernel_sizes": [3]},
        data={"input": "signals", "length": 16, "channels": 1, "mean": [0.0], "std": [1.0], "sequence": True},
        choices={"model": "fcn_1d"},
    )
    (line,) = unfit(config)
    assert line.startswith("data.sequence=true: model=fcn_1d has one answer for a whole signal; take a net that")
    config["data"]["sequence"] = False
    assert unfit(config) == []


def test_blended_pictures_need_a_loss_that_knows_them() -> None:
    mixup = {"_target_": "cnnexp.augmentation.engine.Augmentation", "mixup": {"alpha": 0.2, "probability": 1.0}}
    assert unfit(configuration(augmentation=mixup)) == []
    squared = {"_target_": "cnnexp.losses.squared_error.SquaredError"}
    lines = unfit(configuration(augmentation=mixup, loss=squared))
    assert lines[1].startswith("augmentation.mixup")
    assert lines[0].startswith("loss=") and lines[0].count("is of picture, and task=classification learns label") == 1


# --- transfer ---------------------------------------------------------------------------------------------------------


def test_there_must_be_something_to_transfer() -> None:
    (line,) = problems(FeatureExtractor(cache=False))
    assert line.startswith("transfer=the_one: the net has random weights") and "model.weights=FILE" in line
    assert problems(FeatureExtractor(cache=False), model={"weights": "a.pth"}) == []
    assert problems(Transfer()) == []


def test_rates_are_given_in_one_place() -> None:
    weights = {"weights": "a.pth"}
    (line,) = problems(FineTune(rate_decay=0.5), model=weights, optimizer={"stage_rates": 0.1})
    assert line.startswith("optimizer.stage_rates=0.1: transfer=the_one has rates of its own")
    assert problems(FineTune(rate_decay=0.5), model=weights) == []
    assert problems(Transfer(), optimizer={"stage_rates": 0.1}) == []


def test_what_begins_to_learn_during_a_run_takes_one_process() -> None:
    phases, weights = TwoPhase(head_epochs=1, rate=0.1), {"weights": "a.pth"}
    (line,) = problems(phases, model=weights, hardware={"strategy": "ddp"})
    assert line.startswith("transfer=the_one takes one process")
    assert problems(phases, model=weights) == []
    assert problems(Transfer(), hardware={"strategy": "ddp"}) == []


def test_all_that_is_wrong_with_a_transfer_is_told_at_once() -> None:
    phases = TwoPhase(head_epochs=3, rate=0.1)
    found = problems(phases, hardware={"strategy": "ddp"})
    assert [line.split(":")[0].split(" takes")[0] for line in found] == [
        "transfer.head_epochs=3", "transfer=the_one", "transfer=the_one",
    ]  # fmt: skip


@pytest.mark.parametrize(("strategy", "refused"), [("ddp", True), ("auto", False)])
def test_optimizers_in_turn_take_one_process(strategy: str, refused: bool) -> None:
    config = configuration(hardware={"strategy": strategy})
    bound = bind_run(config)

    class InTurn(bound.task):  # type: ignore[name-defined, misc]
        one_process = True

    config["task"]["name"] = "gan"
    lines: list[str] = []
    try:
        refuse_transfer(config, Transfer(), replace(bound, task=InTurn))
    except InputError as error:
        lines = list(error.lines)
    assert bool(lines) == refused
    assert all(line.startswith("the task gan takes one process") and "hardware.devices=1" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ("model=lenet5", "data=mnist5k", "loss=dice"),
            ["loss=dice: is of mask, and task=classification learns label"],
        ),
        (
            ("model=unet", "data=digit_scenes", "loss=combined", "loss.parts={cross_entropy:1,dice:1}"),
            ["loss.parts.cross_entropy: is of label, and task=segmentation learns mask"],
        ),
        (
            ("model=dcgan", "data=mnist5k", "loss=combined", "loss.parts={adversarial:1,squared_error:1}"),
            ["loss=combined: task=gan takes a single loss; name that one"],
        ),
        (
            ("model=unet", "data=digit_scenes", "loss=combined", "loss.parts={adversarial:1,dice:1}"),
            ["loss.parts.adversarial: cannot stand beside other losses"],
        ),
        (
            ("model=dncnn", "data=imagenette", "loss=absolute_error", "regularization.class_weights=[1,2]"),
            ["regularization.class_weights=[1, 2]: the task denoise does not use it"],
        ),
        (("model=unet3d", "data=digit_volumes", "loss=dice", "regularization.class_weights=[1,2]"), []),
        (("model=dncnn", "data=imagenette", "loss=combined", "loss.parts={absolute_error:1,squared_error:9}"), []),
    ],
)
def test_losses_are_of_what_the_task_learns(words: tuple[str, ...], lines: list[str]) -> None:
    found = []
    try:
        config = compose_run(words)
        refuse_unfit(config, bind_run(config), provisional_facts(config))
    except InputError as error:
        found = list(error.lines)
    assert len(found) == len(lines)
    assert all(one.startswith(line) for one, line in zip(found, lines, strict=True)), found
