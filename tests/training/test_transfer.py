from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.classification import Classification
from cnnexp.training.transfer import FeatureExtractor, FineTune, LastStages, Transfer, TwoPhase
from tests.tasks import tiny


class Net(nn.Module):
    """Three stages before the head, with all that changes in training: norms and dropouts."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.conv2 = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.conv3 = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv3(self.conv2(self.conv1(x))))


def module_with(transfer: Transfer) -> TaskModule:
    net = Net()
    transfer.prepare(net)
    optimizer = partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01)
    return tiny.module(Classification, net, transfer=transfer, optimizer=optimizer)


def learn(made: TaskModule, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    """A step, as a loop makes it that knows nothing of transfer but the hooks."""
    made.learning.recipe.transfer.begin_epoch(made.net, epoch)
    made.train()
    optimizer.zero_grad(set_to_none=True)
    torch.manual_seed(epoch)
    batch = {"image": torch.rand(6, 1, 8, 8), "label": torch.tensor([0, 1, 2, 0, 1, 2])}
    made.task.step(batch, "train").loss.backward()
    optimizer.step()


def changed(before: dict[str, Tensor], made: TaskModule) -> set[str]:
    """Names of the net's children of which any tensor is another than before, to the bit."""
    after = made.net.state_dict()
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize(
    ("transfer", "learning"),
    [
        (Transfer(), {"conv1", "conv2", "conv3", "head"}),
        (FeatureExtractor(cache=False), {"head"}),
        (LastStages(stages=1), {"conv3", "head"}),
        (LastStages(stages=2), {"conv2", "conv3", "head"}),
        (FineTune(rate_decay=0.5), {"conv1", "conv2", "conv3", "head"}),
    ],
    ids=["none", "feature_extractor", "last_stages 1", "last_stages 2", "fine_tune"],
)
def test_what_is_frozen_stays_to_the_bit(transfer: Transfer, learning: set[str]) -> None:
    """Statistics of norms too, and though weight decay and momentum pull at every weight."""
    made = module_with(transfer)
    before = {name: value.clone() for name, value in made.net.state_dict().items()}
    (optimizer,) = made.configure_optimizers()
    for epoch in range(3):
        learn(made, epoch, optimizer)
    assert changed(before, made) == learning


def test_frozen_dropout_drops_nothing_and_the_others_do() -> None:
    for stages, same in ((1, True), (2, False)):
        made = module_with(LastStages(stages=stages))
        made.train()
        picture = torch.rand(4, 1, 8, 8)
        net = made.net
        assert isinstance(net, Net)
        first, second = (net.conv2(net.conv1(picture)) for _ in range(2))
        assert torch.equal(first, second) == same
        assert net.conv3.training and net.head.training


def test_evaluation_and_back() -> None:
    made = module_with(FeatureExtractor(cache=False))
    assert isinstance(made.net, Net)
    made.eval()
    assert not made.net.head.training
    made.train()
    assert made.net.head.training and not made.net.conv1[1].training


def test_two_phases() -> None:
    transfer = TwoPhase(head_epochs=2, rate=0.1)
    made = module_with(transfer)
    (optimizer,) = made.configure_optimizers()
    held = sum(weight.numel() for group in optimizer.param_groups for weight in group["params"])
    assert held == sum(weight.numel() for weight in made.net.parameters()), "all from the beginning"
    before = {name: value.clone() for name, value in made.net.state_dict().items()}
    for epoch in (0, 1):
        learn(made, epoch, optimizer)
    assert changed(before, made) == {"head"}
    learn(made, 2, optimizer)
    assert changed(before, made) == {"conv1", "conv2", "conv3", "head"}
    assert [transfer.epoch_factor(epoch) for epoch in range(4)] == [1.0, 1.0, 0.1, 0.1]


def test_rates_fall_towards_the_input() -> None:
    assert FineTune(rate_decay=0.5).stage_rates == 0.5
    assert Transfer().stage_rates is None


@pytest.mark.parametrize("stages", [3, 4, 9])
def test_more_stages_than_there_are(stages: int) -> None:
    with pytest.raises(InputError, match=r"3 stages before its head \(conv1.*at most 2"):
        LastStages(stages=stages).prepare(Net())


def test_a_head_alone() -> None:
    with pytest.raises(InputError, match="a head alone"):
        FeatureExtractor(cache=False).prepare(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))


def test_no_epoch_for_the_second_phase() -> None:
    assert "head_epochs=5" in TwoPhase(head_epochs=5, rate=0.1).problems(epochs=5)[0]
    assert TwoPhase(head_epochs=4, rate=0.1).problems(epochs=5) == []
