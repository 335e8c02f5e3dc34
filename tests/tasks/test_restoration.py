"""What denoising and super-resolution share: crops, the same evaluation each time, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.inputs.degraded import GIVEN
from cnnexp.training.learner import Learner
from tests.augmentation.made import engine
from tests.tasks import tiny
from tests.tasks.restoring import NOISE, Same, denoiser, enlarger, parts, pictures


def test_training_crops_are_parts_of_the_pictures() -> None:
    task, batch = denoiser(crop=12), pictures()
    seen = set()
    for epoch in range(3):
        prepared = task.prepare(batch, train=True, epoch=epoch)
        assert prepared["image"].shape == prepared[GIVEN].shape == (5, 3, 12, 12)
        for whole, crop in zip(batch["image"], prepared["image"].mul(255).round().byte(), strict=True):
            windows = whole.unfold(1, 12, 1).unfold(2, 12, 1)
            places = (windows == crop[:, None, None]).all(-1).all(-1).all(0).nonzero().tolist()
            assert len(places) == 1, "it is a part of the picture"
            seen.add(tuple(places[0]))
    assert len(seen) > 10, "another part each time"


def test_evaluations_take_whole_pictures() -> None:
    task = denoiser(crop=12)
    prepared = task.prepare(pictures(), train=False)
    assert prepared["image"].shape == (5, 3, 32, 40) and GIVEN not in prepared, "what nobody degraded is given as it is"
    assert task.truth(prepared)[GIVEN].shape == (5, 3, 32, 40)


@torch.no_grad()
def test_an_evaluation_is_the_same_in_every_run_and_batch() -> None:
    def psnr_of(task: object, rows: slice) -> list[float]:
        batch = {name: value[rows] for name, value in pictures().items()}
        return task.step(task.prepare(batch, train=False), "val").predictions[:, 0].tolist()  # type: ignore[attr-defined]

    first, other = denoiser(crop=12), denoiser(crop=16, seed=5)
    whole = psnr_of(first, slice(None))
    assert psnr_of(other, slice(None)) == whole
    assert psnr_of(first, slice(2, 4)) == pytest.approx(whole[2:4])
    trained = [first.prepare(pictures(), train=True, epoch=epoch)[GIVEN] for epoch in (0, 0, 1)]
    assert torch.equal(trained[0], trained[1]) and not torch.equal(trained[0], trained[2])


def test_a_moved_picture_is_asked_for_as_it_was_moved() -> None:
    task = denoiser(augmentation=engine(mirror={"horizontal": 1.0}, brightness={"amount": 0.4}), noise=1e-6)
    prepared = task.prepare(pictures(), train=True)
    assert (prepared[GIVEN] - prepared["image"]).abs().max() < 1e-4
    assert (prepared["image"] * 255 - pictures()["image"].flip(-1)[..., :32]).abs().max() > 1, "it was coloured"


@torch.no_grad()
def test_a_file_is_restored_at_its_own_size_in_tiles() -> None:
    class Counting(Same):
        widest = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Counting.widest = max(Counting.widest, x.shape[-1])
            return super().forward(x)

    batch = pictures(1, (70, 600))
    (answer,) = enlarger(2, Counting(2)).predict(enlarger(2).prepare(batch, train=False))
    assert answer.shape == (140, 1200, 3) and answer.dtype == np.uint8
    assert np.array_equal(answer[::2, 1::2], batch["image"][0].permute(1, 2, 0).numpy())
    assert Counting.widest <= 256 + 2 * 3


@torch.no_grad()
def test_its_module_reads_means_over_pictures_and_rows_of_each() -> None:
    task = denoiser()
    made = tiny.alone(TaskModule(task, Learner(task, tiny.recipe())))
    for rows in (slice(0, 3), slice(3, 5)):
        made.test_step({name: value[rows] for name, value in pictures().items()}, 0)
    made.on_test_epoch_end()
    assert made.results["test/psnr"] == pytest.approx(made.predictions["psnr"].mean())
    assert made.results["test/ssim"] == pytest.approx(made.predictions["ssim"].mean())
    assert made.predictions["index"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: denoiser(crop=41), r"task\.crop=41: pictures have 32x40; take 11 to 32"),
        (
            lambda: denoiser(Same(reach=14), crop=12),
            r"task\.crop=12: the net sees 14 pixels to each side; take 14 to 32",
        ),
        (lambda: enlarger(2, Same(2, reach=7), crop=12), r"the net sees 14 pixels to each side; take 14 to 32"),
        (lambda: enlarger(3, crop=16), r"task\.crop=16: no multiple of task\.factor=3; 15 and 18 are"),
        (lambda: denoiser(size=(8, 40)), r"data\.image_size=\[8,40\]: too small .* take pictures of at least 11"),
        (lambda: enlarger(4, Same(4, reach=9)), r"data\.image_size=\[32,40\]: too small .* at least 36"),
        (
            lambda: denoiser(augmentation=engine(noise={"sigma": 0.1})),
            r"augmentation\.noise\.sigma=0\.1: .*task\.noise",
        ),
        (lambda: enlarger(augmentation=engine(noise={"sigma": 0.1})), r"augmentation\.noise\.sigma=0\.1: "),
        (lambda: denoiser(decode_size=(36, 44)), r"data\.decode_size: "),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(make: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        make()  # type: ignore[operator]
    assert len(caught.value.lines) == 1


@pytest.mark.parametrize(("size", "crop"), [((200, 300), 64), ((50, 300), 50)])
def test_the_usual_crop_fits_the_pictures(size: tuple[int, int], crop: int) -> None:
    assert denoiser(size=size).crop == crop
    assert enlarger(3, size=size).crop == (96 if min(size) > 96 else 48)


def test_a_net_that_says_nothing_of_its_reach_is_taken_in_one_pass() -> None:
    assert denoiser(nn.Conv2d(3, 3, 1)).reach is None


def test_what_is_no_picture_is_refused() -> None:
    given = parts(Same())
    other = nn.Identity()
    with pytest.raises(InputError, match="restores pictures"):
        type(denoiser())(tiny.Parts(given.net, given.facts, other, None, given.loss), **NOISE)  # type: ignore[arg-type]


def test_the_preview_shows_what_is_given_beside_what_is_asked_for() -> None:
    task = enlarger(2, crop=12)
    prepared = task.prepare(pictures(), train=True)
    shown = task.preparation.shown(prepared)
    assert [one.shape for one in shown] == [(12, 24, 3)] * 5
    assert np.array_equal(shown[0][:, 12:], prepared["image"][0].mul(255).round().byte().permute(1, 2, 0).numpy())
    assert np.array_equal(shown[0][::2, :12:2], prepared[GIVEN][0].mul(255).round().byte().permute(1, 2, 0).numpy())
