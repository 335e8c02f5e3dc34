"""What is counted of one object's class and box, against torchvision's IoU and by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from cnnexp.answers.boxes import Boxes
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.losses.localization import Localization as Loss
from cnnexp.tasks.base import StepOutput
from cnnexp.tasks.localization import Localization
from tests.tasks import tiny

NUMBERS = len(tiny.CLASSES) + 4


class Saying(nn.Module):
    """The same answer, whatever it is asked."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = nn.Parameter(answer)

    def forward(self, x: Tensor) -> Any:
        return self.answer


def task(answer: Tensor, **changes: Any) -> Localization:
    return tiny.task(Localization, Saying(answer), target="boxes", loss=Loss(box_weight=5.0), **changes)


def batch(boxes: list[list[float]], classes: list[int]) -> dict[str, Tensor]:
    count = len(classes)
    return {
        "image": torch.zeros(count, 1, tiny.SIDE, tiny.SIDE),
        "index": torch.arange(count),
        "boxes": torch.tensor(boxes)[:, None],
        "classes": torch.tensor(classes)[:, None],
    }


def answer(boxes: list[list[float]], classes: list[int]) -> Tensor:
    """Numbers of a net that says these corners, in pixels, and is nearly sure of these classes."""
    x1, y1, x2, y2 = (torch.tensor(boxes) / tiny.SIDE).unbind(1)
    logits = 10 * nn.functional.one_hot(torch.tensor(classes), len(tiny.CLASSES)).float()
    return torch.cat([logits, torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], 1)], 1)


TRUE = batch([[0.0, 0.0, 4.0, 4.0], [2.0, 2.0, 6.0, 8.0], [0.0, 0.0, 8.0, 8.0]], [0, 1, 2])


def readings(made: Localization, output: StepOutput, stage: Any = "test") -> Any:
    metrics = made.build_metrics(stage)
    made.update_metrics(metrics, output)
    return made.read_metrics(metrics, stage)


def test_scores_by_hand() -> None:
    """IoU 1, 12/24 = 0.5 and 16/64; the second one's class is wrong."""
    made = task(answer([[0, 0, 4, 4], [2, 2, 4, 8], [0, 0, 4, 4]], [0, 2, 2]))
    found = readings(made, made.step(TRUE, "test"))
    assert dict(found.values) == pytest.approx(
        {"accuracy": 2 / 3, "iou": (1 + 0.5 + 0.25) / 3, "iou_50": 2 / 3, "localised": 1 / 3}
    )
    assert found.vectors["accuracy"] == [1.0, 0.0, 1.0]
    assert found.tables["confusion"].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_iou_is_torchvisions() -> None:
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(2, 200, 2, 2, generator=generator).mul(tiny.SIDE).sort(2).values.flatten(2)
    said, true = corners[0].tolist(), corners[1].tolist()
    made = task(answer(said, [0] * 200))
    rows = made.rows(batch(true, [0] * 200), made.step(batch(true, [0] * 200), "test"))
    expected = torch.stack([box_iou(a[None], b[None])[0, 0] for a, b in zip(*corners, strict=True)])
    np.testing.assert_allclose(rows["iou"], expected, atol=1e-5)
    np.testing.assert_allclose(np.stack([rows[name] for name in ("x1", "y1", "x2", "y2")], 1), corners[0], atol=1e-5)


def test_the_loss_by_hand() -> None:
    """The second box is 2 of 8 pixels too narrow: its centre lies 1/8 off, its width 1/4."""
    made = task(answer([[0, 0, 4, 4], [2, 2, 4, 8], [0, 0, 8, 8]], [0, 1, 2]))
    class_, box = made.step(TRUE, "val").terms
    assert (class_.name, box.name) == made.term_names
    assert box.mean.item() == pytest.approx(5 * (1 / 64 + 1 / 16) / 3)
    assert class_.mean.item() == pytest.approx(float(torch.tensor([10.0, 0, 0]).logsumexp(0)) - 10, abs=1e-6)
    assert {name: int(count) for name, count in made.counts(TRUE).items()} == {"class": 3, "box": 3}


