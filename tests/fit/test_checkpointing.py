"""When a run is saved, which epoch is its best, and when it ends."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cnnexp.errors import InputError, RunFailed
from cnnexp.fit import checkpointing
from cnnexp.fit.checkpointing import Checkpointing, progress_of
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.module import TaskModule
from cnnexp.fit.stopping import StopRequested, StopSignal
from cnnexp.runs.checkpoints import BEST, LAST, kept_epochs, of_epoch
from cnnexp.tasks.classification import Classification
from cnnexp.training.learner import Learner
from tests.tasks import tiny

NAN = float("nan")


def saving(folder: Path, **changes: Any) -> Checkpointing:
    given: dict[str, Any] = dict(monitor="val/accuracy", mode="max", every_steps=None, max_steps=None)
    given |= dict(patience=None, min_delta=0.0, signal=StopSignal())
    return Checkpointing(folder, **(given | changes))


class Epochs:
    """Plays the ends of epochs with given scores; the trainer is only asked where it is."""

    def __init__(self, saving: Checkpointing, epochs: int = 100) -> None:
        self.saving = saving
        self.module = tiny.module(Classification, tiny.linear_net())
        self.trainer: Any = SimpleNamespace(
            current_epoch=0,
            max_epochs=epochs,
            world_size=1,
            is_global_zero=True,
            should_stop=False,
            save_checkpoint=lambda path: Path(path).write_text("saved"),
        )

    def play(self, *scores: float, name: str = "val/accuracy") -> int | None:
        """The number of the epoch after which the run ends, if it does; weights say which epoch they are from."""
        for score in scores:
            self.module.results = {name: score, "train/loss": 1.0}
            with torch.no_grad():
                next(self.module.net.parameters()).fill_(self.trainer.current_epoch + 1)
            self.saving.on_train_epoch_end(self.trainer, self.module)
            self.trainer.current_epoch += 1
            if self.trainer.should_stop:
                return int(self.trainer.current_epoch)
        return None


def best(folder: Path) -> dict[str, Any]:
    return torch.load(folder / BEST, weights_only=True)


@pytest.mark.parametrize(
    ("mode", "scores", "epoch"),
    [
        ("max", [0.5, 0.7, 0.6], 2),
        ("min", [0.5, 0.7, 0.4, 0.45], 3),
        ("max", [0.5, 0.5, 0.5], 1),  # no better: the first stays
        ("max", [NAN, 0.1, 0.05], 2),
        ("max", [0.1, NAN], 1),
        ("min", [NAN, NAN], 1),
    ],
)
def test_the_best_epoch_is_kept_with_its_weights_and_results(
    run_folder: Path, mode: str, scores: list[float], epoch: int
) -> None:
    keeping = saving(run_folder, mode=mode)
    Epochs(keeping).play(*scores)
    assert keeping.best_epoch == epoch
    assert best(run_folder)["epoch"] == epoch
    assert (best(run_folder)["net"]["1.weight"] == epoch).all()
    expected = pytest.approx(scores[epoch - 1], nan_ok=True)
    for score in (keeping.best_score, best(run_folder)["score"], keeping.best_results["val/accuracy"]):
        assert score == expected


def test_without_a_monitor_the_last_epoch_is_the_best_and_nothing_is_waited_for(run_folder: Path) -> None:
    keeping = saving(run_folder, monitor=None, patience=1)
    assert Epochs(keeping).play(0.5, 0.4, 0.3) is None
    assert keeping.best_epoch == best(run_folder)["epoch"] == 3


def test_a_monitor_that_nothing_measures_is_refused_with_the_choices(run_folder: Path) -> None:
    with pytest.raises(InputError, match=r"val/acuracy: .*one of train/loss, val/accuracy"):
        Epochs(saving(run_folder, monitor="val/acuracy")).play(0.5)


@pytest.mark.parametrize(
    ("mode", "patience", "min_delta", "scores", "ends_after"),
    [
        ("max", 2, 0.0, [0.5, 0.4, 0.6, 0.5, 0.6], 5),
        ("max", 2, 0.0, [0.5, 0.4, 0.6, 0.5, 0.61], None),
        ("min", 1, 0.0, [0.5, 0.4, 0.4], 3),
        ("max", 2, 0.1, [0.5, 0.55, 0.59], 3),  # better, but not by enough
        ("max", 2, 0.1, [0.5, 0.55, 0.65, 0.7], None),  # measured from the last that was
        ("max", None, 0.0, [0.5] * 20, None),
        ("max", 2, 0.0, [NAN, 0.1, 0.2, 0.3], None),
    ],
)
def test_a_run_ends_when_it_has_waited_long_enough(
    run_folder: Path, mode: str, patience: int | None, min_delta: float, scores: list[float], ends_after: int | None
) -> None:
    keeping = saving(run_folder, mode=mode, patience=patience, min_delta=min_delta)
    assert Epochs(keeping).play(*scores) == ends_after
    assert keeping.stopped_early == (ends_after is not None)
    assert keeping.epochs_done == (ends_after or len(scores))


@pytest.mark.parametrize("played", [1, 2, 3])
def test_waiting_and_the_best_score_go_on_from_a_state(run_folder: Path, played: int) -> None:
    scores = [0.5, 0.8, 0.7, 0.75, 0.6]
    first = Epochs(saving(run_folder, patience=3))
    first.play(*scores[:played])
    second = Epochs(saving(run_folder, patience=3))
    second.saving.load_state_dict(first.saving.state_dict())
    second.trainer.current_epoch = played
    assert second.play(*scores[played:]) == 5
    assert (second.saving.best_epoch, second.saving.best_score) == (2, 0.8)
    assert (best(run_folder)["net"]["1.weight"] == 2).all()


# --- in a real fit ----------------------------------------------------------------------------------------------------


class Fit:
    """Three batches an epoch; keeps the steps at which the last state was saved."""

    def __init__(self, folder: Path, epochs: int = 3, **changes: Any) -> None:
        self.keeping = saving(folder, **changes)
        self.folder, self.epochs = folder, epochs
        self.saved: list[int] = []
        self.before_step: Callable[[int], None] = lambda step: None

    def run(self, start: Path | None = None) -> None:
        fit, data = self, tiny.picture_data(train=24)

        class Watched(TaskModule):
            def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> None:
                fit.before_step(self.current_epoch * 3 + batch_idx)
                super().training_step(batch, batch_idx)

            def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
                super().on_save_checkpoint(checkpoint)
                fit.saved.append(checkpoint["callbacks"]["cnnexp.checkpointing"]["step"])

        task = tiny.task(Classification, tiny.linear_net())
        made = Watched(task, Learner(task, tiny.recipe(epochs=self.epochs)))
        made.steps_per_epoch = 3
        trainer = tiny.trainer([self.keeping], self.epochs)
        try:
            trainer.fit(made, datamodule=DataModule(data), ckpt_path=start, weights_only=True)
        finally:
            self.keeping._signal.remove()

    def progress(self) -> dict[str, Any]:
        path = self.folder / LAST
        return progress_of(torch.load(path, weights_only=True), path)


@pytest.mark.parametrize(
    ("every_steps", "saved"), [(None, [3, 6, 9]), (2, [2, 3, 4, 6, 8, 9]), (3, [3, 6, 9]), (1, list(range(1, 10)))]
)
def test_it_saves_in_and_after_epochs_and_never_twice_at_one_step(
    run_folder: Path, every_steps: int | None, saved: list[int]
) -> None:
    fit = Fit(run_folder, every_steps=every_steps)
    fit.run()
    assert fit.saved == saved
    assert fit.progress()["epochs_done"] == 3
    assert sorted(path.name for path in (run_folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]


@pytest.mark.parametrize(("max_steps", "epochs_done"), [(1, 0), (2, 0), (3, 1), (5, 1), (6, 2)])
def test_it_stops_after_the_steps_that_were_wanted(run_folder: Path, max_steps: int, epochs_done: int) -> None:
    fit = Fit(run_folder, max_steps=max_steps)
    with pytest.raises(StopRequested) as caught:
        fit.run()
    assert (caught.value.status, caught.value.step) == ("stopped", max_steps)
    assert (fit.progress()["step"], fit.progress()["epochs_done"]) == (max_steps, epochs_done)


@pytest.mark.parametrize("max_steps", [9, 10, None])
def test_a_run_that_ends_anyway_is_not_stopped(run_folder: Path, max_steps: int | None) -> None:
    fit = Fit(run_folder, max_steps=max_steps)
    fit.run()
    assert fit.progress()["step"] == 9


@pytest.mark.parametrize(("step", "saved_at"), [(0, 1), (1, 2), (2, 3), (4, 5)])
def test_a_wish_to_stop_is_granted_after_the_batch(run_folder: Path, step: int, saved_at: int) -> None:
    fit = Fit(run_folder)

    def wish(now: int) -> None:
        fit.keeping._signal.wished |= now == step

    fit.before_step = wish
    with pytest.raises(StopRequested) as caught:
        fit.run()
    assert (caught.value.status, caught.value.step) == ("interrupted", saved_at)
    assert fit.progress()["step"] == fit.saved[-1] == saved_at


def test_a_wish_in_the_last_batch_of_all_comes_too_late(run_folder: Path) -> None:
    fit = Fit(run_folder)

    def wish(now: int) -> None:
        fit.keeping._signal.wished |= now == 8

    fit.before_step = wish
    fit.run()
    assert fit.progress()["epochs_done"] == 3


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_a_resumed_fit_ends_with_the_weights_of_an_undisturbed_one(run_folder: Path, stop: int) -> None:
    undisturbed = Fit(run_folder)
    undisturbed.run()
    expected = torch.load(run_folder / LAST, weights_only=True)
    with pytest.raises(StopRequested):
        Fit(run_folder, max_steps=stop).run()
    resumed = Fit(run_folder)
    resumed.run(run_folder / LAST)
    found = torch.load(run_folder / LAST, weights_only=True)
    assert found["callbacks"] == expected["callbacks"]
    assert found["state_dict"].keys() == expected["state_dict"].keys()
    assert all(torch.equal(value, expected["state_dict"][name]) for name, value in found["state_dict"].items())


def test_a_full_disk_leaves_the_checkpoint_before(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    playing = Epochs(saving(run_folder))
    playing.play(0.5)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpointing.torch, "save", full)
    with pytest.raises((InputError, RunFailed), match="full"):
        playing.play(0.6)
    assert best(run_folder)["epoch"] == 1
    playing.trainer.save_checkpoint = full
    with pytest.raises((InputError, RunFailed), match="full"):
        playing.play(0.4)
    assert (run_folder / LAST).read_text() == "saved"
    assert sorted(path.name for path in (run_folder / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]


@pytest.mark.parametrize("content", [{}, {"callbacks": 3}, {"callbacks": {"cnnexp.checkpointing": {"step": "4"}}}])
def test_a_checkpoint_of_something_else_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"last\.ckpt: not a checkpoint that a run can go on from"):
        progress_of(content, Path("last.ckpt"))


@pytest.mark.parametrize(("keep", "kept"), [(False, []), (True, [1, 2, 3])])
def test_the_weights_of_every_epoch_stay_where_they_are_to(run_folder: Path, keep: bool, kept: list[int]) -> None:
    Epochs(saving(run_folder, keep_epochs=keep)).play(0.5, 0.7, 0.6)
    assert list(kept_epochs(run_folder)) == kept
    for epoch, score in zip(kept, (0.5, 0.7, 0.6), strict=False):
        content = torch.load(run_folder / of_epoch(epoch), weights_only=True)
        assert content.keys() == best(run_folder).keys()
        assert (content["epoch"], content["score"]) == (epoch, score)
        assert (content["net"]["1.weight"] == epoch).all()


def test_a_resumed_fit_keeps_what_an_undisturbed_one_keeps(run_folder: Path) -> None:
    Fit(run_folder, keep_epochs=True).run()
    expected = {epoch: torch.load(run_folder / of_epoch(epoch), weights_only=True) for epoch in kept_epochs(run_folder)}
    assert list(expected) == [1, 2, 3]
    with pytest.raises(StopRequested):
        Fit(run_folder, max_steps=4, keep_epochs=True).run()
    assert list(kept_epochs(run_folder)) == [1], "those of the run before are gone, as this one began anew"
    # as if it was killed when the weights were written and the state was not
    (run_folder / of_epoch(2)).write_bytes(b"half")
    resumed = Fit(run_folder, max_steps=5, keep_epochs=True)
    resumed.keeping.load_state_dict(resumed.progress())
    with pytest.raises(StopRequested):
        resumed.run(run_folder / LAST)
    assert list(kept_epochs(run_folder)) == [1]
    resumed = Fit(run_folder, keep_epochs=True)
    resumed.keeping.load_state_dict(resumed.progress())
    resumed.run(run_folder / LAST)
    for epoch, content in expected.items():
        found = torch.load(run_folder / of_epoch(epoch), weights_only=True)["net"]
        assert all(torch.equal(found[name], value) for name, value in content["net"].items()), epoch


# --- several processes ------------------------------------------------------------------------------------------------


def test_a_wish_in_one_process_stops_all_at_the_same_step(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one was told; here it is heard when they next ask each other."""
    keeping = saving(run_folder)
    playing = Epochs(keeping)
    playing.trainer.world_size = 2
    playing.trainer.num_training_batches = 50
    playing.trainer.strategy = SimpleNamespace(root_device=torch.device("cpu"))
    playing.module.steps_per_epoch = 50
    asked: list[int] = []

    def all_reduce(flag: torch.Tensor) -> None:
        asked.append(keeping.step)
        flag += float(keeping.step >= 17)

    monkeypatch.setattr(checkpointing.distributed, "all_reduce", all_reduce)
    with pytest.raises(StopRequested, match="interrupted after step 20"):
        for batch_idx in range(49):
            keeping.on_train_batch_end(playing.trainer, playing.module, None, None, batch_idx)
    assert asked == [10, 20]


def test_only_the_first_process_writes(run_folder: Path) -> None:
    playing = Epochs(saving(run_folder))
    playing.trainer.is_global_zero = False
    met: list[Path] = []
    playing.trainer.save_checkpoint = met.append
    playing.play(0.5)
    assert met == [run_folder / LAST], "all processes must meet in it"
    assert list((run_folder / "checkpoints").iterdir()) == []
