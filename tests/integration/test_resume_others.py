"""What takes no picture, what has two optimizers, and what samples, killed and resumed: the same to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.inputs.sound_files import wav_bytes
from tests.data.test_video_folder import write_films
from tests.integration.conftest import CommandLine
from tests.integration.test_resume import differences, outcome

GAN = (
    "train", "model=dcgan", "data=mnist5k", "data.fraction=0.1", "batch_size=40", "epochs=2", "model.width=4",
    "checkpoint.every_steps=4", "scheduler=cosine", "regularization.ema_decay=0.9", "hardware.threads=1",
    "task.judge=null",
)  # fmt: skip
SIGNALS = (
    "train", "model=ecg_resnet10", "data=ecg200", "epochs=4", "augmentation=signals", "augmentation.noise=0.1",
    "augmentation.shift=0.05", "data.mean=null", "data.std=null", "checkpoint.every_steps=2", "hardware.threads=1",
)  # fmt: skip
SOUNDS = (
    "train", "model=resnet20", "model.depth=8", "data=sound_folder", "data.rate_hz=8000", "data.length=1600",
    "data.n_mels=16", "batch_size=10", "epochs=2", "augmentation=sounds", "augmentation.shift_ms=20",
    "augmentation.noise_db=[5,20]", "augmentation.time_masks=1", "augmentation.time_width=5",
    "augmentation.frequency_masks=1", "augmentation.frequency_width=3", "checkpoint.every_steps=3",
    "hardware.threads=1",
)  # fmt: skip
CLIPS = (
    "train", "model=cnn_lstm", "model.widths=[4,8]", "model.features=8", "model.hidden=8", "data=video_folder",
    "data.image_size=[16,24]", "data.frames=4", "batch_size=8", "epochs=3", "augmentation=clips",
    "augmentation.noise.sigma=0.1", "augmentation.brightness.amount=0.3", "regularization.dropout=0.2",
    "checkpoint.every_steps=3", "hardware.threads=1",
)  # fmt: skip

DRAWN = {
    "windows": ("model=window_lenet", "data=digit_scenes", "data.fraction=0.01", "batch_size=10"),
    "pixels": (
        "model=patch_net", "data=digit_scenes", "data.fraction=0.01", "batch_size=10", "model.window=21",
        "model.kernels=[2,3,3]", "model.widths=[4,4,4]", "model.hidden=8", "model.windows=8", "augmentation=shift",
    ),
    "one object": (
        "model=resnet20", "model.depth=8", "task=localization", "data=one_digit", "data.fraction=0.01", "batch_size=10",
        "augmentation=shift", "augmentation.crop.padding=15", "optimizer.lr=0.001",
    ),
    "proposals": (
        "model=faster_rcnn", "data=digit_scenes", "data.fraction=0.01", "batch_size=8", "model.width=8",
        "model.pyramid_width=16", "model.head_width=16", "model.proposals=20", "augmentation=flip",
    ),
    "noise": (
        "model=dncnn", "data=mnist5k", "data.fraction=0.02", "batch_size=16", "model.width=4", "model.depth=3",
        "task.noise=[0.05,0.2]", "task.crop=20", "augmentation=flip",
    ),
    "losses added up": ("model=unet", "data=digit_scenes", "data.fraction=0.01", "batch_size=10", "model.depth=1"),
    "codes": ("model=vae", "data=mnist5k", "data.fraction=0.02", "batch_size=16", "model.hidden=[20]"),
    "holes": (
        "model=dense_autoencoder", "data=mnist5k", "data.fraction=0.02", "batch_size=16", "model.hidden=[20]",
        "task.mask=0.5", "regularization.sparsity=0.1", "regularization.ema_decay=0.9", "model.tied=true",
    ),
    "crops to enlarge": (
        "model=srcnn", "data=mnist5k", "data.fraction=0.02", "batch_size=16", "model.widths=[4,4]", "task.crop=20",
    ),
}  # fmt: skip
"""What is drawn anew in every epoch: windows on scenes; shifts, after which some objects are lost; anchors to learn;
codes."""


def made_up_beats(folder: Path) -> str:
    """A mirror with files like those of the archive, of noise around two shapes."""
    generator, place = np.random.default_rng(0), folder / "ecg" / "ucr-ecg200"
    place.mkdir(parents=True)
    for name, counts in (("TRAIN", (31, 69)), ("TEST", (36, 64))):
        rows = []
        for label, count in zip((-1, 1), counts, strict=True):
            shape = np.sin(np.linspace(0, 6 + 2 * label, 96))
            for _ in range(count):
                beat = shape + generator.normal(0, 0.5, 96)
                rows.append([label, *((beat - beat.mean()) / beat.std(ddof=1))])
        np.savetxt(place / f"ECG200_{name}.txt", np.array(rows)[generator.permutation(len(rows))], delimiter=",")
    return str(folder)


def made_up_sounds(folder: Path) -> None:
    """Two classes of 25 tones, low and high, of different lengths."""
    for name, hertz in (("low", 300), ("high", 1200)):
        (folder / name).mkdir(parents=True)
        for place in range(25):
            tone = 0.5 * np.sin(2 * np.pi * (hertz + 10 * place) * np.arange(800 + 30 * place) / 8000)
            (folder / name / f"{place}.wav").write_bytes(wav_bytes(tone.astype(np.float32), 8000))


@pytest.mark.integration
def test_a_gan_goes_on_to_the_bit(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    assert cnnexp(*GAN).status == 0
    whole = only_run()
    expected, states = outcome(whole), optimizers(whole)
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*GAN, kill="batch:7").status == -9
    assert cnnexp("resume", only_run().name, kill="batch:9").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []
    assert differences(states, optimizers(only_run())) == []
    assert {name.split(".")[0] for name in states} == {"0", "1"}, "both optimizers are in the checkpoint"


def goes_on_to_the_bit(words: tuple[str, ...], cnnexp: CommandLine, only_run: Callable[[], Path], folder: Path) -> None:
    """A training that is killed in its seventh batch and resumed ends as one that was not."""
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected = outcome(only_run())
    (folder / "outputs").rename(folder / "whole")
    assert cnnexp(*words, kill="batch:7").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []


@pytest.mark.integration
@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_goes_on_to_the_bit(
    name: str, cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    words = ("train", *DRAWN[name], "epochs=2", "hardware.threads=1", "checkpoint.every_steps=3")
    goes_on_to_the_bit(words, cnnexp, only_run, tmp_path)


@pytest.mark.integration
def test_sounds_go_on_to_the_bit_with_what_their_input_learnt(
    cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    made_up_sounds(tmp_path / "sounds")
    words = (*SOUNDS, f"data.root={tmp_path / 'sounds'}")
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected, learnt = outcome(only_run()), (only_run() / "input.json").read_text(encoding="utf-8")
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:7").status == -9
    assert (only_run() / "input.json").read_text(encoding="utf-8") == learnt
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []


@pytest.mark.integration
def test_clips_go_on_to_the_bit(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    pytest.importorskip("av")
    write_films(tmp_path / "films", 20)
    words = (*CLIPS, f"data.root={tmp_path / 'films'}")
    goes_on_to_the_bit(words, cnnexp, only_run, tmp_path)


@pytest.mark.integration
def test_signals_go_on_to_the_bit_with_what_their_input_learnt(
    cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    mirror = made_up_beats(tmp_path / "mirror")
    environment = {"CNNEXP_DATA_MIRROR": mirror, "CNNEXP_DATA_DIR": str(tmp_path / "cache")}
    done = cnnexp(*SIGNALS, **environment)
    assert done.status == 0, done.err
    expected, learnt = outcome(only_run()), (only_run() / "input.json").read_text(encoding="utf-8")
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*SIGNALS, kill="batch:8", **environment).status == -9
    assert (only_run() / "input.json").read_text(encoding="utf-8") == learnt
    done = cnnexp("resume", only_run().name, **environment)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []
    refused_when_changed(cnnexp, only_run(), tmp_path, environment)


def made_up_texts(folder: Path) -> Path:
    """Class folders with texts of one to twelve words, some of them of one class alone."""
    generator = np.random.default_rng(0)
    for label, own in (("bad", "dull slow poor"), ("good", "bright swift rich")):
        (folder / label).mkdir(parents=True)
        words = [*own.split(), "the", "a", "film", "of", "it", "is", "was", "and"]
        for number in range(40):
            text = " ".join(generator.choice(words, generator.integers(1, 13)))
            (folder / label / f"{number}.txt").write_text(f"{text} {own.split()[number % 3]}", encoding="utf-8")
    return folder


OF_TEXTS = {
    "kim_cnn": ("model.maps=4", "model.channels=both"),
    "skipgram": ("model.subsample=0.1",),
    "cbow": ("model.window=2",),
    "glove": ("model.x_max=10",),
    "nplm": ("model.hidden=4",),
}


@pytest.mark.integration
@pytest.mark.parametrize("net", OF_TEXTS)
def test_texts_go_on_to_the_bit_with_their_vocabulary(
    net: str, cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    words = (
        "train", f"model={net}", *OF_TEXTS[net], "model.width=8", "data=text_folder",
        f"data.root={made_up_texts(tmp_path / 'texts')}", "batch_size=8", "epochs=3", "hardware.threads=1",
        "checkpoint.every_steps=3",
    )  # fmt: skip
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected, learnt = outcome(only_run()), (only_run() / "input.json").read_text(encoding="utf-8")
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:11").status == -9
    assert (only_run() / "input.json").read_text(encoding="utf-8") == learnt
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []


def refused_when_changed(cnnexp: CommandLine, run: Path, folder: Path, environment: dict[str, str]) -> None:
    """What the input learnt is part of the run: another mean would give other answers in silence."""
    beat = folder / "beat.csv"
    np.savetxt(beat, np.sin(np.linspace(0, 6, 96)))
    assert cnnexp("predict", run.name, str(beat), **environment).status == 0
    path = run / "input.json"
    path.write_text(path.read_text(encoding="utf-8").replace("mean", "nean"), encoding="utf-8")
    done = cnnexp("predict", run.name, str(beat), **environment)
    assert done.status == 2
    assert "input.json" in done.err and "another digest" in done.err


def optimizers(run: Path) -> dict[str, torch.Tensor]:
    """The state of every optimizer, by its place, weight and name."""
    states = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"]
    return {
        f"{place}.{weight}.{name}": value
        for place, one in enumerate(states)
        for weight, own in one["state"].items()
        for name, value in own.items()
    }
