"""Bad input through the real command line: one line that names the fix, exit status 2, nothing left behind."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from cnnexp.runs.write import FREE_BYTES_AT_LEAST
from tests.integration.conftest import CommandLine
from tests.integration.refusing import OFFLINE, Case, assert_refused, case
from tests.integration.small_disk import fill, small_disk

pytestmark = pytest.mark.integration

TINY = ("data.fraction=0.1", "epochs=1", "hardware.threads=1")


REFUSED = {
    # commands and options
    "no such command": case("trian model=lenet5", "trian", "train"),
    "words in the wrong order": case("model=lenet5 train", "cnnexp train model=lenet5"),
    "a net for a command": case("resnet20", "resnet20", "command"),
    "no such option of the program": case("--verson", "--verson", "--help"),
    "no such option": case("train --confg-dir=x", "--confg-dir", "--config-dir"),
    "a setting with dashes": case("train --model resnet20", "--model", "model=resnet20", "without dashes"),
    "two such": Case("train --model=unet --epochs 5", (("model=unet",), ("epochs=5",))),
    "an option without its value": case("train --config-dir", "--config-dir", "value"),
    "an option of another type": case("summary --classes many", "--classes", "many", "whole number"),
    "an option out of range": case("summary --classes 0 --input 3x32x32", "--classes 0", "at least 1"),
    "a depth of nothing": case("summary --depth 0", "--depth 0", "at least 1"),
    "two forms at once": case("summary --json --csv", "--json", "--csv", "one of them"),
    "a picture of two nets": case("summary model=lenet5,linear --plot nets.png", "--plot", "2", "one net"),
    "a profile that is no PNG": case("summary --plot net.jpg", "--plot", "net.jpg", "net.png"),
    "a net without a name": case("summary model=lenet5,", "model=lenet5,", "model=resnet20,resnet56"),
    "one of several nets that there is not": case("summary model=lenet5,resnet21", "resnet21", "resnet20"),
    "a page of data": case("list data --markdown", "--markdown", "list models"),
    "no such kind of layer": case("layer convolution --input 8x8x3", "convolution", "conv, pool, fc"),
    "a layer without its input": case("layer conv --filters 1 --kernel 3", "--input", "--help"),
    "an input of no size": case("layer pool --input 8x8 --kernel 2", "--input 8x8", "227x227x3"),
    "a kernel of no size": case("layer pool --input 8x8x3 --kernel big", "--kernel big", "1x2"),
    "negative padding": case("layer conv --input 8x8x3 --filters 1 --kernel 3 --padding -1", "--padding -1", "least 0"),
    "too large a kernel": case("layer pool --input 5x5x3 --kernel 9", "--kernel 9", "has 5", "--padding 2"),
    "groups that do not divide": case(
        "layer conv --input 8x8x6 --filters 4 --kernel 3 --groups 3", "--groups 3", "4 filters", "1, 2"
    ),
    "an option of another layer": case("layer fc --input 8x8x3 --units 2 --kernel 3", "--kernel", "fc", "--units"),
    "a layer without its size": case("layer conv --input 8x8x3 --kernel 3", "--filters", "needs"),
    "same padding of an even kernel": case(
        "layer conv --input 8x8x3 --filters 1 --kernel 2 --padding same", "--padding same", "odd kernel"
    ),
    "no picture size": case("summary --input 3x224", "3x224", "3x224x224"),
    "a picture too small for a summary": case(
        "summary model=inception_v4 --input 3x64x64", "inception_v4", "smallest", "75x75", "data.image_size=[75,75]"
    ),
    "a missing word": case("test", "RUN", "--help"),
    "two missing words": case("predict", "RUN", "FILE", "--help"),
    "no such group to list": case("list modle", "modle", "model"),
    "no folder of own YAML": case("train --config-dir nowhere", "--config-dir nowhere", "no such folder"),
    # words that are no settings
    "an option without its group": case("train resnet20", "resnet20", "model=resnet20"),
    "a group without an option": case("train model", "model=OPTION", "cnnexp list model"),
    "a word that is nothing": case("train quickly", "quickly", "key=value", "model=resnet20"),
    "blanks around the =": Case("train epochs = 3", (("epochs",), ("=", "no blank"), ("3", "key=value"))),
    "a quote that is not closed": case(("train", "name='my run"), "name='my run", "as plain text it is typed so"),
    "deleting a group": case("train ~optimizer", "~optimizer", "cannot be deleted"),
    "deleting a key": case("train ~optimizer.lr", "~optimizer.lr", "null"),
    "several values": case("train model=lenet5,resnet20", "model=lenet5,resnet20", "sweep"),
    "a sweep function": case("train optimizer.lr=interval(0.1,1)", "optimizer.lr=interval", "sweep"),
    "hydra's settings": case("train hydra.run.dir=elsewhere", "hydra.run.dir=elsewhere", "hydra"),
    "hydra's groups": case("train hydra/launcher=joblib", "hydra/launcher", "hydra"),
    "hydra's search path": case("train hydra.searchpath=[file:///tmp]", "hydra.searchpath", "--config-dir"),
    "the record of the choices": case("train choices.model=unet", "choices", "model="),
    "a package": case("train model@net=lenet5", "model@net=lenet5", "package"),
    # pictures restored
    "noise of nothing": case("train model=dncnn task.noise=0", "task.noise=0", "above 0"),
    "noise on another scale": case("train model=dncnn task.noise=25", "task.noise=25", "at most 1"),
    "a range of noise the wrong way round": case(
        "train model=dncnn task.noise=[0.2,0.1]", "task.noise=[0.2,0.1]", "smaller number first"
    ),
    "a kind of noise": case("train model=dncnn task.noise_kind=salt", "task.noise_kind=salt", "gaussian or poisson"),
    "no photons": case("train model=dncnn task.noise_kind=poisson task.peak=0", "task.peak=0", "at least 1"),
    "another factor": case("train model=edsr_small task.factor=5", "task.factor=5", "2, 3 or 4"),
    "a loss of another truth": case("train loss=dice", "loss=dice", "is of mask", "learns label"),
    "no part of a loss": case(
        "train model=unet loss.parts={}",
        "loss.parts",
        "loss.parts={pixel_cross_entropy:1,dice:{weight:1,squares:true}}",
    ),
    "a part that there is not": case("train model=unet loss.parts={dcie:1}", "loss.parts.dcie", "dice"),
    "an outline missed by less than nothing": case(
        "train model=unet data=digit_scenes task.boundary_tolerance=-1", "task.boundary_tolerance=-1", "at least 0"
    ),
    "a factor for a denoiser": case("train model=dncnn task.factor=2", "task.factor"),
    "a crop of nothing": case("train model=dncnn task.crop=0", "task.crop=0", "at least 1"),
    "a crop larger than the pictures": case("train model=dncnn task.crop=64", "task.crop=64", "28x28", "take 11 to 28"),
    "a crop that the net sees beyond": case(
        "train model=dncnn model.depth=17 task.crop=12", "task.crop=12", "17 pixels"
    ),
    "pictures too small to be enlarged so": case(
        "train model=edsr_small task.factor=4", "data.image_size", "too small"
    ),
    "noise in what is asked for": case(
        "train model=dncnn augmentation=pictures augmentation.noise.sigma=0.1", "augmentation.noise.sigma", "task.noise"
    ),
    "blended pictures denoised": case(
        "train model=dncnn augmentation=pictures augmentation.mixup.alpha=1", "augmentation.mixup.alpha", "labels"
    ),
    "blended pictures enlarged": case(
        "train model=srcnn augmentation=pictures augmentation.cutmix.alpha=1", "augmentation.cutmix.alpha", "labels"
    ),
    "a classifier that is to denoise": case(
        "train model=lenet5 task=denoise", "model=lenet5 is for classification", "model=dncnn"
    ),
    "a denoiser that is to classify": case("train model=dncnn task=classification", "model=dncnn is for denoise"),
    # options and keys that are not there
    "no such net": case("train model=resnet", "model=resnet", "resnet18", "resnet20", "cnnexp list model"),
    "another spelling": case("train model=ResNet-20", "model=ResNet-20", "did you mean resnet20?"),
    "no such data": case("train data=cifra10", "data=cifra10", "cifar10"),
    "no such data, the other word": case("train dataset=cifra10", "cifra10", "cifar10"),
    "no such optimizer": case("train optimizer=nonsense", "optimizer=nonsense", "adam", "sgd"),
    "an empty option": case("train optimizer=", "optimizer=", "adam", "sgd"),
    "null for a group": case("train model=null", "model=null: there is no such model; cnnexp list model shows all"),
    "no such experiment": case("train experiment=lenet5_mnist", "lenet5_mnist", "lenet5_mnist5k"),
    "no such key": case("train epoch=3", "epoch:", "epochs"),
    "no such group": case("train mdoel=lenet5", "mdoel", "model"),
    "a key without its group": case("train lr=0.1", "lr:", "optimizer.lr"),
    "a key of another group": case("train optimizer.dropout=0.1", "optimizer.dropout", "regularization.dropout"),
    "no such key in a group": case("train optimizer.momentun=0.9 optimizer=sgd", "momentun", "optimizer.momentum"),
    "no such key of the data": case("train dataset.fractoin=0.5", "data.fractoin", "data.fraction"),
    "a key below a value": case("train epochs.max=3", "epochs", "single value"),
    "a value for a group of keys": case("train early_stopping=3", "early_stopping", "patience"),
    "another class": case("train model._target_=os.system", "_target_", "YAML"),
    "another class, added": case("train +model._target_=os.system", "_target_", "YAML"),
    # values of another type
    "a word for a number": case("train optimizer.lr=abc", "optimizer.lr=abc", "number", "0.003"),
    "nothing for a number": case("train epochs=", "epochs=", "whole number"),
    "a fraction for a count": case("train epochs=1.5", "epochs=1.5", "whole number"),
    "a switch for a number": case("train batch_size=true", "batch_size=true", "whole number"),
    "a number for a switch": case("train hardware.deterministic=1", "hardware.deterministic=1", "true or false"),
    "a number for a list": case("train data.image_size=28", "data.image_size=28", "list", "[28,28]"),
    "a list of another length": case("train data.image_size=[28]", "data.image_size=[28]", "2 values"),
    "a word in a list of numbers": case("train data.image_size=[28,x]", "data.image_size", "item 2", "whole number"),
    "a word that is none of the choices": case("train model.activation=gelu", "model.activation=gelu", "relu", "tanh"),
    "a list for a word": case("train model.pooling=[1,2]", "model.pooling", "max"),
    "null for a number": case("train epochs=null", "epochs=null", "whole number"),
    # out of range
    "negative epochs": case("train epochs=-1", "epochs=-1", "at least 1"),
    "an empty batch": case("train batch_size=0", "batch_size=0", "at least 1"),
    "not a number": case("train optimizer.lr=nan", "optimizer.lr=nan", "above 0"),
    "infinite": case("train optimizer.lr=inf", "optimizer.lr=inf", "above 0"),
    "infinite weight decay": case("train regularization.l2=inf", "regularization.l2=inf", "at least 0"),
    "not a number, added": case("train +model.foo=nan", "model.foo=nan", "finite"),
    "a negative seed": case("train seed=-1", "seed=-1", "at least 0", "4294967295"),
    "a large seed": case("train seed=4294967296", "seed=4294967296", "4294967295"),
    "no data at all": case("train data.fraction=0", "data.fraction=0", "above 0"),
    "more than all data": case("train data.fraction=2", "data.fraction=2", "at most 1"),
    "dropping everything": case("train regularization.dropout=1", "regularization.dropout=1", "below 1"),
    "no steps": case("train max_steps=0", "max_steps=0", "at least 1"),
    "no devices": case("train hardware.devices=0", "hardware.devices=0", "expected", "at least 1", "auto"),
    "a depth that no net has": case("summary model=resnet20 model.depth=21", "model.depth=21", "20 and 26"),
    "a net of no width": case("summary model=unet data=digit_scenes model.width=0", "model.width=0", "at least 1"),
    "a code of no numbers": case("summary model=conv_autoencoder model.bottleneck=0", "bottleneck=0", "at least 1"),
    "tied weights without a mirror": case(
        "train model=dense_autoencoder model.tied=true model.decoder=[9]", "model.tied=true", "not the mirror image"
    ),
    "dense layers of a convolutional VAE": case(
        "train model=vae model.kind=conv model.hidden=[9]", "model.hidden", "model.kind=conv", "leave it null"
    ),
    "a wished activity of 1": case("train model=dense_autoencoder regularization.sparsity=1", "sparsity=1", "below 1"),
    "a weight of no wished activity": case(
        "train model=dense_autoencoder regularization.sparsity_weight=0.1",
        "regularization.sparsity_weight=0.1",
        "regularization.sparsity=0.05 too",
    ),
    "a wished activity of a classifier": case("train regularization.sparsity=0.1", "no place for sparsity", "lenet5"),
    "a mean activity in two processes": case(
        "train model=dense_autoencoder regularization.sparsity=0.1 hardware=ddp_cpu",
        "regularization.sparsity",
        "hardware.devices=1",
    ),
    "no noise at all": case("train model=dense_autoencoder task.noise=0", "task.noise=0", "above 0"),
    "a mask over everything": case("train model=dense_autoencoder task.mask=1", "task.mask=1", "below 1"),
    "a net that has no codes": case("train model=lenet5 task=vae", "task=vae", "model=vae"),
    "a squared error of logits": case("train model=vae loss=squared_error", "loss=squared_error", "leave it out"),
    "no picture to generate": case("generate last --count 0", "--count 0", "at least 1"),
    "a sheet that is no PNG": case("generate last --out a.jpg", "a.jpg", "a.png"),
    # settings that do not go together
    "a segmentation net on labels": case(
        "train model=unet data=mnist5k", "model=unet", "mask", "data=mnist5k gives label", "digit_scenes", "lenet5"
    ),
    "a classifier on masks": case("train model=lenet5 data=camvid", "label", "gives mask", "unet", "mnist5k"),
    "a detector on labels": case("train model=yolo", "boxes", "gives label", "digit_scenes", "resnet20"),
    "several objects for the one that is learnt": case(
        "train task=localization data=digit_scenes", "digit_scenes", "3,152 of 4,000 pictures", "task=detection"
    ),
    "one object without boxes": case("train task=localization", "is for localization", "boxes", "one_digit"),
    "a detector's net for one object": case("train model=yolo task=localization data=one_digit", "yolo", "resnet20"),
    "a weight below nothing": case(
        "train task=localization data=one_digit loss.box_weight=-1", "loss.box_weight=-1", "0 or more"
    ),
    "weights for boxes": case(
        "train task=localization data=one_digit regularization.class_weights=[1,2]", "2 factors for 10 classes"
    ),
    "a window that pooling does not divide": case(
        "train model=window_lenet data=digit_scenes model.window=30", "model.window=30", "such as 32"
    ),
    "a scale that makes a picture smaller than the window": case(
        "train model=window_lenet data=digit_scenes model.scales=[0.25,1.0]", "at 0.25", "16x16", "from 0.44 on"
    ),
    "a picture smaller than the window": case(
        "train model=window_lenet data=digit_scenes data.image_size=[24,24]", "24x24", "28x28", "model.scales"
    ),
    "windows on labels": case("train model=window_lenet data=mnist5k", "window_lenet", "boxes", "digit_scenes"),
    "another task than the net's": case("train task=detection", "task=detection", "model=lenet5", "yolo"),
    "channels of the net": case("train data=cifar10 model.in_channels=1", "model.in_channels=1", "data.channels"),
    "channels of the net, added": case(
        "train data=cifar10 +model.in_channels=1", "model.in_channels=1", "3 channels", "data.channels=1"
    ),
    "channels that no picture has": case("train data.channels=2", "channels", "3"),
    "a batch that does not split": case(
        "train hardware=ddp_cpu batch_size=65", "batch_size=65", "2 devices", "64 or 66"
    ),
    "dropout for a net without": case(
        "train model=resnet20 regularization.dropout=0.3", "dropout=0.3", "model=resnet20", "if_unsupported=ignore"
    ),
    "smoothing without labels": case(
        "train model=unet data=digit_scenes regularization.label_smoothing=0.1", "label_smoothing=0.1", "segmentation"
    ),
    "an argument that nothing takes": case("train +model.foo=1", "model.foo", "nothing reads it", "activation"),
    "an argument that nothing takes, of the optimizer": case("train +optimizer.foo=1", "optimizer.foo", "Adam"),
    "half precision on the processor": case(
        "train hardware=cpu hardware.precision=fp16", "hardware.precision=fp16", "fp32 or bf16"
    ),
    "a logger's mode": case("train logger=wandb logger.mode=onlien", "logger.mode=onlien", "offline or online"),
    # places
    "outputs below a file": case("train outputs=a_file/runs", "a_file/runs", "cannot be written", "outputs=FOLDER"),
    "outputs in place of a file": case("train outputs=a_file", "a_file", "cannot be written", "outputs=FOLDER"),
    "outputs where nobody may write": case("train outputs=/proc/cnnexp", "/proc/cnnexp", "cannot be written"),
    "no folder of pictures named": case("train data=image_folder", "data=image_folder", "data.root=FOLDER"),
    "no such folder of pictures": case("train data=image_folder data.root=none", "data.root=none", "no such folder"),
    "a file for a folder of pictures": case("train data=voc model=yolo data.root=a_file", "a_file", "not a folder"),
    "a cache that cannot be": case("train data=mnist", "CNNEXP_DATA_DIR", "a_file"),
    # runs
    "no runs to compare": case("compare", "outputs", "cnnexp train"),
    "no such folder to compare": case("compare no/where", "no/where", "no such folder"),
    "a file to compare": case("compare a_file", "a_file", "this is a file"),
    "no run at all": case("resume last", "outputs", "cnnexp train"),
    "no run to test": case("test last", "outputs", "cnnexp train"),
    "no run to predict with": case("predict last a.png", "outputs", "cnnexp train"),
    "a folder that is no run": case("resume ./", "not a run's folder", "run.json"),
    # all mistakes of a line are told at once
    "two keys": Case("train epochs=-1 optimizer.lr=abc", (("optimizer.lr=abc",),)),
    "two ranges": Case("train epochs=-1 batch_size=0", (("epochs=-1",), ("batch_size=0",))),
    "two groups": Case("train model=lenet data=mnist6k", (("lenet5",), ("mnist5k",))),
    "a group and a key": Case("train model=lenet epoch=3", (("lenet5",), ("epochs",))),
    "arguments of two classes": Case("train +model.foo=1 +optimizer.bar=2", (("model.foo",), ("optimizer.bar",))),
}


@pytest.mark.parametrize("one", REFUSED.values(), ids=REFUSED.keys())
def test_refused(one: Case, here: CommandLine, work: Path) -> None:
    (work / "a_file").write_text("mine")
    environment = {"CNNEXP_DATA_DIR": str(work / "a_file")} | OFFLINE
    assert_refused(lambda: here(*one.argv, cwd=work, **environment), one.argv[0], one.lines, work)


@pytest.mark.parametrize(
    "words",
    [
        "model=resnet20 regularization.dropout=0.3 regularization.if_unsupported=ignore",
        "model=conv_autoencoder regularization.label_smoothing=0.1 regularization.if_unsupported=ignore",
    ],
)
def test_what_nothing_reads_passes_when_asked_to(words: str, cnnexp: CommandLine, work: Path) -> None:
    done = cnnexp("train", *words.split(), *TINY, "max_steps=1", cwd=work)
    assert done.status == 0, done.err


# --- data -----------------------------------------------------------------------------------------------------------


def test_data_that_cannot_be_reached_names_the_embedded_one(cnnexp: CommandLine, work: Path) -> None:
    says = ("train-images-idx3-ubyte.gz", "cannot connect", "CNNEXP_DATA_MIRROR", "data=mnist5k")
    environment = {"CNNEXP_DATA_DIR": str(work.parent / "cache")} | OFFLINE
    assert_refused(lambda: cnnexp("train", "data=mnist", cwd=work, **environment), "train", [says], work)


def _truncated(content: bytes) -> bytes:
    return gzip.compress(content)[:-20]


def _foreign(content: bytes) -> bytes:
    return gzip.compress(b"another file")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_truncated, "not a whole gzip file"),
        (_foreign, "md5"),
        (lambda content: b"<html>", "not a whole gzip file"),
        (lambda content: b"", "md5"),
        (None, "not there"),
    ],
    ids=["truncated", "of another content", "a web page", "empty", "missing"],
)
def test_a_corrupt_file_of_a_mirror_is_named(
    spoil: Callable[[bytes], bytes] | None, says: str, cnnexp: CommandLine, work: Path
) -> None:
    name = "train-images-idx3-ubyte.gz"
    (work / "mirror").mkdir()
    if spoil is not None:
        (work / "mirror" / name).write_bytes(spoil(random.Random(0).randbytes(1000)))
    cache = work.parent / "cache"
    environment = {"CNNEXP_DATA_DIR": str(cache)} | OFFLINE
    words = ("train", "data=mnist", "data.mirror=mirror")
    lines = [(f"mirror/{'mnist/' if spoil is None else ''}{name}", says, "data=mnist5k")]
    assert_refused(lambda: cnnexp(*words, cwd=work, **environment), "train", lines, work)
    assert [path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_broken_picture_of_ones_own_is_named(cnnexp: CommandLine, work: Path) -> None:
    for label in ("cat", "dog"):
        (work / "pets" / label).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(work / "pets" / label / f"{number}.png")
    (work / "pets" / "dog" / "4.png").write_text("no picture")
    words = ("train", "model=resnet20", "data=image_folder", "data.root=pets", "data.image_size=[8,8]", *TINY)
    assert_refused(lambda: cnnexp(*words, cwd=work), "train", [("pets/dog/4.png", "not a readable picture")], work)


# --- while it trains --------------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_the_run(cnnexp: CommandLine, work: Path) -> None:
    done = cnnexp("train", *TINY, "optimizer.lr=1e20", cwd=work)
    assert done.status == 1
    (line,) = done.lines
    assert line.startswith("cnnexp train: ")
    for word in ("not finite", "epoch 1", "step 2", "optimizer.lr", "gradient_clip_norm"):
        assert word in line
    assert "accuracy" not in done.out
    (run,) = (work / "outputs").iterdir()
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["error"]) == ("failed", line.removeprefix("cnnexp train: "))
    assert not (run / "summary.json").exists()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with a little more room than a run needs to begin."""
    with small_disk(tmp_path / "disk", FREE_BYTES_AT_LEAST + 4_000_000) as place:
        yield place


