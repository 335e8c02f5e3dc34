"""Volumes through the real command line: trained, killed and resumed, asked about a larger scan, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.data.test_volume_folder import write_volumes
from tests.integration.conftest import CommandLine
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

TRAIN = (
    "train", "model=unet3d", "data=volume_folder", "model.width=2", "model.depth=1", "data.volume_size=[8,12,12]",
    "data.crop_size=[4,8,8]", "augmentation=volumes", "augmentation.noise=0.1",
    "augmentation.quarter_turn=[0.5,0.5,0.5]", "epochs=2", "checkpoint.every_steps=2", "hardware.threads=1",
)  # fmt: skip


def test_a_run_of_volumes_goes_on_to_the_bit_and_answers(
    cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    write_volumes(tmp_path / "own", size=(8, 12, 12))
    environment = {"CNNEXP_DATA_DIR": str(tmp_path / "cache")}
    words = (*TRAIN, f"data.root={tmp_path / 'own'}")
    done = cnnexp(*words, **environment)
    assert done.status == 0, done.err
    expected = outcome(only_run())
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:7", **environment).status == -9
    done = cnnexp("resume", only_run().name, **environment)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []
    answers(cnnexp, only_run(), tmp_path)


def answers(cnnexp: CommandLine, run: Path, folder: Path) -> None:
    """A scan larger than those of the training, as a mask in its own place, as JSON and as a picture."""
    nibabel = pytest.importorskip("nibabel")
    affine = np.array([[0, 0, 1.5, 9.0], [-1.5, 0, 0, 8.0], [0, -3.0, 0, 7.0], [0, 0, 0, 1.0]])
    numbers = np.random.default_rng(0).integers(0, 150, (20, 11, 25)).astype(np.int16)
    scan = folder / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(numbers, affine), scan)
    done = cnnexp("predict", run.name, str(scan), "--out", str(folder / "mask.nii.gz"), "--json")
    assert done.status == 0, done.err
    (row,) = json.loads(done.out)
    mask = nibabel.load(folder / "mask.nii.gz")
    assert mask.shape == numbers.shape and np.array_equal(mask.affine, nibabel.load(scan).affine)
    counts = np.bincount(np.asarray(mask.dataobj).ravel(), minlength=2)
    assert row["size"] == [11, 20, 25] and row["spacing_mm"] == [3.0, 1.5, 1.5]
    assert row["voxels"] == {str(name): int(count) for name, count in enumerate(counts) if count}
    assert row["volume_mm3"] == {name: count * 6.75 for name, count in row["voxels"].items()}
    done = cnnexp("predict", run.name, str(scan), "--out", str(folder / "drawn"))
    assert done.status == 0 and {path.name for path in (folder / "drawn").iterdir()} == {"scan.png", "scan-mask.nii.gz"}
    for words, says in (
        ((str(scan), "--out", str(scan)), "is the file that is asked about"),
        ((str(scan), str(folder / "drawn" / "scan-mask.nii.gz"), "--out", "two.nii.gz"), "room for one answer"),
        ((str(folder / "none.nii.gz"),), "there is no such file"),
    ):
        done = cnnexp("predict", run.name, *words)
        assert done.status == 2 and len(done.lines) == 1 and says in done.err, done.err
    assert cnnexp("report", run.name).status == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("train model=unet data=digit_volumes", "model=unet: takes pictures, and data=digit_volumes holds volumes"),
        (
            "train model=unet3d data=digit_scenes",
            "takes volumes (data=digit_volumes, volume_folder), and data=digit_scenes holds pictures",
        ),
        ("train model=unet3d data=digit_volumes model.pool=[2,2]", "model.pool=[2,2]: expected numbers along"),
        ("train model=unet3d data=digit_volumes data.crop_size=[99,8,8]", "data.crop_size=[99,8,8]: lies not within"),
        ("train model=unet3d data=digit_volumes augmentation=flip", "augmentation=flip: is for pictures"),
        ("train model=unet3d data=volume_folder", "data=volume_folder reads a folder of yours: add data.root=FOLDER"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(here: CommandLine, words: str, says: str) -> None:
    done = here(*words.split())
    assert done.status == 2 and says in done.err, done.err
    assert len(done.lines) == 1, done.err
