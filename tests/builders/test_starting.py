from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cnnexp.builders.begun import Start
from cnnexp.builders.pretrained import pretrained
from cnnexp.builders.starting import IMAGENET, put_start, resolve_start, sha256_of, start
from cnnexp.builders.weights import read_state
from cnnexp.config.compose import compose_run, to_yaml
from cnnexp.errors import InputError
from cnnexp.models.lenet5 import LeNet5
from cnnexp.runs.checkpoints import BEST
from cnnexp.runs.write import RunWriter
from tests.builders.test_weights import Bomb


class Net(nn.Module):
    """Two stages and a head."""

    def __init__(self, classes: int = 3, channels: int = 3, width: int = 4, deep: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(channels, width, 3), nn.BatchNorm2d(width))
        self.layer1 = nn.Sequential(*(nn.Conv2d(width, width, 3) for _ in range(1 + deep)))
        self.head = nn.Linear(width, classes)


def state_of(seed: int = 1, **arguments: Any) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return Net(**arguments).state_dict()


def put(net: nn.Module, state: dict[str, Tensor]) -> Start:
    begun = Start("a.pth")
    put_start(net, state, begun, "tiny")
    return begun


def test_all_of_it() -> None:
    net, state = Net(), state_of()
    begun = put(net, state)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert (len(begun.loaded), begun.fresh, begun.skipped) == (len(state), [], [])
    assert begun.described() == f"weights of a.pth: {len(state)} of {len(state)} tensors loaded"


def test_a_head_of_other_classes_stays_fresh() -> None:
    net, state = Net(classes=5), state_of(classes=3)
    before = net.head.weight.detach().clone()
    begun = put(net, state)
    assert begun.fresh == ["head.weight", "head.bias"]
    assert torch.equal(net.head.weight, before)
    assert torch.equal(net.layer1[0].weight, state["layer1.0.weight"])
    assert "fresh: head.weight, head.bias" in begun.described()


def test_auxiliary_heads_of_other_classes_stay_fresh() -> None:
    """Their layers before the last one could be taken; those fit by shape, and they are."""

    class WithHead(Net):
        auxiliary_parts = ("aux",)

        def __init__(self, classes: int) -> None:
            super().__init__(classes)
            self.aux = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, classes))
            self.head = self._modules.pop("head")  # the last layer is the one that answers

    begun = put(WithHead(5), WithHead(3).state_dict())
    assert begun.fresh == ["aux.1.weight", "aux.1.bias", "head.weight", "head.bias"]
    assert "aux.0.weight" in begun.loaded


def test_counters_that_an_old_file_lacks_are_no_fresh_weights() -> None:
    """Batch norm counts its batches since torch 0.4.1."""
    net, old = Net(), {name: value for name, value in state_of().items() if "num_batches_tracked" not in name}
    assert len(net.state_dict()) == len(old) + 1
    begun = put(net, old)
    assert (begun.loaded, begun.fresh, begun.skipped) == (list(old), [], [])
    assert begun.described() == f"weights of a.pth: {len(old)} of {len(old)} tensors loaded"
    assert int(net.conv1[1].num_batches_tracked) == 0
    assert put(Net(classes=5), old).fresh == ["head.weight", "head.bias"]


def test_what_the_net_has_not_is_named() -> None:
    net = Net()
    begun = put(net, {**state_of(), "aux.weight": torch.zeros(1), "decoder.0.bias": torch.zeros(1)})
    assert begun.skipped == ["aux.weight", "decoder.0.bias"]


def test_weights_for_colour_in_a_net_for_grey() -> None:
    """As if grey were shown as three equal channels."""
    net, state = Net(channels=1), state_of(channels=3)
    assert put(net, state).adapted == ["conv1.0.weight"]
    grey = torch.rand(2, 1, 8, 8)
    shown = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), state["conv1.0.weight"])
    torch.testing.assert_close(nn.functional.conv2d(grey, net.conv1[0].weight), shown)

    colour = Net(channels=3)
    put(colour, state_of(channels=1))
    shown = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), colour.conv1[0].weight)
    torch.testing.assert_close(shown, nn.functional.conv2d(grey, state_of(channels=1)["conv1.0.weight"]))


