from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn
from torchvision import models

from cnnexp.data.base import TensorSplit
from cnnexp.training import features
from cnnexp.training.features import FeatureSplit, features_of, find_tail
from cnnexp.training.transfer import FeatureExtractor
from tests.training.test_transfer import Net


class LikeVGG(nn.Module):
    """Frozen linear layers and the head in one row, with a dropout that belongs to the head."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.ReLU())
        self.classifier = nn.Sequential(nn.Linear(256, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def frozen(net: nn.Module) -> nn.Module:
    FeatureExtractor(cache=True).prepare(net)
    return net


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "squeezenet, whose answer is pooled behind its head": (lambda: models.squeezenet1_0(num_classes=5), (512, 1, 1)),
    "resnet": (lambda: models.resnet18(num_classes=5), (512,)),
    "densenet, with functions before its head": (lambda: timm.create_model("densenet121", num_classes=5), (1024,)),
    "a dropout before the head": (LikeVGG, (8,)),
}


@pytest.mark.parametrize("name", NETS)
def test_the_tail_of_known_nets(name: str) -> None:
    torch.manual_seed(0)
    make, shape = NETS[name]
    net = frozen(make()).eval()
    pictures = torch.rand(4, 3, 33, 33)
    tail = find_tail(net, pictures)
    assert tail is not None
    caught = tail.features(net, pictures)
    assert tuple(caught.shape[1:]) == shape and not caught.requires_grad
    assert torch.equal(tail(caught), net(pictures))
    assert not tail.modules[0]._forward_pre_hooks, "it listens no longer"
    assert not any(module.training for module in net.modules()), "put back as it was"


def test_a_dropout_of_the_head_draws_as_in_the_whole_net() -> None:
    net = frozen(LikeVGG()).train()
    FeatureExtractor(cache=True).prepare(net)
    tail = find_tail(net, torch.rand(2, 3, 33, 33))
    assert tail is not None
    assert any(isinstance(module, nn.Dropout) for module in tail.modules)


def test_a_dropout_that_hides_in_a_function_is_found() -> None:
    """timm's ResNet drops by a function before its last layer: no row of modules does the same."""
    net = frozen(timm.create_model("resnet10t", num_classes=5, drop_rate=0.5))
    assert find_tail(net, torch.rand(2, 3, 33, 33)) is None
    assert find_tail(frozen(timm.create_model("resnet10t", num_classes=5)), torch.rand(2, 3, 33, 33)) is not None


def test_a_net_that_does_more_behind_its_head() -> None:
    class Scaled(Net):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 2

    assert find_tail(frozen(Scaled()), torch.rand(2, 1, 8, 8)) is None


FILLS = {"label": 0.0}


def split_of(count: int) -> TensorSplit:
    torch.manual_seed(0)
    image = torch.randint(256, (count, 1, 6, 6), dtype=torch.uint8)
    return TensorSplit({"image": image, "label": torch.arange(count) % 3}, names=[f"p{i}" for i in range(count)])


def test_batches_of_features(cache: Path) -> None:
    split, positions = split_of(7), torch.tensor([1, 2, 5, 6])
    doubled = features_of(split, positions, lambda batch: batch["image"].float() * 2, 3, "how", FILLS)
    kept = FeatureSplit(split, positions, doubled.features, doubled.truth)
    batch = kept.batch([6, 1])
    assert "image" not in batch
    assert torch.equal(batch["features"], split.tensors["image"][[6, 1]].float() * 2)
    assert batch["label"].tolist() == [0, 1]
    assert batch["index"].tolist() == [6, 1]
    assert len(kept) == 7 and kept.names == split.names
    with pytest.raises(IndexError):
        kept.batch([0])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(features, "SLOW_S", -1.0)
    return tmp_path / "features"


@pytest.mark.parametrize("last", [False, True], ids=["plain", "channels last"])
def test_they_are_kept_on_disk(cache: Path, last: bool) -> None:
    calls = []

    def compute(batch: dict[str, Tensor]) -> Tensor:
        calls.append(len(batch["image"]))
        found = batch["image"].float().expand(-1, 2, -1, -1).contiguous()
        return found.contiguous(memory_format=torch.channels_last) if last else found

    split, positions = split_of(5), torch.arange(5)
    first = features_of(split, positions, compute, 2, "how", FILLS)
    again = features_of(split, positions, compute, 2, "how", FILLS)
    assert calls == [2, 2, 1]
    assert again.from_disk and not first.from_disk
    assert torch.equal(first.features, again.features) and torch.equal(first.truth["label"], again.truth["label"])
    assert first.features.stride() == again.features.stride(), "a dropout draws in the order of memory"

    for other in ((split, positions, "other"), (split, positions[:4], "how"), (split_of(6), positions, "how")):
        count = len(calls)
        features_of(other[0], other[1], compute, 2, other[2], FILLS)
        assert len(calls) > count, "another net, other samples, other pictures"


def test_truths_of_different_lengths_are_filled_up_to_the_longest(cache: Path) -> None:
    """Each batch of a ragged split is as long as its own longest sample."""
    classes = [torch.full((one,), one) for one in (1, 3, 0, 2, 1)]
    mask = torch.arange(5 * 4).view(5, 2, 2)
    split = TensorSplit(
        {"image": split_of(5).tensors["image"], "mask": mask}, ragged={"classes": classes}, fills={"classes": -1}
    )
    for from_disk in (False, True):
        found = features_of(
            split,
            torch.tensor([0, 1, 3, 4]),
            lambda batch: batch["image"].float(),
            2,
            "how",
            {"classes": -1, "mask": 0},
        )
        assert found.from_disk == from_disk
        assert found.truth["classes"].tolist() == [[1, -1, -1], [3, 3, 3], [2, 2, -1], [1, -1, -1]]
        assert torch.equal(found.truth["mask"], mask[[0, 1, 3, 4]])


def test_samples_of_different_lengths_are_told_apart_by_their_values_and_lengths(cache: Path) -> None:
    def found(*signals: list[float]) -> bool:
        ragged = {"signal": [torch.tensor(one) for one in signals]}
        split = TensorSplit({"label": torch.tensor([0, 1])}, ragged=ragged)
        return features_of(split, torch.arange(2), lambda batch: batch["signal"], 2, "how", FILLS).from_disk

    assert not found([1.0, 2.0], [3.0]) and found([1.0, 2.0], [3.0])
    assert not found([1.0, 2.0], [4.0]), "another signal"
    assert not found([1.0], [2.0, 3.0]), "cut elsewhere"


def test_the_strata_stay_those_of_the_whole_split(cache: Path) -> None:
    split, positions = split_of(7), torch.tensor([1, 2, 5])
    found = features_of(split, positions, lambda batch: batch["image"].float(), 3, "how", FILLS)
    strata = FeatureSplit(split, positions, found.features, found.truth).labels_for_strata()
    assert strata is not None and torch.equal(strata, split.tensors["label"])


def test_a_damaged_file_is_no_reason_to_fail(cache: Path) -> None:
    split, positions = split_of(5), torch.arange(5)
    first = features_of(split, positions, lambda batch: batch["image"].float(), 2, "how", FILLS)
    (path,) = cache.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    again = features_of(split, positions, lambda batch: batch["image"].float(), 2, "how", FILLS)
    assert not again.from_disk
    assert torch.equal(first.features, again.features)
