"""Weights from elsewhere and every way to go on with them, through the real command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.models import squeezenet1_0

from cnnexp.builders.weights import load_weights
from cnnexp.models.conv_encoder import ConvEncoder
from cnnexp.runs.checkpoints import LAST
from tests.builders.test_weights import Bomb
from tests.integration.conftest import CommandLine, command_line, copy_run
from tests.integration.refusing import Case, assert_refused, case
from tests.integration.server import Server
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

TINY = ("data=mnist5k", "data.fraction=0.1", "hardware.threads=1", "model.width=8")
ENCODER = ("train", "model=conv_encoder", *TINY, "epochs=2")


@pytest.fixture(scope="session")
def autoencoder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny autoencoder's run. Not to be changed: see ``copy_run``."""
    folder = tmp_path_factory.mktemp("autoencoder")
    done = command_line(server, folder)("train", "model=conv_autoencoder", *TINY, "epochs=1")
    assert done.status == 0, done.err
    (run,) = (folder / "outputs").iterdir()
    return run


def runs_of(folder: Path, net: str = "conv_encoder") -> list[Path]:
    return sorted(path for path in (folder / "outputs").iterdir() if net in path.name)


def state_of(run: Path, name: str = "best") -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["net"]
    return state


def test_a_run_that_was_stopped_on_trial_is_built_upon_from_its_last_weights(
    cnnexp: CommandLine, autoencoder: Path, tmp_path: Path
) -> None:
    copy_run(autoencoder, tmp_path)
    done = cnnexp("train", "model=conv_autoencoder", *TINY, "max_steps=2")
    assert done.status == 0, done.err
    (parent,) = (run for run in runs_of(tmp_path, "conv_autoencoder") if run.name != autoencoder.name)
    done = cnnexp(*ENCODER, "model.weights=run:last", "max_steps=1")
    assert done.status == 0, done.err
    (run,) = runs_of(tmp_path)
    said = json.loads((run / "weights.json").read_text())
    source = f"run {parent.name} (stopped before the end of its first epoch, after step 2: its last weights are taken)"
    assert (said["source"], said["checkpoint"]) == (source, "last")
    assert source in " ".join(done.out.split()) and source in (run / "log.txt").read_text()
    tested = cnnexp("test", run.name, "--json")
    assert json.loads(tested.out)["checkpoint"] == "last"
    assert tested.err.strip() == f"{run.name}: {source.partition('(')[2].rstrip(')').replace('step 2', 'step 1')}"


def test_an_autoencoders_encoder_begins_a_classifier(cnnexp: CommandLine, autoencoder: Path, tmp_path: Path) -> None:
    parent = copy_run(autoencoder, tmp_path)
    done = cnnexp(*ENCODER, "model.weights=run:last", "transfer=feature_extractor")
    assert done.status == 0, done.err
    assert "fresh: head.weight, head.bias; not used: decoder.0.weight" in " ".join(done.out.split())
    (run,) = runs_of(tmp_path)
    said = json.loads((run / "weights.json").read_text())
    assert said["source"] == f"run {parent.name}" and len(said["sha256"]) == 64
    config = (run / "config.yaml").read_text()
    assert f"run:{parent.name}" in config and said["sha256"] in config
    begun, trained = state_of(parent), state_of(run)
    body = [name for name in trained if name.startswith("encoder.")]
    assert body == said["loaded"]
    assert all(torch.equal(trained[name], begun[name]) for name in body), "frozen, with the statistics of its norms"

    for path in parent.rglob("*.ckpt"):
        path.unlink()
    assert cnnexp("test", run.name).status == 0, "a trained run does not need what it began with"
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    assert cnnexp("predict", run.name, "a.png").status == 0
    assert cnnexp("resume", run.name, "epochs=3").status == 0


