"""The two terms by hand, and their gradients by finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from cnnexp.losses.localization import Localization

BOXES = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.25, 0.75, 0.1, 0.1]])


def test_a_box_by_hand() -> None:
    """Errors 0.1, -0.2, 0, 0.3 and four times 0.1, squared: 0.14 and 0.04; their mean is 0.09."""
    said = BOXES + torch.tensor([[0.1, -0.2, 0.0, 0.3], [0.1, 0.1, 0.1, 0.1]])
    term = Localization(box_weight=5.0)(said, {"box": BOXES}, train=True)
    assert (term.name, int(term.count)) == ("box", 2)
    assert term.mean.item() == pytest.approx(5 * 0.09)


def test_a_class_by_hand() -> None:
    """Logits 0 and ln 3: probabilities 1/4 and 3/4."""
    said, label = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]]), torch.tensor([1, 0])
    term = Localization(box_weight=5.0)(said, {"label": label}, train=True)
    assert (term.name, int(term.count)) == ("class", 2)
    assert term.mean.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
    weighed = Localization(box_weight=5.0, class_weights=(3.0, 1.0))(said, {"label": label}, train=True)
    assert float(weighed.count) == 4
    assert weighed.mean.item() == pytest.approx((math.log(4 / 3) + 3 * math.log(4)) / 4)


def test_labels_are_smoothed_in_training_alone() -> None:
    loss, said = Localization(box_weight=1.0, label_smoothing=0.2), torch.tensor([[0.0, math.log(3)]])
    truth = {"label": torch.tensor([1])}
    assert float(loss(said, truth, train=False).mean) == pytest.approx(math.log(4 / 3))
    assert float(loss(said, truth, train=True).mean) == pytest.approx(0.9 * math.log(4 / 3) + 0.1 * math.log(4))


@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.0)])
def test_nothing_to_learn_is_no_loss(weights: tuple[float, ...] | None) -> None:
    """And has gradients, of 0, so that every process of a run has some."""
    loss, said = Localization(box_weight=5.0, class_weights=weights), torch.zeros(0, 7, requires_grad=True)
    terms = [
        loss(said[:, :3], {"label": torch.zeros(0, dtype=torch.int64)}, True),
        loss(said[:, 3:], {"box": torch.zeros(0, 4)}, True),
    ]
    assert [(term.mean.item(), int(term.count)) for term in terms] == [(0.0, 0), (0.0, 0)]
    torch.stack([term.mean for term in terms]).sum().backward()


def test_gradients() -> None:
    loss = Localization(box_weight=3.0, class_weights=(0.5, 2.0, 1.0)).double()
    said = torch.randn(4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    label, box = torch.tensor([0, 2, 1, 2]), torch.rand(4, 4, dtype=torch.float64)

    def both(given: torch.Tensor) -> torch.Tensor:
        return loss(given[:, :3], {"label": label}, True).mean + loss(given[:, 3:], {"box": box}, True).mean

    assert torch.autograd.gradcheck(both, said)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"loss\.box_weight=-1: must be 0 or more"):
        Localization(box_weight=-1)
