"""What a run is made of: weights that the seed alone decides, settings that arrive where they belong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.builders.build import build, build_net, build_task
from cnnexp.builders.class_weights import with_class_weights
from cnnexp.builders.facts import provisional_facts, renamed
from cnnexp.config.compose import compose_run
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from tests.builders.made import CLASSES, configuration


def weights(net: nn.Module) -> Tensor:
    return torch.cat([one.detach().flatten() for one in net.parameters()])


def net_of(config: dict[str, Any], trusted: tuple[str, ...] = ()) -> nn.Module:
    return build_net(config, provisional_facts(config), trusted)[0]


def last_stages(**keys: Any) -> dict[str, Any]:
    """LeNet-5 from weights that somebody trained, of which the end goes on learning."""
    return configuration(
        model={
            "_target_": "cnnexp.models.lenet5.LeNet5",
            "activation": "tanh",
            "pooling": "average",
            "weights": "w.pth",
        },
        data={"image_size": [32, 32], "count": 10},
        **keys,
    )


# --- the seed ---------------------------------------------------------------------------------------------------------


def test_the_first_weights_are_a_function_of_the_seed_alone() -> None:
    first = weights(build(configuration(seed=3)).task.net)
    torch.rand(17)  # whatever else drew a number
    assert torch.equal(weights(build(configuration(seed=3, data={"count": 70})).task.net), first)
    assert torch.equal(weights(net_of(configuration(seed=3))), first)
    assert not torch.equal(weights(net_of(configuration(seed=4))), first)
    torch.manual_seed(3)
    assert torch.equal(weights(nn.Linear(3 * 8 * 8, 3)), first)


def test_a_net_that_is_handed_in_is_taken_as_it_is() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))
    before = weights(net)
    assert build(configuration(), net=net).task.net is net
    assert torch.equal(weights(net), before)


def test_the_order_in_memory_is_what_the_hardware_asks_for() -> None:
    for asked in (True, False):
        net = net_of(last_stages(hardware={"channels_last": asked}))
        kernels = [one for one in net.parameters() if one.ndim == 4 and one.shape[1] > 1]
        assert kernels and all(one.is_contiguous(memory_format=torch.channels_last) == asked for one in kernels)


# --- what makes no net ------------------------------------------------------------------------------------------------


def test_arguments_that_make_no_net_are_one_line_with_the_nets_name(own_net: str) -> None:
    config = configuration(model={"_target_": f"{own_net}.Narrow"}, choices={"model": "narrow"})
    with pytest.raises(InputError, match=r"^model=narrow: 192 pixels are too many$"):
        net_of(config, (own_net.split(".")[0],))


def test_a_function_that_makes_something_else_is_refused(own_net: str) -> None:
    config = configuration(model={"_target_": f"{own_net}.no_net"})
    with pytest.raises(InputError, match=r"^model\._target_ made no torch\.nn\.Module$"):
        net_of(config, (own_net.split(".")[0],))


def test_a_fault_in_the_nets_own_code_is_not_taken_for_bad_input(own_net: str) -> None:
    config = configuration(model={"_target_": f"{own_net}.Faulty"})
    with pytest.raises(ZeroDivisionError):
        net_of(config, (own_net.split(".")[0],))


@pytest.fixture
def own_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user's module of nets that cannot be made."""
    name = "own_nets_of_the_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "nets.py").write_text(
        "from torch import nn\n"
        "class Narrow(nn.Module):\n"
        "    def __init__(self, in_channels: int, image_size: tuple[int, int]) -> None:\n"
        "        raise ValueError(f'{in_channels * image_size[0] * image_size[1]} pixels are too many')\n"
        "class Faulty(nn.Module):\n    def __init__(self) -> None:\n        1 / 0\n"
        "def no_net() -> nn.Module:\n    return 'a net'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield f"{name}.nets"
    for module in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[module]


# --- what is handed on ------------------------------------------------------------------------------------------------


def test_every_setting_of_the_recipe_arrives_in_its_own_place() -> None:
    config = configuration(
        seed=7, epochs=11, accumulate=2,
        task={"monitor": "val/loss", "mode": "min"},
        regularization={
            "l1": 0.1, "l2": 0.2, "gradient_clip_norm": 3.0, "max_norm": 4.0, "ema_decay": 0.5,
            "include_biases_and_norms": True,
        },
        optimizer={"stage_rates": [1.0]},
    )  # fmt: skip
    recipe = build(config).recipe
    assert recipe is not None
    assert (recipe.seed, recipe.epochs, recipe.accumulate) == (7, 11, 2)
    assert (recipe.monitor, recipe.mode) == ("val/loss", "min")
    assert recipe.stage_rates == [1.0]
    one = recipe.regularization
    assert (one.penalty.l1, one.penalty.l2, one.gradient_clip_norm, one.max_norm) == (0.1, 0.2, 3.0, 4.0)
    assert one.ema_decay == 0.5 and one.include_biases_and_norms


def test_the_rates_of_a_transfer_are_the_recipes() -> None:
    target = "cnnexp.training.transfer.FineTune"
    recipe = build(last_stages(transfer={"_target_": target, "rate_decay": 0.5})).recipe
    assert recipe is not None and recipe.stage_rates == 0.5