def test_other_names_in_the_same_order() -> None:
    net, state = Net(classes=5), state_of()
    renamed = {f"_{name}": value for name, value in state.items()}
    begun = put(net, renamed)
    assert begun.by_position and begun.fresh == ["head.weight", "head.bias"]
    assert torch.equal(net.layer1[0].weight, state["layer1.0.weight"])
    assert "matched by their order" in begun.described()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (state_of(width=8), ["1 of the 9 tensors", "conv1.0.weight (4×3×3×3, 8×3×3×3 in the weights)", "more"]),
        (state_of(deep=True), ["9 of the 9 tensors", "layer1.1.weight (4×4×3×3 in the weights, not there in the net)"]),
        ({k: v for k, v in state_of().items() if "layer1" not in k}, ["7 of the 9", "layer1.0.weight", "not there"]),
        (
            LeNet5(in_channels=1, num_classes=3, image_size=(28, 28), activation="relu", pooling="max").state_dict(),
            ["0 of"],
        ),
    ],
    ids=["wider", "deeper", "a stage is missing", "another net"],
)
def test_another_architecture(state: dict[str, Tensor], says: list[str]) -> None:
    net = Net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(InputError, match="weights of another architecture") as refused:
        put(net, state)
    assert [text for text in [*says, "model=tiny"] if text not in str(refused.value)] == [], refused.value
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items()), "all or nothing"


def test_another_stem_is_no_other_architecture() -> None:
    net, state = Net(), state_of()
    with pytest.raises(InputError, match=r"4×3×3×3, 4×3×7×7 in the weights\); weights for photographs want model.stem"):
        put(net, state | {"conv1.0.weight": torch.zeros(4, 3, 7, 7)})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"net": state, "score": 0.5},
        lambda state: {"model": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {"state_dict": {f"model.module.{name}": value for name, value in state.items()}},
        lambda state: {f"_orig_mod.{name}": value for name, value in state.items()},
        lambda state: {"state_dict": {**{f"net.{n}": v for n, v in state.items()}, "metrics.count": torch.zeros(1)}},
    ],
    ids=["plain", "state_dict", "best.ckpt", "data parallel", "wrapped twice", "compiled", "last.ckpt"],
)
def test_files_of_many_programs(tmp_path: Path, wrap: Any) -> None:
    state = state_of()
    torch.save(wrap(state), tmp_path / "a.pth")
    found = read_state(tmp_path / "a.pth")
    assert list(found) == list(state)
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_safetensors(tmp_path: Path) -> None:
    state = state_of()
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "a.safetensors")
    found = read_state(tmp_path / "a.safetensors")
    assert found.keys() == state.keys()
    (tmp_path / "a.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a safetensors file"):
        read_state(tmp_path / "a.safetensors")


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_state(tmp_path / "none.pth")
    with pytest.raises(InputError, match="a folder"):
        read_state(tmp_path)
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="no weights in it"):
        read_state(tmp_path / "a.pth")
    canary = tmp_path / "canary"
    torch.save({"state_dict": {"w": Bomb(canary)}}, tmp_path / "b.pth")
    with pytest.raises(InputError, match="nothing of it was run"):
        read_state(tmp_path / "b.pth")
    assert not canary.exists()


def composed(tmp_path: Path, *words: str) -> dict[str, Any]:
    return compose_run([*words, f"outputs={tmp_path}"])


def lenet_file(tmp_path: Path) -> Path:
    net = LeNet5(in_channels=1, num_classes=10, image_size=(28, 28), activation="relu", pooling="max")
    torch.save(net.state_dict(), tmp_path / "lenet.pth")
    return tmp_path / "lenet.pth"


