"""A configuration is bound once, before any data is touched; what only the data knows is handed over later."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.geometry import Rotate
from cnnexp.builders.binding import BoundRun, bind_run
from cnnexp.builders.build import build, net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.refusing import refuse_unfit
from cnnexp.config.compose import compose_run
from cnnexp.data.mnist5k import MNIST5k
from cnnexp.errors import InputError
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.models.lenet5 import LeNet5
from cnnexp.sampling.per_class import PerClass
from cnnexp.training.schedules import Cosine, WarmUp
from tests.data.tiny import write_class_folders

LINEAR = ["model=linear", "augmentation=none", "data.image_size=[8,8]", "data.in_memory=true", "hardware=cpu"]


def bound(*words: str) -> BoundRun:
    return bind_run(compose_run(list(words)))


def lines_of(config: dict[str, Any], *trusted: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        bind_run(config, trusted)
    return list(refused.value.lines)


# --- before the data and after it -------------------------------------------------------------------------------------


def test_what_only_the_data_knows_is_handed_over_when_something_is_made() -> None:
    config = compose_run(["model=lenet5", "data=mnist5k"])
    run, facts = bind_run(config), provisional_facts(config)
    assert run.net.make is LeNet5 and run.net.wanted == {"in_channels", "num_classes", "image_size"}
    assert run.net.arguments["activation"] == "relu"
    given = net_for(run, facts, config).keywords
    assert {key: given[key] for key in run.net.wanted} == {
        "in_channels": 1,
        "num_classes": 10,
        "image_size": (28, 28),
    }
    assert isinstance(net_for(run, facts, config)(), LeNet5)


def test_what_the_configuration_says_of_the_net_wins() -> None:
    run = bound("model=lenet5", "data=mnist5k", "+model.num_classes=7")
    assert "num_classes" not in run.net.wanted and run.net.arguments["num_classes"] == 7


def test_one_binding_makes_as_many_as_are_asked_for() -> None:
    run = bound("model=lenet5", "scheduler.warmup_epochs=2", "augmentation=flip")
    schedules = run.schedule(), run.schedule()
    assert schedules[0] is not schedules[1] and isinstance(schedules[0], WarmUp)
    assert isinstance(bound("model=lenet5", "scheduler=cosine").schedule(), Cosine)
    assert run.augmentation() is not run.augmentation()


def test_nothing_is_read_before_all_is_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bound(*LINEAR, "data=image_folder", f"data.root={tmp_path / 'nowhere'}").net.make is not None
    monkeypatch.setattr(MNIST5k, "prepare", lambda _self: pytest.fail("the data was prepared"))
    config = compose_run(["model=lenet5", "data=mnist5k"])
    config["model"]["activatoin"] = "relu"
    with pytest.raises(InputError, match=r"model\.activatoin: nothing reads it in LeNet5; did you mean activation"):
        build(config)


def test_all_that_does_not_fit_is_told_at_once() -> None:
    config = compose_run(["model=lenet5", "scheduler.warmup_epochs=20"])
    config["model"]["poling"] = "max"
    config["optimizer"]["momentun"] = 0.9
    config["loss"]["alpha"] = 1.0
    config["augmentation"]["rotat"] = {"degrees": 3.0}
    config["transfer"]["stages"] = 2
    config["sampling"]["samples"] = 2
    begins = [line.split(": ")[0] for line in lines_of(config)]
    assert begins == [
        "model.poling", "loss.alpha", "optimizer.momentun", "scheduler.warmup_epochs=20", "augmentation.rotat",
        "transfer.stages", "sampling.samples",
    ]  # fmt: skip


# --- class weights ----------------------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder with three classes, which only reading it tells."""
    return write_class_folders(tmp_path / "root", 10, ("cat", "dog", "eel"))


def weighed(root: Path, weights: str, *words: str) -> dict[str, Any]:
    return compose_run(
        [*LINEAR, "data=image_folder", f"data.root={root}", f"regularization.class_weights={weights}", *words]
    )


def test_a_weight_for_each_class_of_a_folder_is_taken(three: Path) -> None:
    config = weighed(three, "[1,2,3]")
    refuse_unfit(config, bind_run(config), provisional_facts(config))  # two stand-ins say nothing of the number
    task = build(config).task
    assert task.facts.names("label") == ("cat", "dog", "eel")
    assert isinstance(task.loss, CrossEntropy) and task.loss.class_weights is not None
    assert task.loss.class_weights.tolist() == [1, 2, 3]


@pytest.mark.parametrize("weights", ["[1,2]", "[1,2,3,4]"])
def test_another_number_of_weights_is_refused_once_the_data_is_known(three: Path, weights: str) -> None:
    count = weights.count(",") + 1
    with pytest.raises(InputError, match=f"class_weights: {count} factors for 3 classes; give one for each"):
        build(weighed(three, weights))