def results(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return [{key: value for key, value in row.items() if "per_second" not in key} for row in csv.DictReader(file)]


def test_kept_features_change_nothing(cnnexp: CommandLine, autoencoder: Path, tmp_path: Path) -> None:
    """Equal to the bit here; other batch sizes than the training's may round differently."""
    copy_run(autoencoder, tmp_path)
    words = (*ENCODER, "model.weights=run:last", "transfer=feature_extractor", "batch_size=50", "log_every_steps=2")
    parent = runs_of(tmp_path, "autoencoder")[0].name
    words = tuple(word.replace("run:last", f"run:{parent}") for word in words)
    said = []
    for cache in ("true", "false"):
        done = cnnexp(*words, f"transfer.cache={cache}")
        assert done.status == 0, done.err
        said.append("computed once" in " ".join(done.out.split()))
    assert said == [True, False]
    kept, computed = runs_of(tmp_path)
    assert set(state_of(kept)) == set(state_of(computed)), "the whole net is saved"
    for name, value in state_of(computed).items():
        torch.testing.assert_close(state_of(kept)[name], value, rtol=1e-5, atol=1e-6)
    for one, other in zip(results(kept), results(computed), strict=True):
        for key in one:
            assert one[key] == other[key] or float(one[key]) == pytest.approx(float(other[key]), rel=1e-5), key


@pytest.mark.parametrize("transfer", ["last_stages", "fine_tune", "none"])
def test_the_other_ways(cnnexp: CommandLine, autoencoder: Path, tmp_path: Path, transfer: str) -> None:
    parent = copy_run(autoencoder, tmp_path)
    done = cnnexp(*ENCODER, f"model.weights=run:{parent.name}", f"transfer={transfer}", "epochs=1")
    assert done.status == 0, done.err
    (run,) = runs_of(tmp_path)
    begun, trained = state_of(parent), state_of(run)
    same = {name for name in trained if name in begun and torch.equal(trained[name], begun[name])}
    frozen = {"encoder.0.0.weight", "encoder.0.1.running_mean", "encoder.0.1.weight"}
    assert (frozen <= same) if transfer == "last_stages" else not (frozen & same)
    assert "head.weight" not in same and "encoder.3.weight" not in same


@pytest.mark.parametrize("kill", ["batch:4", "saved:1", "saved:2", "batch:18", "after_batch:12"])
def test_two_phases_are_resumed_to_the_bit(
    cnnexp: CommandLine, autoencoder: Path, tmp_path: Path, kill: str, whole: Path
) -> None:
    """Killed in the first phase, between the two, and in the second."""
    parent = copy_run(autoencoder, tmp_path)
    words = (*TWO_PHASES, f"model.weights=run:{parent.name}")
    assert cnnexp(*words, kill=kill).status == -9
    (run,) = runs_of(tmp_path)
    done = cnnexp("resume", run.name)
    assert done.status == 0, done.err
    assert differences(outcome(run), outcome(whole)) == []


TWO_PHASES = (
    *("train", "model=conv_encoder", *TINY, "epochs=4", "batch_size=64", "checkpoint.every_steps=3"),
    *("transfer=two_phase", "transfer.head_epochs=2"),
)


@pytest.fixture(scope="session")
def whole(server: Server, autoencoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two phases that was never killed."""
    folder = tmp_path_factory.mktemp("two_phases")
    parent = copy_run(autoencoder, folder)
    done = command_line(server, folder)(*TWO_PHASES, f"model.weights=run:{parent.name}")
    assert done.status == 0, done.err
    (run,) = runs_of(folder)
    begun = state_of(parent)
    last = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert not torch.equal(last["net.encoder.0.0.weight"], begun["encoder.0.0.weight"]), "the second phase learns"
    return run


def write_weights(folder: Path) -> None:
    """lenet.pth, one that runs code, and the encoder's in a width of its own."""
    torch.save({"net": Bomb(folder / "canary")}, folder / "bomb.pth")
    torch.save(
        ConvEncoder(in_channels=1, num_classes=10, image_size=(28, 28), bottleneck=32, width=8).state_dict(),
        folder / "narrow.pth",
    )


REFUSED = {
    "no file": case("train model.weights=none.pth", "none.pth", "no such file"),
    "code in the file": case("train model.weights=bomb.pth", "bomb.pth", "nothing of it was run"),
    "another architecture": case(
        "train model.weights=narrow.pth", "another architecture", "0 of the 8 tensors", "model=lenet5", "conv1.weight"
    ),
    "another width": case(
        "train model=conv_encoder model.weights=narrow.pth", "another architecture", "32×1×3×3, 8×1×3×3 in the weights"
    ),
    "transfer of nothing": case("train transfer=feature_extractor", "random weights", "model.weights=FILE"),
    "too many stages": case(
        "train model=conv_encoder model.width=8 model.weights=narrow.pth transfer=last_stages transfer.stages=3",
        "transfer.stages=3",
        "2 stages before its head",
        "at most 1",
    ),
    "no second phase": case(
        "train model=conv_encoder model.width=8 model.weights=narrow.pth transfer=two_phase epochs=5",
        "transfer.head_epochs=5",
        "epochs=5",
    ),
    "two phases in two processes": case(
        "train model=conv_encoder model.width=8 model.weights=narrow.pth transfer=two_phase hardware=ddp_cpu",
        "one process",
        "model.weights=run:ID",
    ),
    "two kinds of rates": case(
        "train model=conv_encoder model.width=8 model.weights=narrow.pth transfer=fine_tune optimizer.stage_rates=0.5",
        "optimizer.stage_rates=0.5",
        "transfer.rate_decay",
    ),
    "features that change": case(
        "train model=conv_encoder model.width=8 model.weights=narrow.pth transfer=feature_extractor augmentation=shift "
        "transfer.cache=true",
        "transfer.cache=true",
        "augmentation=none",
    ),
    "no such rate": case("train transfer=fine_tune transfer.rate_decay=0", "transfer.rate_decay=0", "above 0"),
    "no such net": case(
        "train model=torchvision model.name=resnet19 data=cifar10", "resnet19", "did you mean resnet18"
    ),
    "stages of a file": case(
        "train model=vgg13 data.image_size=[32,32] model.weights=narrow.pth model.match=stages",
        "model.match=stages",
        "run:ID",
    ),
    "stages of nothing": case("train model.match=stages", "model.match=stages", "weights=null", "run:ID"),
    "another way to match": case("train model.match=layers", "model.match=layers", "names or stages"),
    "a picture too small": case("train model=vgg11", "data.image_size=[28,28]", "vgg11", "32x32"),
    "a picture far too small": case(
        "train model=inception_v3 data=cifar10", "model=inception_v3", "data.image_size=[299,299]"
    ),
    "no such net of timm": case(
        "train model=timm model.name=resnet19 data=cifar10", "resnet19", "did you mean resnet18"
    ),
    "no such layer": case(
        "train model=densenet121 model.stem_layers=[features.conv1] data=cifar10", "model.stem_layers", "features.conv1"
    ),
    "no such stem": case("train model=densenet121 model.stem=tiny data=cifar10", "model.stem=tiny", "auto, imagenet"),
    "no auxiliary heads": case(
        "train model=torchvision +model.auxiliary_heads=true data=cifar10", "auxiliary_heads=true", "leave it false"
    ),
    "a test without weights": case("test model=lenet5", "model=lenet5", "model.weights=FILE"),
    "a test of a run by its weights": case("test model=lenet5 model.weights=run:x", "first word, x"),
    "a test with what it does not take": case("test model=lenet5 optimizer.lr=1", "optimizer.lr=1", "model, data"),
    "random answers": case("predict model=squeezenet1_0 a.png", "model.weights=FILE"),
    "a run in place of weights": case("predict model=squeezenet1_0 model.weights=run:x a.png", "first word, x"),
    "a net of unknown pictures": case("predict model=lenet5 model.weights=narrow.pth a.png", "nobody publishes"),
    "settings without a run": case("predict model=squeezenet1_0 seed=1 a.png", "seed=1", "model=…, model.…"),
    "before no run": case(
        "predict model=squeezenet1_0 model.weights=narrow.pth a.png --before", "--before", "name a run"
    ),
    "no picture": case("predict model=squeezenet1_0 model.weights=narrow.pth", "FILE", "photo.jpg"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(here: CommandLine, work: Path, name: str) -> None:
    write_weights(work)
    Image.new("RGB", (30, 20)).save(work / "a.png")
    one: Case = REFUSED[name]
    assert_refused(lambda: here(*one.argv, cwd=work), one.argv[0], one.lines, work)
    assert not (work / "canary").exists()


def test_a_picture_is_classified_without_a_run(cnnexp: CommandLine, work: Path) -> None:
    torch.manual_seed(0)
    net = squeezenet1_0()
    net.classifier[1].bias.data[217] = 50.0  # an English springer, whatever it is shown
    torch.save(net.state_dict(), work / "a.pth")
    Image.new("RGB", (300, 200), (20, 200, 20)).save(work / "a.png")
    done = cnnexp("predict", "model=squeezenet1_0", "model.weights=a.pth", "a.png", "--json", cwd=work)
    assert done.status == 0, done.err
    (row,) = json.loads(done.out)
    assert (row["label"], row["file"], len(row["top"])) == ("English springer", "a.png", 5)
    done = cnnexp("predict", "model=torchvision", "model.name=squeezenet1_0", "model.weights=a.pth", "a.png", cwd=work)
    assert done.out.splitlines()[1].split()[:2] == ["English", "springer"]


def test_what_weights_said_before_a_run_and_say_after_it(here: CommandLine, work: Path) -> None:
    """Weights that take everything for an English springer, and go on with digits."""
    torch.manual_seed(0)
    net = squeezenet1_0()
    net.classifier[1].bias.data[217] = 50.0
    torch.save(net.state_dict(), work / "a.pth")
    words = ("train", "model=squeezenet1_0", "model.weights=a.pth", "data=mnist5k", "data.image_size=[32,32]")
    assert here(*words, "max_steps=1", "batch_size=8", "hardware.threads=1", cwd=work).status == 0
    Image.new("RGB", (300, 200), (20, 200, 20)).save(work / "a.png")
    Image.new("L", (28, 28)).save(work / "b.png")
    asked = ("predict", "last", "a.png", "b.png", "--before")
    done = here(*asked, "--html", "answers.html", "--json", cwd=work)
    assert done.status == 0, done.err
    rows = json.loads(done.out)
    assert [row["before"]["label"] for row in rows] == ["English springer"] * 2
    assert all(row["label"] in "0123456789" and len(row["top"]) == 5 for row in rows)
    page = (work / "answers.html").read_text()
    assert page.count("data:image/") == 2 and "squeezenet1_0 with a.pth" in page and "English springer" in page
    lines = here(*asked, cwd=work).out.splitlines()
    assert lines[:2] == ["a.png", "  before: squeezenet1_0 with a.pth"] and lines[2].split()[:2] == [
        "English",
        "springer",
    ]
    assert lines[7] == "  after"

    torch.save(squeezenet1_0().state_dict(), work / "a.pth")
    done = here(*asked, cwd=work)
    assert done.status == 2 and "another file than the one that the configuration names" in done.lines[-1]


def answer_always(net: ConvEncoder, logit: float) -> None:
    """The fourth class, whatever the picture."""
    torch.nn.init.zeros_(net.head.weight)
    net.head.bias.data = torch.zeros(10).index_fill(0, torch.tensor(3), logit)


def test_a_file_is_tested_without_a_run(cnnexp: CommandLine, work: Path) -> None:
    """Weights that always answer the same: the accuracy is that class's part of the data."""
    net = ConvEncoder(in_channels=1, num_classes=10, image_size=(28, 28), bottleneck=32, width=8)
    answer_always(net, 1.0)
    torch.save({"state_dict": {f"module.{name}": value for name, value in net.state_dict().items()}}, work / "a.th")
    words = ("test", "model=conv_encoder", "model.width=8", "model.weights=a.th", "data=mnist5k", "hardware.threads=1")
    done = cnnexp(*words, "model.normalisation=data", cwd=work)
    assert done.status == 0, done.err
    assert f"{len(net.state_dict())} of {len(net.state_dict())} tensors loaded" in done.out
    assert "model.normalisation=data: pictures normalised by mean 0.131 and deviation 0.309" in done.out
    done = cnnexp(*words, "--json", "--split", "val", cwd=work)
    said = json.loads(done.out)
    assert said["metrics"]["val/accuracy"] == pytest.approx(0.1)
    assert said["weights"]["loaded"] == list(net.state_dict()) and said["normalisation"]["mean"] == [0.1313]
    assert sorted(path.name for path in work.iterdir()) == ["a.th"], "no run is made"


def test_a_file_answers_without_a_run(cnnexp: CommandLine, work: Path) -> None:
    net = ConvEncoder(in_channels=1, num_classes=10, image_size=(28, 28), bottleneck=32, width=8)
    answer_always(net, 10.0)
    torch.save(net.state_dict(), work / "a.th")
    Image.new("RGB", (300, 200), (20, 200, 20)).save(work / "a.png")
    words = ("predict", "model=conv_encoder", "model.width=8", "model.weights=a.th", "data=mnist5k", "a.png", "--json")
    (row,) = json.loads(cnnexp(*words, cwd=work).out)
    assert row["label"] == "3" and row["probability"] > 0.99


@pytest.mark.slow
def test_a_deeper_vgg_begins_with_a_shallower_one(cnnexp: CommandLine, tmp_path: Path) -> None:
    tiny = ("data=mnist5k", "data.image_size=[32,32]", "data.fraction=0.005", "epochs=1", "hardware.threads=1")
    assert cnnexp("train", "model=vgg11_bn", *tiny).status == 0
    done = cnnexp("train", "model=vgg13_bn", *tiny, "model.weights=run:last", "model.match=stages", "max_steps=1")
    assert done.status == 0, done.err
    assert "8 of its 8 convolutions and 1 of its 1 linear layers" in " ".join(done.out.split())
    (first,), (second,) = runs_of(tmp_path, "vgg11_bn"), runs_of(tmp_path, "vgg13_bn")
    said = json.loads((second / "weights.json").read_text())
    assert said["source"] == f"run {first.name}"
    layers = [("weight", "bias"), ("weight", "bias", "running_mean", "running_var")] * 2
    expected = [
        f"features.{place}.{tensor}"
        for place, tensors in zip((3, 4, 10, 11), layers, strict=True)
        for tensor in tensors
    ]
    assert said["fresh"] == expected, "no counters of batches among them"
    done = cnnexp("train", "model=resnet20", *tiny, f"model.weights=run:{first.name}", "model.match=stages")
    assert (done.status, len(done.lines)) == (2, 1) and "5 stages" in done.err and "6 (features.0" in done.err


@pytest.mark.slow
def test_real_weights_on_real_photographs(
    mirror: Path, cnnexp: CommandLine, tmp_path: Path, only_run: Callable[[], Path]
) -> None:
    """At least 88 % on ten classes, from features that are computed once: the mirror's 900 photographs to train."""
    file = next((mirror / "weights" / "squeezenet1_0").glob("*.pth"))
    environment = {"CNNEXP_DATA_MIRROR": str(mirror), "CNNEXP_DATA_DIR": str(tmp_path / "cache")}
    words = ("model=squeezenet1_0", f"model.weights={file}", "data=imagenette", "transfer=feature_extractor")
    done = cnnexp("train", *words, "epochs=10", **environment)
    assert done.status == 0, done.err
    assert json.loads((only_run() / "summary.json").read_text())["metrics"]["test/accuracy"] >= 0.88


def test_what_a_patch_net_counted_in_other_masks_is_no_weight(cnnexp: CommandLine, tmp_path: Path) -> None:
    """Two runs on the same masks count the same in them, whatever one of them began with."""
    words = ("model=patch_net", "data=digit_scenes", "data.fraction=0.01", "max_steps=3", "hardware.threads=1")
    net = ("model.window=17", "model.kernels=[4,4]", "model.widths=[4,4]", "model.windows=10", "model.stride=4")
    for weights in ((), ("model.weights=run:last",)):
        done = cnnexp("train", *words, *net, *weights)
        assert done.status == 0, done.err
    assert "fresh: head.counted, head.shown" in " ".join(done.out.split())
    first, second = (load_weights(run / LAST) for run in runs_of(tmp_path, "patch_net"))
    assert torch.equal(first["head.counted"], second["head.counted"]) and first["head.counted"].any()
    assert not torch.equal(first["head.weight"], second["head.weight"])
