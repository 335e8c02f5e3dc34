"""State dicts of the widely used PyTorch reproduction of the CIFAR residual nets, read into ours.

Its files are not here. What is known of them stands in ``published_names`` and ``Reference``, written from the
description in docs/pretrained.md alone.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnexp.builders.pretrained import for_data
from cnnexp.builders.weights import read_state
from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures

IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
WIDTHS = {1: 16, 2: 32, 3: 64}


def published_names(depth: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of such a file."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (16, 3, 3, 3), **norm("bn1", 16)}
    before = 16
    for stage, width in WIDTHS.items():
        for block in range((depth - 2) // 6):
            name = f"layer{stage}.{block}"
            shapes |= {f"{name}.conv1.weight": (width, before, 3, 3), **norm(f"{name}.bn1", width)}
            shapes |= {f"{name}.conv2.weight": (width, width, 3, 3), **norm(f"{name}.bn2", width)}
            before = width
    return {
        f"module.{name}": shape for name, shape in {**shapes, "linear.weight": (10, 64), "linear.bias": (10,)}.items()
    }


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    tensors: dict[str, tuple[int, ...]] = dict.fromkeys(
        (f"{name}.{one}" for one in ("weight", "bias", "running_mean", "running_var")), (width,)
    )
    return {**tensors, f"{name}.num_batches_tracked": ()}


def published_state(depth: int) -> dict[str, Tensor]:
    """Such a state dict with random numbers in it that keep activations at their size."""
    generator = torch.Generator().manual_seed(depth)

    def filled(name: str, shape: tuple[int, ...]) -> Tensor:
        if name.endswith("num_batches_tracked"):
            return torch.tensor(64_000)
        if name.endswith(("running_var", "bn1.weight", "bn2.weight")):
            return torch.rand(shape, generator=generator) * 0.5 + 0.75
        fan_in = torch.Size(shape[1:]).numel() if len(shape) > 1 else 100
        return torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5

    return {name: filled(name, shape) for name, shape in published_names(depth).items()}


class Reference:
    """The net as its authors describe it, on tensors alone: pictures (B, 3, 32, 32) in [0, 1] → logits (B, 10)."""

    def __init__(self, state: dict[str, Tensor], depth: int) -> None:
        self.state, self.blocks = state, (depth - 2) // 6

    def __call__(self, pictures: Tensor) -> Tensor:
        mean, std = IMAGENET.view(2, 1, 3, 1, 1)
        x = F.relu(self.norm("bn1", self.convolution("conv1", (pictures - mean) / std, 1)))
        for stage in WIDTHS:
            for block in range(self.blocks):
                x = self.block(f"layer{stage}.{block}", x, stride=2 if stage > 1 and block == 0 else 1)
        pooled = F.avg_pool2d(x, x.shape[-1]).flatten(1)
        return F.linear(pooled, self.state["module.linear.weight"], self.state["module.linear.bias"])

    def block(self, name: str, x: Tensor, stride: int) -> Tensor:
        y = F.relu(self.norm(f"{name}.bn1", self.convolution(f"{name}.conv1", x, stride)))
        y = self.norm(f"{name}.bn2", self.convolution(f"{name}.conv2", y, 1))
        if stride == 2:
            zeros = torch.zeros_like(y[:, : y.shape[1] // 4])
            x = torch.cat([zeros, x[:, :, 0::2, 0::2], zeros], 1)
        return F.relu(y + x)

    def convolution(self, name: str, x: Tensor, stride: int) -> Tensor:
        return F.conv2d(x, self.state[f"module.{name}.weight"], stride=stride, padding=1)

    def norm(self, name: str, x: Tensor) -> Tensor:
        mean, variance, weight, bias = (
            self.state[f"module.{name}.{one}"].view(1, -1, 1, 1)
            for one in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def as_on_a_gpu(path: Path) -> None:
    """Make a file of the format before zip say that its tensors lie on a GPU, as those files of 2018 do."""
    content = path.read_bytes()
    assert content.count(b"ctorch\nFloatStorage\n") == 1, "the pickle names it once and then refers to it"
    content = content.replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert content.count(b"cuda:0") == 1
    path.write_bytes(content)


def written(folder: Path, depth: int, wrapped: bool = True) -> Path:
    path, state = folder / f"resnet{depth}.th", published_state(depth)
    torch.save({"state_dict": state, "best_prec1": 91.7, "epoch": 200} if wrapped else state, path)
    return path


@pytest.mark.parametrize("depth", [20, 32])
@pytest.mark.parametrize("wrapped", [True, False])
def test_forward_equals_the_reference(tmp_path: Path, depth: int, wrapped: bool) -> None:
    path = written(tmp_path, depth, wrapped)
    words = ["model=resnet20", f"model.depth={depth}", f"model.weights={path}", "model.normalisation=imagenet"]
    task = for_data(compose_run([*words, "data=cifar10"]))
    assert sum(one.numel() for one in task.net.parameters()) == {20: 269_722, 32: 464_154}[depth]
    pictures = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8)
    expected = Reference(published_state(depth), depth)(pictures / 255)
    with torch.no_grad():
        found = task.net(task.prepare({"image": pictures}, train=False)["image"])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert expected.std(0).min() > 0.01, "answers that depend on the picture"


def test_a_file_of_the_old_format_from_a_gpu(tmp_path: Path) -> None:
    path, state = tmp_path / "old.th", published_state(20)
    floats = OrderedDict((name, value) for name, value in state.items() if value.is_floating_point())  # before 0.4.1
    floats._metadata = {"module.conv1": {"version": 1}}  # type: ignore[attr-defined]  # as state_dict() has it
    torch.save({"state_dict": floats, "best_prec1": torch.tensor(91.7)}, path, _use_new_zipfile_serialization=False)
    as_on_a_gpu(path)
    found = read_state(path)
    assert {f"module.{name}" for name in found} == set(floats)
    assert all(torch.equal(value, state[f"module.{name}"]) for name, value in found.items())
    task = for_data(compose_run(["model=resnet20", f"model.weights={path}", "data=cifar10"]))
    assert torch.equal(task.net.state_dict()["layer3.2.bn2.running_var"], state["module.layer3.2.bn2.running_var"])


def test_another_depth_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 32)
    with pytest.raises(InputError, match=r"another architecture.*layer1\.3\.conv1\.weight.*not there in the net"):
        for_data(compose_run(["model=resnet20", f"model.weights={path}", "data=cifar10"]))


def test_other_classes_have_nothing_to_say(tmp_path: Path) -> None:
    path = written(tmp_path, 20)
    with pytest.raises(InputError, match=r"no weights for the net's last layer \(linear.weight, linear.bias\)"):
        for_data(compose_run(["model=resnet20", f"model.weights={path}", "data=cifar100"]))


@pytest.mark.parametrize(("how", "mean"), [("imagenet", 0.485), ("data", 0.4914), ("auto", 0.4914)])
def test_the_key_that_chooses_the_normalisation(tmp_path: Path, how: str, mean: float) -> None:
    path = written(tmp_path, 20)
    words = ["model=resnet20", f"model.weights={path}", f"model.normalisation={how}", "data=cifar10"]
    pictures = for_data(compose_run(words)).facts.input
    assert isinstance(pictures, Pictures)
    assert pictures.normalised_by[0][0] == mean