def test_where_the_classes_are_stated_it_is_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MNIST5k, "prepare", lambda _self: pytest.fail("the data was prepared"))
    with pytest.raises(InputError, match="class_weights: 3 factors for 10 classes"):
        build(compose_run(["model=linear", "data=mnist5k", "regularization.class_weights=[1,2,3]"]))
    with pytest.raises(InputError, match="class_weights: 2 factors for 3 classes"):
        build(weighed(Path("nowhere"), "[1,2]", "data.classes=[cat,dog,eel]"))


# --- what a net or a loss has no place for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["model=linear", "regularization.dropout=0.5"],
            "regularization.dropout=0.5: model=linear has no place for dropout; leave it null, or set "
            "regularization.if_unsupported=ignore for a sweep over several nets",
        ),
        (
            ["model=lenet5", "regularization.stochastic_depth=0.2"],
            "regularization.stochastic_depth=0.2: model=lenet5 has no place for stochastic depth; leave it null, or "
            "set regularization.if_unsupported=ignore for a sweep over several nets",
        ),
        (
            ["model=conv_autoencoder", "regularization.label_smoothing=0.1"],
            "regularization.label_smoothing=0.1: the task autoencoder does not use it; leave it 0, or set "
            "regularization.if_unsupported=ignore",
        ),
        (
            ["model=unet", "data=isbi_em", "regularization.label_smoothing=0.1"],
            "regularization.label_smoothing=0.1: the task segmentation does not use it; leave it 0, or set "
            "regularization.if_unsupported=ignore",
        ),
        (
            ["model=conv_autoencoder", "regularization.class_weights=balanced"],
            "regularization.class_weights=balanced: the task autoencoder does not use it; leave it null, or set "
            "regularization.if_unsupported=ignore",
        ),
    ],
)
def test_regularization_without_a_place(words: list[str], line: str) -> None:
    assert lines_of(compose_run(words)) == [line]
    config = compose_run([*words, "regularization.if_unsupported=ignore"])
    refuse_unfit(config, bind_run(config), provisional_facts(config))
    net_for(bind_run(config), provisional_facts(config), config)()


def test_regularization_goes_where_there_is_a_place() -> None:
    run = bound("model=resnet20", "data=cifar10", "regularization.stochastic_depth=0.2")
    assert run.net.arguments["stochastic_depth"] == 0.2
    assert run.loss is not None and run.loss.wanted == {"label_smoothing", "class_weights"}
    loss = run.loss(label_smoothing=0.1, class_weights=(1.0, 2.0), num_classes=2)
    assert isinstance(loss, CrossEntropy) and loss.label_smoothing == 0.1
    net = bound("model=alexnet", "data=cifar10", "regularization.dropout=0.3", "model.dropout=0.5").net
    assert net.arguments["dropout"] == 0.3, "what is asked of every net wins over the net's own"


def test_a_net_may_bring_its_own_loss() -> None:
    assert bound("model=yolo", "data=bccd").loss is None
    config = compose_run(["model=yolo", "data=bccd"])
    config["loss"]["weight"] = 2.0
    assert lines_of(config) == ["loss.weight: nothing reads it, as loss._target_ is null; choose another loss"]


def test_samples_are_drawn_as_the_group_says() -> None:
    sampling = bound("model=lenet5", "sampling=per_class", "sampling.samples=8").sampling()
    assert isinstance(sampling, PerClass) and sampling.samples == 8


# --- optimizers -------------------------------------------------------------------------------------------------------

GAN = ["model=dcgan", "data=mnist5k", "data.image_size=[32,32]"]


def test_one_optimizer_where_there_is_one_turn() -> None:
    ((turn, make),) = bound("model=lenet5", "optimizer=sgd", "optimizer.lr=0.5").optimizers.items()
    assert turn == "" and make.func is torch.optim.SGD
    assert (make.keywords["lr"], make.keywords["fused"]) == (0.5, True)
    assert not {"_target_", "stage_rates", "of", "params"} & set(make.keywords)


def test_an_optimizer_for_each_turn_with_keys_of_its_own() -> None:
    run = bound(*GAN, "optimizer.weight_decay=0.01", "optimizer.of.generator.lr=0.5")
    assert tuple(run.optimizers) == run.task.turns == ("discriminator", "generator")
    one, other = run.optimizers["discriminator"].keywords, run.optimizers["generator"].keywords
    assert (one["lr"], other["lr"]) == (0.0002, 0.5)
    assert {key: value for key, value in one.items() if key != "lr"} == {
        key: value for key, value in other.items() if key != "lr"
    }
    made = run.optimizers["generator"](nn.Linear(2, 2).parameters())
    assert (made.defaults["lr"], made.defaults["weight_decay"], made.defaults["betas"]) == (0.5, 0.01, (0.5, 0.999))


