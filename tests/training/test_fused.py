"""Every optimizer in its fast form against torch's loop over the weights, where not all of them begin at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import yaml
from torch import Tensor, nn

from cnnexp.builders.binding import bind_run
from cnnexp.builders.target import import_target
from cnnexp.config.compose import compose_run
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.loop import go_directly
from cnnexp.paths import config_folder
from cnnexp.tasks.classification import Classification
from cnnexp.training.fused import FORMS, fill_momentum, one_kernel
from cnnexp.training.transfer import Transfer
from tests.tasks import tiny

Make = Callable[[Sequence[Any]], torch.optim.Optimizer]
STEPS = 3
"""Batches in an epoch; the first of two epochs is the first phase."""
SAVED = (1, STEPS + 2)
"""After so many steps a checkpoint is kept: one in mid-epoch of either phase."""
FROZEN = {"none": 0, "fine_tune": 0, "last_stages": 4, "feature_extractor": 6, "two_phase": 6}
"""How many of the net's eight weights and biases do not learn at the first step."""

pytestmark = pytest.mark.filterwarnings("ignore:Found . module.s. in eval mode")  # what is frozen is


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


@cache
def read(group: str, name: str) -> tuple[type, dict[str, Any]]:
    """The class that an option names, and its arguments."""
    content = yaml.safe_load((config_folder() / group / f"{name}.yaml").read_text(encoding="utf-8"))
    given = content.get(group, content)
    return import_target(given["_target_"], group), {key: one for key, one in given.items() if key != "_target_"}


def optimizer_of(name: str, plain: bool = False, **changes: Any) -> Make:
    """What makes an option's optimizer, in the form that a run takes or in the one that loops over the weights."""
    class_, given = read("optimizer", name)
    given = given | {"weight_decay": 0.01} | changes
    form = one_kernel(class_, given)
    assert form
    return partial(class_, **given, **(dict.fromkeys(form, False) if plain else form))


def transfer_of(name: str) -> Transfer:
    class_, given = read("transfer", name)
    return class_(**(given | ({"head_epochs": 1} if name == "two_phase" else {})))


def fresh_net() -> nn.Module:
    """Three stages and a head."""
    torch.manual_seed(0)
    body = [nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Flatten()]
    return nn.Sequential(*body, nn.Dropout(0.2), nn.Linear(16, 3))