def test_what_never_learns_is_frozen_before_an_optimizer_is_made() -> None:
    target = "cnnexp.training.transfer.LastStages"
    net = build(last_stages(transfer={"_target_": target, "stages": 1})).task.net
    learns = [one.requires_grad for one in net.parameters()]
    assert not learns[0] and learns[-1] and learns == sorted(learns)


def test_only_where_the_task_wants_it_values_are_centred() -> None:
    facts = provisional_facts(configuration())
    batch = {"image": torch.full((1, 3, 8, 8), 255, dtype=torch.uint8), "index": torch.zeros(1, dtype=torch.int64)}
    centred = build_task(configuration(), facts).prepare(dict(batch), train=False)["image"]
    assert centred.unique().tolist() == pytest.approx([(1 - 0.5) / 0.25])
    rebuilding = configuration(
        task={"_target_": "cnnexp.tasks.autoencoder.Autoencoder", "name": "autoencoder", "target": None},
        loss={"_target_": "cnnexp.losses.squared_error.SquaredError"},
    )
    plain = build_task(rebuilding, facts, net=nn.Identity()).prepare(dict(batch), train=False)["image"]
    assert plain.unique().tolist() == pytest.approx([1.0])


def test_the_loss_has_the_smoothing_and_the_weights_of_the_configuration() -> None:
    smoothed = build(configuration(regularization={"label_smoothing": 0.25, "class_weights": [1, 2, 4]})).task.loss
    assert smoothed is not None
    logits, label = torch.zeros(3, 3), torch.tensor([0, 1, 2])
    logits[0, 0] = 1.0
    expected = nn.CrossEntropyLoss(torch.tensor([1.0, 2.0, 4.0]), label_smoothing=0.25)(logits, label)
    torch.testing.assert_close(smoothed(logits, {"label": label}, True).mean, expected)


def test_what_an_augmentation_learns_it_learns_from_the_training_split() -> None:
    pca = {"sigma": 0.1, "of": "data", "probability": 1.0}
    experiment = build(configuration(augmentation={"_target_": "cnnexp.augmentation.engine.Augmentation", "pca": pca}))
    pixels = experiment.data.split("train").batch(range(40))["image"].numpy() / 255
    variances = np.linalg.eigvalsh(np.cov(pixels.transpose(1, 0, 2, 3).reshape(3, -1), bias=True))
    learnt = experiment.task.preparation.augmentation.colouring["pca"].values  # type: ignore[attr-defined]
    assert sorted(learnt) == pytest.approx(sorted(variances), rel=1e-3)


# --- class weights ----------------------------------------------------------------------------------------------------


def test_balanced_becomes_a_number_for_each_class_of_the_part_that_trains() -> None:
    config = configuration(regularization={"class_weights": "balanced"}, data={"fraction": 0.5})
    experiment = build(config)
    done = with_class_weights(config, experiment.data, experiment.task)
    labels = experiment.data.split("train").batch(experiment.data.train_positions())["label"].numpy()
    assert len(labels) == 20
    counts = np.bincount(labels, minlength=3)
    expected = [round(float(20 / (3 * count)), 6) for count in counts]
    assert done["regularization"] == {**config["regularization"], "class_weights": expected}
    assert {key: value for key, value in done.items() if key != "regularization"} == {
        key: value for key, value in config.items() if key != "regularization"
    }
    assert config["regularization"]["class_weights"] == "balanced", "what was given is left alone"


def test_other_weights_stay_as_they_are() -> None:
    config = configuration(regularization={"class_weights": [1, 2, 3]})
    experiment = build(config)
    assert with_class_weights(config, experiment.data, experiment.task) == config


def test_a_truth_whose_classes_nobody_counts_cannot_be_balanced() -> None:
    config = configuration(regularization={"class_weights": "balanced"})
    experiment = build(config)

    class Uncounted(Label):
        def counts(self, split: Any, positions: Any) -> list[int]:
            raise NotImplementedError

    experiment.task.answer = Uncounted(CLASSES)
    with pytest.raises(InputError, match=r"class_weights=balanced: nothing counts the classes"):
        with_class_weights(config, experiment.data, experiment.task)


# --- facts ------------------------------------------------------------------------------------------------------------


def test_a_net_is_told_how_many_outputs_there_are_and_how_large_a_picture_is() -> None:
    config = configuration(data={"channels": 1, "image_size": [4, 6], "classes": ["a", "b", "c", "d"]})
    net = net_of(config)
    assert net(torch.zeros(2, 1, 4, 6)).shape == (2, 4)


def test_other_names_leave_the_forms_of_the_truths() -> None:
    facts = Facts("tiny", Pictures(1, (4, 4)), {"label": Label(("a", "b")), "mask": Mask(("a", "b"))})
    other = renamed(facts, ("x", "y", "z"))
    assert {word: type(one) for word, one in other.targets.items()} == {"label": Label, "mask": Mask}
    assert other.names("label") == other.names("mask") == ("x", "y", "z")
    assert facts.names("label") == ("a", "b")


def test_a_net_that_brings_its_loss_is_given_the_class_weights() -> None:
    words = ["model=yolo", "data=digit_scenes", "model.width=4", "model.depth=1"]
    weights = list(range(1, 11))
    facts = provisional_facts(compose_run(words))
    net, _ = build_net(compose_run([*words, f"regularization.class_weights={weights}"]), facts)
    assert net.class_weights.tolist() == weights
    net, _ = build_net(compose_run([*words, "regularization.class_weights=balanced"]), facts)
    assert net.class_weights is None, "the numbers come with the data"