def test_the_form_of_each_optimizer_is_chosen_by_its_own_keys() -> None:
    run = bound(*GAN, "optimizer=sgd", "optimizer.of={generator: {dampening: 0.5}}")
    one, other = run.optimizers["discriminator"].keywords, run.optimizers["generator"].keywords
    assert one.get("fused") is True and "dampening" not in one
    assert other["dampening"] == 0.5 and "fused" not in other, "torch's fused form does not dampen as its others do"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["model=lenet5", "optimizer.of={a: {lr: 1.0}}"], "optimizer.of.a: no optimizer of that name; this task has a"),
        ([*GAN, "+optimizer.of.a.lr=1.0"], "optimizer.of.a: no optimizer of that name; discriminator, generator"),
        ([*GAN, "+optimizer.of.generator.rl=1"], "optimizer.of.generator.rl: nothing reads it in Adam; did you mean"),
        ([*GAN, "+optimizer.momentum=0.1"], "optimizer.momentum: nothing reads it in Adam"),
    ],
)
def test_keys_of_no_optimizer(words: list[str], line: str) -> None:
    (found,) = lines_of(compose_run(words))
    assert found.startswith(line)


# --- augmentation -----------------------------------------------------------------------------------------------------


def test_operations_are_bound_one_by_one_in_the_order_given() -> None:
    made = bound("model=lenet5", "augmentation=geometric", "augmentation.rotate.degrees=30").augmentation()
    assert isinstance(made, Augmentation) and made.active
    assert made.moving["rotate"] == Rotate(30, 1.0)
    order = list(compose_run(["augmentation=pictures"])["augmentation"])
    assert [name for name in order if name in made.moving] == list(made.moving)


def test_without_augmentation_pictures_are_cropped_all_the_same() -> None:
    made = bound("model=lenet5", "augmentation=none", "hardware.compile=true", "seed=5").augmentation()
    assert isinstance(made, Augmentation) and made.compiled and not made.active
    assert bound("model=fcn_1d", "data=ecg200", "augmentation=none").augmentation() is None


def test_a_key_that_nothing_reads_is_refused_without_augmentation_too() -> None:
    line = "augmentation.rotat: nothing reads it, as augmentation._target_ is null; choose another augmentation"
    assert lines_of(compose_run(["augmentation=none", "+augmentation.rotat.degrees=3"])) == [line]


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A user's package with operations: one on finished pictures, one on colours, and a class that is none."""
    name = "own_operations_of_the_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "invert.py").write_text(
        "class Invert:\n    lanes = 1\n"
        "    def __init__(self, probability: float) -> None:\n        self.probability = probability\n"
        "    @property\n    def active(self) -> bool:\n        return self.probability > 0\n"
        "class AtTheEnd(Invert):\n    def finish(self, image, u, white):\n        return -image\n"
        "class OfColours(Invert):\n    def on(self, colour, u):\n        return colour\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield f"{name}.invert"
    for module in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[module]


def test_an_operation_of_ones_own_stands_beside_the_shipped_ones(own_package: str) -> None:
    config = compose_run(["model=lenet5", "augmentation=flip"])
    config["augmentation"]["invert"] = {"_target_": f"{own_package}.AtTheEnd", "probability": 1.0}
    config["augmentation"]["tint"] = {"_target_": f"{own_package}.OfColours", "probability": 0.5}
    (line,) = lines_of({**config, "augmentation": {**config["augmentation"], "tint": {}}})[:1]
    assert line.startswith(f"operation._target_={own_package}.AtTheEnd: not a class of cnnexp") and "--trust" in line
    top = own_package.split(".")[0]
    made = bind_run(config, [top]).augmentation()
    assert set(made.finishing) == {"invert"} and set(made.colouring) == {"tint"}
    image = torch.randint(256, (2, 1, 28, 28), dtype=torch.uint8)
    facts = provisional_facts(config)
    preparation = facts.input.preparation(made, (), seed=0, centred=False, channels_last=False)
    batch = {"image": image, "index": torch.arange(2)}
    mirrored = preparation(batch, True, 0)["image"] * -255
    assert all(
        torch.allclose(one, whole.float()) or torch.allclose(one, whole.flip(2).float())
        for one, whole in zip(mirrored, image, strict=True)
    )


def test_what_is_no_operation_is_refused(own_package: str) -> None:
    top = own_package.split(".")[0]
    config = compose_run(["model=lenet5", "augmentation=flip"])
    config["augmentation"]["invert"] = {"_target_": f"{own_package}.Invert", "probability": 1.0}
    (line,) = lines_of(config, top)
    assert line.startswith("augmentation.invert: Invert is no operation; it is to have what ")
    assert "cnnexp.augmentation.operations.Finishing" in line
    config["augmentation"]["invert"] = {"_target_": f"{own_package}.AtTheEnd", "probabilty": 1.0}
    assert lines_of(config, top) == [
        "augmentation.invert.probabilty: nothing reads it in AtTheEnd; did you mean probability?",
        "augmentation.invert.probability: missing; AtTheEnd needs it",
    ]