def test_a_full_disk_is_refused_before_the_start(disk: Path, cnnexp: CommandLine, work: Path) -> None:
    with (disk / "filling").open("wb") as file:
        file.truncate(8_000_000)
        file.write(os.urandom(8_000_000))
    runs = disk / "runs"
    lines = [(str(runs), "disk is full", "16 MB free", "outputs=FOLDER")]
    assert_refused(lambda: cnnexp("train", *TINY, f"outputs={runs}", cwd=work), "train", lines, disk)


def test_a_disk_that_fills_up_keeps_the_checkpoint(disk: Path, cnnexp: CommandLine, work: Path) -> None:
    outputs = disk / "runs"
    words = ("model=lenet5", "data.fraction=0.1", "hardware.threads=1", "epochs=2000", f"outputs={outputs}")

    def fill_after_the_first_checkpoint() -> None:
        deadline = time.monotonic() + 60
        while not list(outputs.glob("*/checkpoints/last.ckpt")) and time.monotonic() < deadline:
            time.sleep(0.01)
        fill(disk)

    filling = threading.Thread(target=fill_after_the_first_checkpoint)
    filling.start()
    done = cnnexp("train", *words, cwd=work)
    filling.join()
    (run,) = outputs.iterdir()
    assert done.status == 1, done.err
    (line,) = done.lines
    assert line.startswith("cnnexp train: ")
    assert "disk is full" in line and str(run) in line
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "failed" and "disk is full" in record["error"]
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["callbacks"]["cnnexp.checkpointing"]["epochs_done"] >= 1
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]

    (disk / "filling").unlink()
    epochs = [int(row["epoch"]) for row in csv.DictReader((run / "metrics.csv").read_text().splitlines())]
    resumed = cnnexp("resume", str(run), f"max_steps={6 * epochs[-1] + 10}", cwd=work)
    assert resumed.status == 0, resumed.err
    shutil.rmtree(run)