class Saving(pl.Callback):
    """Keeps checkpoints, and the weights after the first step."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.first: list[Tensor] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        step = trainer.current_epoch * STEPS + batch_idx + 1
        if step == 1:
            self.first = [weight.detach().clone() for weight in pl_module.net.parameters()]
        if self.folder is not None and step in SAVED:
            trainer.save_checkpoint(self.folder / f"{step}.ckpt")


def fitted(
    make: Make, transfer: str, *, direct: bool = True, save: Path | None = None, resume: Path | None = None
) -> tuple[list[Tensor], list[Tensor]]:
    """The weights at the end of a run of two epochs, and after its first step."""
    net, way, data, saving = fresh_net(), transfer_of(transfer), tiny.picture_data(train=8 * STEPS, val=2), Saving(save)
    way.prepare(net)
    made = tiny.module(Classification, net, optimizer=make, transfer=way, stage_rates=way.stage_rates)
    made.steps_per_epoch = data.steps_per_epoch()
    trainer = tiny.trainer([saving])
    if direct:
        go_directly(trainer, pytest.fail)
    trainer.fit(made, datamodule=DataModule(data), ckpt_path=resume, weights_only=True)
    return [weight.detach() for weight in net.parameters()], saving.first


def assert_same(some: Sequence[Tensor], others: Sequence[Tensor]) -> None:
    """To the bit."""
    torch.testing.assert_close(list(some), list(others), rtol=0, atol=0)


@pytest.mark.parametrize("transfer", options("transfer"))
@pytest.mark.parametrize("name", options("optimizer"))
def test_every_transfer_with_every_optimizer(name: str, transfer: str, tmp_path: Path) -> None:
    """Gone on with in the second phase, in the other loop, to the bit; and near to what the plain form comes to."""
    whole, first = fitted(optimizer_of(name), transfer, save=tmp_path)
    begun = [torch.equal(one, other) for one, other in zip(first, fresh_net().parameters(), strict=True)]
    assert begun == [number < FROZEN[transfer] for number in range(8)], "decay and momentum leave frozen weights alone"
    resumed, _ = fitted(optimizer_of(name), transfer, direct=False, resume=tmp_path / f"{SAVED[1]}.ckpt")
    assert_same(resumed, whole)
    plain, _ = fitted(optimizer_of(name, plain=True), transfer, direct=False)
    torch.testing.assert_close(whole, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("direct", [True, False])
def test_a_checkpoint_with_the_momentum_of_the_head_alone(direct: bool, tmp_path: Path) -> None:
    """As fused SGD left it in the first phase."""
    whole, _ = fitted(optimizer_of("sgd"), "two_phase", save=tmp_path)
    path = tmp_path / f"{SAVED[0]}.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    state = checkpoint["optimizer_states"][0]["state"]
    unmoved = [number for number, one in state.items() if not one["momentum_buffer"].any()]
    assert len(unmoved) == FROZEN["two_phase"]
    for number in unmoved:
        del state[number]
    torch.save(checkpoint, path)
    assert_same(fitted(optimizer_of("sgd"), "two_phase", direct=direct, resume=path)[0], whole)


def test_dampened_momentum_begins_as_torchs() -> None:
    changes = {"dampening": 0.5, "nesterov": False}
    dampened, _ = fitted(optimizer_of("sgd", **changes), "two_phase")
    plain, _ = fitted(optimizer_of("sgd", plain=True, **changes), "two_phase")
    torch.testing.assert_close(dampened, plain, rtol=1e-4, atol=1e-5)


def weights() -> list[nn.Parameter]:
    """Two that decay and one that does not, one of them in the memory format of a run."""
    generator = torch.Generator().manual_seed(0)
    values = [torch.randn(*shape, generator=generator) for shape in ((8, 3, 3, 3), (3, 8), (5,))]
    return [nn.Parameter(values[0].to(memory_format=torch.channels_last)), *map(nn.Parameter, values[1:])]


def walked(
    optimizer: torch.optim.Optimizer, learning: Sequence[nn.Parameter], steps: int = 4, scaled: Sequence[str] = ()
) -> list[Tensor]:
    """The weights after some steps down random slopes.

    Args:
        scaled: ``scaled`` takes the steps as fp16 does, the first with a gradient that overflowed; ``unscaled`` as well
            looks at the true gradients before the step.
    """
    generator = torch.Generator().manual_seed(1)
    scaler = torch.amp.GradScaler("cpu", enabled="scaled" in scaled)
    for step in range(steps):
        optimizer.zero_grad()
        slopes = [torch.randn(one.shape, generator=generator) for one in learning]
        loss = torch.stack([(one * slope).sum() for one, slope in zip(learning, slopes, strict=True)]).sum()
        scaler.scale(loss * torch.inf if scaled and step == 0 else loss).backward()
        if "unscaled" in scaled:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    return [one.detach() for one in learning]


@pytest.mark.parametrize("scaled", [("scaled",), ("scaled", "unscaled")], ids=["", "unscaled"])
@pytest.mark.parametrize("name", options("optimizer"))
def test_a_first_step_that_overflows(name: str, scaled: Sequence[str]) -> None:
    """It is left out, and so changes neither the weights nor what the optimizer keeps."""
    fast, slow = weights(), weights()
    optimizer = optimizer_of(name)(fast)
    fill_momentum(optimizer)
    found = walked(optimizer, fast, scaled=scaled)
    torch.testing.assert_close(found, walked(optimizer_of(name, plain=True)(slow), slow, scaled=scaled))
    assert not torch.equal(found[0], weights()[0])


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_where_all_weights_begin_at_once_nothing_changes(nesterov: bool, weight_decay: float) -> None:
    make = optimizer_of("sgd", nesterov=nesterov, weight_decay=weight_decay)
    filled, bare = weights(), weights()
    optimizers = make(filled), make(bare)
    fill_momentum(optimizers[0])
    assert_same(walked(optimizers[0], filled), walked(optimizers[1], bare))
    kept, torchs = (one.state_dict() for one in optimizers)
    assert kept["param_groups"] == torchs["param_groups"]
    assert [list(one) for one in kept["state"].values()] == [list(one) for one in torchs["state"].values()]
    assert_same(*([one["momentum_buffer"] for one in each["state"].values()] for each in (kept, torchs)))
    assert kept["state"][0]["momentum_buffer"].is_contiguous(memory_format=torch.channels_last)


def test_what_is_there_is_kept() -> None:
    learning = weights()
    optimizer = optimizer_of("sgd")(learning)
    walked(optimizer, learning[:2])
    optimizer.state[learning[0]]["momentum_buffer"] = None  # as some versions of torch save what did not begin
    momentum = optimizer.state[learning[1]]["momentum_buffer"]
    before = momentum.clone()
    for _ in range(2):
        fill_momentum(optimizer)
    assert optimizer.state[learning[1]]["momentum_buffer"] is momentum and torch.equal(momentum, before)
    assert not any(optimizer.state[learning[place]]["momentum_buffer"].any() for place in (0, 2))


@pytest.mark.parametrize(
    "make",
    [
        optimizer_of("adam"),
        optimizer_of("sgd", momentum=0.0),
        optimizer_of("sgd", plain=True),
        optimizer_of("sgd", dampening=0.5),
        partial(torch.optim.SGD, momentum=0.9, dampening=0.5, fused=True),
    ],
    ids=["adam", "no momentum", "plain", "dampened", "dampened, fused by hand"],
)
def test_no_other_optimizer_is_given_momentum(make: Make) -> None:
    optimizer = make(weights())
    fill_momentum(optimizer)
    assert dict(optimizer.state) == {}


def test_a_checkpoint_of_the_plain_form_goes_on_in_the_fast_one() -> None:
    """Else a gradient scaler, which lets a fused optimizer unscale by itself, hands scaled gradients to a plain one."""
    learning, slow = weights(), weights()
    earlier, plain = torch.optim.SGD(learning, lr=0.1, momentum=0.9), torch.optim.SGD(slow, lr=0.1, momentum=0.9)
    walked(earlier, learning), walked(plain, slow)
    optimizer = optimizer_of("sgd")(learning)
    optimizer.load_state_dict(earlier.state_dict())
    assert not optimizer.param_groups[0]["fused"]
    fill_momentum(optimizer)
    assert [optimizer.param_groups[0][form] for form in FORMS] == [True, None]
    found = walked(optimizer, learning, scaled=("scaled",))
    torch.testing.assert_close(found, walked(plain, slow, scaled=("scaled",)))


def test_a_runs_form() -> None:
    config = compose_run(["model=lenet5", "data=mnist5k", "optimizer=sgd"])
    forms = []
    for dampening in (None, 0.0, 0.1):
        given = config["optimizer"] | ({} if dampening is None else {"dampening": dampening})
        (make,) = bind_run({**config, "optimizer": given}).optimizers.values()
        forms.append({key: value for key, value in make.keywords.items() if key in FORMS})
    assert forms == [{"fused": True}, {"fused": True}, {"foreach": True}]


@pytest.mark.parametrize("name", ["adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "radam", "rmsprop"])
def test_the_forms_of_the_others(name: str) -> None:
    form = "fused" if name in ("adam", "adamw", "adagrad") else "foreach"
    assert one_kernel(*read("optimizer", name)) == {form: True}


def test_a_form_that_is_asked_for_stands_alone() -> None:
    class_, given = read("optimizer", "sgd")
    asked = given | {"foreach": True}
    optimizer = class_(weights(), **asked, **one_kernel(class_, asked))
    assert [optimizer.defaults[form] for form in FORMS] == [None, True]