def test_a_box_that_left_its_picture_is_neither_learnt_nor_judged() -> None:
    lost = {**TRUE, "classes": torch.tensor([[0], [NO_CLASS], [2]])}
    made = task(answer([[0, 0, 4, 4], [5, 5, 6, 6], [0, 0, 8, 8]], [0, 1, 2]))
    output = made.step(lost, "train")
    assert [int(term.count) for term in output.terms] == [2, 2]
    assert output.terms[1].mean.item() == pytest.approx(0)
    assert readings(made, output).values["iou"] == pytest.approx(1)
    assert {name: int(count) for name, count in made.counts(lost).items()} == {"class": 2, "box": 2}


def test_weights_of_classes_are_in_the_count_of_the_class_alone() -> None:
    loss = Loss(box_weight=5.0, class_weights=(0.5, 2.0, 1.0))
    made = tiny.task(Localization, Saying(torch.zeros(3, NUMBERS)), target="boxes", loss=loss)
    counts = made.counts({**TRUE, "classes": torch.tensor([[0], [1], [1]])})
    assert {name: float(count) for name, count in counts.items()} == {"class": 4.5, "box": 3}


def test_boxes_are_cut_at_the_edges_and_never_turned_inside_out() -> None:
    said = torch.tensor([[0.0, 0, 0, 0.9, 0.5, 0.4, -0.2]])
    (found,) = task(said).predict(batch([[0.0, 0.0, 4.0, 4.0]], [0]))
    np.testing.assert_allclose(found["box"], [0.7, 0.5, 1.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(found["probabilities"], [1 / 3] * 3, atol=1e-6)


def test_of_a_single_class_there_is_nothing_to_say() -> None:
    facts = tiny.facts(targets={"boxes": Boxes(("cell",))})
    assert Localization.num_outputs(facts, "boxes") == 5
    said = answer([[0, 0, 4, 4], [2, 2, 4, 8], [0, 0, 8, 8]], [0, 0, 0])[:, 2:]
    made = task(said, facts=facts)
    output = made.step({**TRUE, "classes": torch.zeros(3, 1, dtype=torch.int64)}, "test")
    assert [term.name for term in output.terms] == ["box"] == list(made.term_names)
    assert set(readings(made, output).values) == {"iou", "iou_50"}


def test_auxiliary_heads_learn_both() -> None:
    class Headed(Saying):
        auxiliary_weight = 0.3

        def forward(self, x: Tensor) -> Any:
            return self.answer, torch.zeros_like(self.answer)

    said = answer([[0, 0, 4, 4], [2, 2, 6, 8], [0, 0, 8, 8]], [0, 1, 2])
    made = tiny.task(Localization, Headed(said), target="boxes", loss=Loss(box_weight=1.0))
    terms = {term.name: term.mean.item() for term in made.step(TRUE, "train").terms}
    parts = torch.tensor([[0.25, 0.25, 0.5, 0.5], [0.5, 0.625, 0.5, 0.75], [0.5, 0.5, 1.0, 1.0]])
    expected = float(torch.tensor(3.0).log() + parts.square().sum() / 3)
    assert set(made.counts(TRUE)) == set(terms)
    assert terms["auxiliary_loss"] == pytest.approx(0.3 * expected, rel=1e-5)


@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.0)])
def test_a_batch_in_parts_is_learnt_as_a_whole(weights: tuple[float, ...] | None) -> None:
    """Of random pictures of which some have lost their object, so that the parts have different counts."""
    nets = []
    for parts in (1, 4):
        made = tiny.module(
            Localization,
            tiny.linear_net(NUMBERS),
            target="boxes",
            loss=Loss(box_weight=5.0, class_weights=weights),
            accumulate=parts,
            optimizer=partial(torch.optim.SGD, lr=1e-3),
        )
        tiny.fit(made)
        assert made.results["train/loss"] < 50 and 0 <= made.results["val/iou"] <= 1
        nets.append(made.net.state_dict())
    for name, weight in nets[0].items():
        torch.testing.assert_close(nets[1][name], weight, rtol=1e-4, atol=1e-6)