def test_what_a_run_is_frozen_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lenet_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    frozen = resolve_start(composed(tmp_path, "model.weights=lenet.pth"))
    assert frozen["model"]["weights"] == str(path)
    assert frozen["model"]["weights_sha256"] == sha256_of(path)
    assert frozen["data"]["mean"] == [0.1313], "nobody says what LeNet's weights want"
    net = LeNet5(in_channels=1, num_classes=10, image_size=(28, 28), activation="relu", pooling="max")
    begun = start(net, frozen)
    assert begun is not None and begun.as_record()["sha256"] == sha256_of(path)
    assert resolve_start(frozen) == frozen
    torch.save(net.state_dict() | {"more": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="another file than the one"):
        resolve_start(frozen)


def test_pictures_are_normalised_as_the_weights_want(tmp_path: Path) -> None:
    torch.save(state_of(), tmp_path / "a.pth")
    file = f"model.weights={tmp_path / 'a.pth'}"
    imagenet, half = [list(one) for one in IMAGENET], [[0.5] * 3, [0.5] * 3]
    own = [[0.4914, 0.4821, 0.4467], [0.2471, 0.2435, 0.2615]]
    for words, expected in (
        (["model=squeezenet1_0", file], imagenet),
        (["model=resnet18", file], imagenet),
        (["model=efficientnet_lite0", file], half),
        (["model=timm", "model.weights=timm"], imagenet),
        (["model=torchvision", "model.weights=IMAGENET1K_V1"], imagenet),
        (["model=squeezenet1_0", file, "model.normalisation=data"], own),
        (["model=squeezenet1_0"], own),
        (["model=squeezenet1_0", "model.normalisation=imagenet"], imagenet),
        (["model=resnet20", file], own),
    ):
        frozen = resolve_start(composed(tmp_path, "data=cifar10", *words))
        assert [list(frozen["data"]["mean"]), list(frozen["data"]["std"])] == expected, words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model.weights=torchvision"], ["model=lenet5", "nobody publishes"]),
        (["model=resnet18", "model.weights=IMAGENET1K_V2"], ["IMAGENET1K_V2", "resnet18", "IMAGENET1K_V1"]),
        (["model=timm", "model.weights=a1_in1"], ["a1_in1k"]),
        (["model=torchvision", "model.name=resnet1", "model.weights=DEFAULT"], ["resnet1", "resnet18"]),
        (["model=timm", "model.name=nonsense_net", "model.weights=timm"], ["nonsense_net", "timm"]),
        (["model.weights=none.pth"], ["none.pth", "no such file"]),
        (["model.weights=run:nothing"], ["no runs"]),
    ],
)
def test_weights_that_are_not_there(tmp_path: Path, words: list[str], says: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        resolve_start(composed(tmp_path, *words))
    assert len(refused.value.lines) == 1
    assert [text for text in says if text not in str(refused.value)] == [], refused.value


def deeplab_file(tmp_path: Path, *more: str) -> str:
    """Tensors of torchvision's files: a convolution of the classifier's, and some that stand behind it."""
    state = {"conv1.weight": torch.zeros(64, 3, 7, 7)} | {name: torch.zeros(21) for name in more}
    torch.save(state, tmp_path / "a.pth")
    return f"model.weights={tmp_path / 'a.pth'}"


DEEPLAB = ("model=deeplabv3", "data=digit_scenes", "model.backbone=resnet50")


def test_only_weights_of_the_whole_net_bring_arguments(tmp_path: Path) -> None:
    def stride(*words: str) -> Any:
        return resolve_start(composed(tmp_path, *DEEPLAB, *words))["model"]["output_stride"]

    assert stride(deeplab_file(tmp_path)) is None
    assert stride(deeplab_file(tmp_path, "fc.bias")) is None
    with pytest.raises(InputError, match=r"no answers of model=deeplabv3 in it \(classifier\.4\.bias\)"):
        pretrained(composed(tmp_path, *DEEPLAB, f"model.weights={tmp_path / 'a.pth'}"))
    whole = deeplab_file(tmp_path, "backbone.bn1.bias", "classifier.4.bias")
    assert (stride(whole), stride(whole, "model.output_stride=16")) == (8, 16)


def test_a_net_begun_from_a_run_has_what_that_runs_net_had(tmp_path: Path) -> None:
    """An output stride, which weights may have brought, is told by no tensor's shape."""
    words = [*DEEPLAB, "model.head_width=32"]
    config = composed(tmp_path, *words, deeplab_file(tmp_path, "backbone.bn1.bias", "classifier.4.bias"))
    frozen = resolve_start(config)
    writer = RunWriter.create(frozen, to_yaml(frozen), ["cnnexp", "train"])
    torch.save({"net": state_of()}, writer.folder / BEST)
    writer.finish("finished", 1.0)
    source = f"model.weights=run:{writer.id}"

    def begun(*words: str) -> Any:
        return resolve_start(composed(tmp_path, *words, source))["model"]

    again = begun(*DEEPLAB)
    assert (again["output_stride"], again["head_width"], again["rates"]) == (8, 32, None)
    assert begun(*DEEPLAB, "model.output_stride=16")["output_stride"] == 16
    assert begun(*DEEPLAB, "model.match=stages")["output_stride"] is None, "begun by stages it may be another net"
    assert begun("model=fcn8s", "data=digit_scenes")["width"] is None
