"""The peers train on the same numbers as cnnexp, and transform them in the same way."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from cnnexp.bench import ours, peers
from cnnexp.bench.cells import Cell
from cnnexp.bench.pictures import PILPictures, loader_of, torchvision_transform
from cnnexp.bench.rows import all_rows
from cnnexp.bench.timing import EpochClock, Training, optimizer_of
from cnnexp.builders.build import Experiment, build
from cnnexp.builders.hardware import resolve_hardware
from cnnexp.config.compose import compose_run

COLOUR = ("model=resnet20", "data=synthetic", "data.count=64", "data.image_size=[8,9]", "batch_size=16")
GREY = ("model=linear", "data=mnist5k", "data.fraction=0.02", "batch_size=16")


def parts(words: tuple[str, ...]) -> tuple[Experiment, dict]:  # type: ignore[type-arg]
    config = resolve_hardware(compose_run(["hardware=cpu", "hardware.threads=1", *words]))
    return build(config), config


@pytest.mark.parametrize("words", [COLOUR, GREY], ids=["colour", "grey"])
def test_without_augmentation_a_peer_sees_the_pictures_that_cnnexp_sees(words: tuple[str, ...]) -> None:
    experiment, _ = parts(words)
    dataset = PILPictures(experiment, torchvision_transform("none", experiment))
    batch = experiment.data.split("train").batch(experiment.data.train_positions()[:16].tolist())
    expected = experiment.task.prepare(batch, train=False)["image"]
    found = torch.stack([dataset[position][0] for position in range(16)])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert [dataset[position][1] for position in range(16)] == batch["label"].tolist()


@pytest.mark.parametrize("words", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize("transform", ["shift", "crop_flip"])
def test_the_loaders_give_batches_of_normalised_pictures(words: tuple[str, ...], transform: str) -> None:
    experiment, config = parts(words)
    cell = Cell("plain", words, transform=transform)  # type: ignore[arg-type]
    timms = peers._timm_batches(experiment, config, cell, torch.device("cpu"))
    shape = (16, *experiment.facts.input.shape)
    plain = loader_of(experiment, config, cell)
    assert len(plain) == len(timms)  # type: ignore[arg-type]
    names = [type(one).__name__ for one in plain.dataset.transform.transforms]  # type: ignore[attr-defined]
    timms_names = [type(one).__name__ for one in timms.dataset.transform.transforms]  # type: ignore[attr-defined]
    assert names == [name.replace("MaybeToTensor", "ToTensor") for name in timms_names], "the same operations"
    for loader in (plain, timms):
        image, label = next(iter(loader))
        assert image.shape == shape and image.dtype == torch.float32
        assert label.shape == (16,)


def test_the_optimizer_of_a_peer_is_the_one_of_the_run() -> None:
    experiment, config = parts(COLOUR)
    optimizer = optimizer_of(config, experiment.task.net)
    assert isinstance(optimizer, torch.optim.SGD)
    wanted = {name: config["optimizer"][name] for name in ("lr", "momentum", "weight_decay", "nesterov")}
    assert {name: optimizer.defaults[name] for name in wanted} == wanted


def test_a_step_of_the_loops_learns() -> None:
    experiment, config = parts(GREY)
    training = Training(experiment.task.net, config)
    batch = experiment.task.prepare(experiment.data.split("train").batch(range(16)), train=False)
    losses = [float(training.step(training.picture(batch["image"]), batch["label"])[0]) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]


def test_the_clock_leaves_out_the_first_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 60.0, 61.0, 70.0, 72.0])  # the end of the first epoch is not looked at
    clock = EpochClock(2.5, torch.device("cpu"))
    monkeypatch.setattr("cnnexp.bench.timing.time", type("Time", (), {"perf_counter": lambda: next(times)}))
    done = []
    for _ in range(3):
        clock.start()
        clock.stop(10, 640)
        done.append(clock.done)
    assert done == [False, False, True]
    assert (clock.rate().images, clock.rate().steps, clock.rate().seconds) == (1280, 20, 3.0)


# Lightning's advice to log more often and to take more workers
@pytest.mark.filterwarnings("ignore::lightning_fabric.utilities.warnings.PossibleUserWarning")
@pytest.mark.parametrize(
    ("program", "run"), [("plain", peers.plain), ("timm", peers.timm_loader), ("lightning", peers.lightning)]
)
def test_a_peer_measures_whole_epochs(program: str, run) -> None:  # type: ignore[no-untyped-def]
    rate = run(Cell(program, GREY, transform="shift", seconds=0.01))  # type: ignore[arg-type]
    steps = len(build_positions(GREY)) // 16
    assert rate.steps % steps == 0 and rate.steps >= steps
    assert rate.images == 16 * rate.steps


def build_positions(words: tuple[str, ...]) -> list[int]:
    return parts(words)[0].data.train_positions().tolist()


def test_indexed_batches_come_in_another_order_each_epoch() -> None:
    orders = list(islice(ours._endless_orders(100, 32), 6))
    assert [len(order) for order in orders] == [32] * 6
    first, second = torch.cat(orders[:3]), torch.cat(orders[3:])
    assert len(set(first.tolist())) == len(set(second.tolist())) == 96
    assert not torch.equal(first, second)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_the_rows_are_those_of_the_table(device: str) -> None:
    rows = all_rows(device, 16)  # type: ignore[arg-type]
    targets = {(row.name, one.name): one.target for row in rows for one in row.variants}
    assert targets == {
        ("lenet5", "everything on"): 3.3,
        ("lenet5", "fast path"): 3.5,
        ("resnet20_fp32", "cnnexp"): 1.3,
        ("resnet20_bf16", "cnnexp"): 1.25,
        ("resnet18", "cnnexp"): 0.98,
        ("synthetic_bound", "cnnexp"): 0.95,
        ("crop_flip", "eager"): 12.0,
        ("crop_flip", "compiled"): 40.0,
        ("everything", "eager"): 8.0,
        ("trials", "forked"): 2.0,
        ("overhead", "everything on"): 350.0,
        ("overhead", "fast path"): 100.0,
    }
    for row in rows:
        words = {cell.words for peer in row.peers for cell in peer.cells} | {one.cell.words for one in row.variants}
        assert len(words) == 1, "a peer trains what cnnexp trains"
