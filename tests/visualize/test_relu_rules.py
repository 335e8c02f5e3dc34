"""The three rules by hand: z = (1, -2, 3, 7) before a ReLU, gradients g = (5, 6, -7, 8) from above."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.visualize.attributions import by_rule
from cnnexp.visualize.relu_rules import ReluRule, Rule

Z, ABOVE = torch.tensor([[1.0, -2.0, 3.0, 7.0]]), torch.tensor([[5.0, 6.0, -7.0, 8.0]])
BELOW: dict[Rule, list[float]] = {
    "backpropagation": [5, 0, -7, 8],
    "deconvnet": [5, 6, 0, 8],
    "guided": [5, 0, 0, 8],
}
SPELLED: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "functional.relu": F.relu,
    "functional.relu in place": lambda z: F.relu(z, inplace=True),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": lambda z: z.relu(),
    "Tensor.relu_": lambda z: z.relu_(),
    "functional.threshold": lambda z: F.threshold(z, 0.0, 0.0),
}
SPELLED_6: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU6": nn.ReLU6(),
    "nn.ReLU6 in place": nn.ReLU6(inplace=True),
    "functional.relu6": F.relu6,
    "functional.hardtanh": lambda z: F.hardtanh(z, 0.0, 6.0),
}


@pytest.mark.parametrize("rule", BELOW)
@pytest.mark.parametrize("relu", SPELLED.values(), ids=SPELLED.keys())
def test_rules_by_hand_however_a_relu_is_spelled(relu: Callable[[Tensor], Tensor], rule: Rule) -> None:
    found, met = by_rule(lambda x: (relu(x * 1) * ABOVE).sum(1), Z, rule)
    assert found.tolist() == [BELOW[rule]] and met == 1


@pytest.mark.parametrize("relu", SPELLED_6.values(), ids=SPELLED_6.keys())
def test_what_is_cut_at_6_lets_nothing_through_above(relu: Callable[[Tensor], Tensor]) -> None:
    """7 is cut, so its gradient ends; the deconvnet does not ask what came in."""
    rows = {rule: by_rule(lambda x: (relu(x * 1) * ABOVE).sum(1), Z, rule)[0].tolist()[0] for rule in BELOW}
    assert rows == {"backpropagation": [5, 0, -7, 0], "deconvnet": [5, 6, 0, 8], "guided": [5, 0, 0, 0]}


def test_two_layers_by_hand() -> None:
    """z1 = W1 x = (2, -3, 1), a1 = (2, 0, 1); z2 = W2 a1 = (5, 2); the score is 1·ReLU(5) - 2·ReLU(2).

    Backpropagation: (1, -2) W2 = (0, -1, 1), masked (0, 0, 1), times W1. Guided: (1, 0) W2 = (2, 3, 1), masked
    (2, 0, 1). Deconvnet: the same (2, 3, 1), all positive.
    """
    w1, w2 = torch.tensor([[1.0, 1.0], [0.0, -3.0], [1.0, 0.0]]), torch.tensor([[2.0, 3.0, 1.0], [1.0, 2.0, 0.0]])
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(inplace=True), nn.Linear(3, 2, bias=False), nn.ReLU())
    net[0].weight.data, net[2].weight.data = w1, w2
    x, weights = torch.tensor([[1.0, 1.0]]), torch.tensor([1.0, -2.0])
    below = {"backpropagation": [0, 0, 1.0], "guided": [2.0, 0, 1.0], "deconvnet": [2.0, 3.0, 1.0]}
    for rule in BELOW:
        found, met = by_rule(lambda x: net(x) @ weights, x, rule)
        assert found.tolist() == [(torch.tensor(below[rule]) @ w1).tolist()] and met == 2, rule


def test_what_is_no_relu_stays() -> None:
    for other in (nn.LeakyReLU(), nn.SiLU(), nn.Tanh(), nn.Hardtanh()):
        found, met = by_rule(lambda x, other=other: (other(x) * ABOVE).sum(1), Z, "guided")  # type: ignore[misc]
        plain, _ = by_rule(lambda x, other=other: (other(x) * ABOVE).sum(1), Z, "backpropagation")  # type: ignore[misc]
        assert met == 0 and torch.equal(found, plain)


def test_outside_of_it_nothing_changes() -> None:
    x = Z.clone().requires_grad_()
    value = (x.relu() * ABOVE).sum()
    with ReluRule("deconvnet"):
        pass
    value.backward()
    assert x.grad is not None and x.grad.tolist() == [BELOW["backpropagation"]]


def test_a_net_of_relu6_is_caught() -> None:
    """timm's EfficientNet-Lite, against hooks that change the gradients of modules."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", num_classes=3).eval()
    count = sum(isinstance(one, nn.ReLU6) for one in net.modules())
    x = torch.randn(1, 3, 32, 32)
    found, met = by_rule(lambda x: net(x)[:, 1], x, "guided")
    assert met == count > 10

    def positive(_: nn.Module, given: tuple[Tensor, ...], __: tuple[Tensor, ...]) -> tuple[Tensor]:
        return (given[0].clamp(min=0),)  # what goes on below is masked already; a mask and a sign commute

    for one in net.modules():
        if isinstance(one, nn.ReLU6):
            one.inplace = False
            one.register_full_backward_hook(positive)
    leaf = x.clone().requires_grad_()
    net(leaf)[0, 1].backward()
    torch.testing.assert_close(found, leaf.grad)
