"""Mean average precision of the ideal detector and of one with known faults."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.data.base import TensorSplit
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.detection import Detection
from tests.tasks import tiny

Found = list[dict[str, Tensor]]
Losses = dict[str, tuple[Tensor, Tensor]]


class Either(nn.Module):
    """Answers with given boxes, batch after batch; to one question at a time."""

    loss_terms = ("objectness", "box", "class")
    counts_in_advance = True

    def __init__(self, *answers: Found) -> None:
        super().__init__()
        self.answers = list(answers)

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor) -> Losses:
        """Sums of 1 and 2 for each object, and 3 in all for the empty cells; means over the objects."""
        count = (classes >= 0).sum()
        sums = {"objectness": torch.tensor(3.0), "box": count * 1.0, "class": count * 2.0}
        return {name: (one / count.clamp(min=1), count) for name, one in sums.items()}

    def detect(self, x: Tensor) -> Found:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Saying(Either):
    """Answers to both at once, too."""

    def judged(self, x: Tensor, boxes: Tensor, classes: Tensor) -> tuple[Losses, Found]:
        return self.losses(x, boxes, classes), self.detect(x)


def truth(batch: dict[str, Tensor], kept: int | None = None) -> Found:
    """The objects of a batch as a detector would say them; of each picture only so many."""
    answers = []
    for boxes, classes in zip(batch["boxes"], batch["classes"], strict=True):
        real = torch.where(classes >= 0)[0][:kept]
        answers.append({"boxes": boxes[real], "labels": classes[real], "scores": torch.full((len(real),), 0.9)})
    return answers


def after_test(batches: list[dict[str, Tensor]], answers: list[Found], net: type[nn.Module] = Saying) -> TaskModule:
    made = TaskModule(tiny.task(Detection, net(*answers)))
    made.trainer = SimpleNamespace(world_size=1, current_epoch=0)  # type: ignore[assignment]
    with torch.no_grad():
        for batch in batches:
            made.test_step(batch, 0)
    made.on_test_epoch_end()
    return made


def test_ideal_predictions_score_one() -> None:
    batches = [tiny.batch(6, 1), tiny.batch(3, 2)]
    made = after_test(batches, [truth(batch) for batch in batches])
    assert made.results["test/map"] == pytest.approx(1.0)
    assert made.results["test/map_50"] == pytest.approx(1.0)
    assert made.vectors["test/map"] == pytest.approx([1.0, 1.0, 1.0])


def two_boxes(label: int = 1) -> dict[str, Tensor]:
    """One picture with two objects of one class."""
    boxes = torch.tensor([[[0.0, 0.0, 4.0, 4.0], [4.0, 4.0, 8.0, 8.0], [0.0, 0.0, 0.0, 0.0]]])
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    return {"image": image, "boxes": boxes, "classes": torch.tensor([[label, label, -1]]), "index": torch.arange(1)}


def test_one_of_two_found_is_a_precision_of_one_up_to_a_recall_of_one_half() -> None:
    """COCO's mean takes recalls 0, 0.01 ... 1: 51 of the 101."""
    made = after_test([two_boxes()], [truth(two_boxes(), kept=1)])
    assert made.results["test/map"] == pytest.approx(51 / 101, abs=1e-6)
    assert made.vectors["test/map"][1] == pytest.approx(51 / 101, abs=1e-6)
    assert all(math.isnan(made.vectors["test/map"][label]) for label in (0, 2)), "they have no object"


def test_a_shifted_box_counts_up_to_its_overlap() -> None:
    """IoU 3.1/4.9 = 0.63, so thresholds 0.50, 0.55 and 0.60 of the ten are met."""
    found = truth(two_boxes())
    found[0]["boxes"] = found[0]["boxes"] + torch.tensor([0.9, 0.0, 0.9, 0.0])
    made = after_test([two_boxes()], [found])
    assert made.results["test/map_50"] == pytest.approx(1.0)
    assert made.results["test/map"] == pytest.approx(0.3, abs=1e-6)


def test_nothing_found_and_nothing_there_score_zero() -> None:
    assert after_test([two_boxes()], [truth(two_boxes(), kept=0)]).results["test/map"] == 0.0
    empty = two_boxes(label=-1)
    made = after_test([empty], [truth(empty)])
    assert made.results["test/map_50"] == 0.0
    assert {name: len(values) for name, values in made.predictions.items()} == {
        name: 0 for name in ("index", "prediction", "score", "x1", "y1", "x2", "y2")
    }


def test_the_loss_is_a_sum_of_parts_over_the_objects_of_all_batches() -> None:
    batches = [two_boxes(), two_boxes(label=-1)]
    results = after_test(batches, [truth(batch) for batch in batches]).results
    assert results["test/objectness"] == pytest.approx((3 + 3) / 2)
    assert results["test/box"] == pytest.approx(1.0)
    assert results["test/class"] == pytest.approx(2.0)
    assert results["test/loss"] == pytest.approx(3 + 1 + 2)


def test_a_row_for_each_box() -> None:
    batches = [tiny.batch(6, 1), {**tiny.batch(3, 2), "index": torch.arange(6, 9)}]
    answers = [truth(batch) for batch in batches]
    rows = after_test(batches, answers).predictions
    listed = [one for answer in answers for one in answer]
    assert rows["index"].tolist() == [i for i, one in enumerate(listed) for _ in one["labels"]]
    assert rows["prediction"].tolist() == torch.cat([one["labels"] for one in listed]).tolist()
    corners = np.stack([rows[name] for name in ("x1", "y1", "x2", "y2")], 1)
    assert np.array_equal(corners, torch.cat([one["boxes"] for one in listed]).numpy())


def test_boxes_are_parts_of_the_picture_that_the_net_sees() -> None:
    """16 rows and 8 columns."""
    boxes = torch.tensor([[2.0, 2.0, 6.0, 16.0], [0.0, 0.0, 2.0, 4.0]])
    answer = [{"boxes": boxes, "labels": torch.tensor([2, 0]), "scores": torch.tensor([0.9, 0.1])}]
    (prediction,) = tiny.task(Detection, Saying(answer)).predict({"image": torch.zeros(1, 1, 16, 8)})
    assert prediction["boxes"].tolist() == [[0.25, 0.125, 0.75, 1.0], [0.0, 0.0, 0.25, 0.25]]


def test_training_does_not_search_for_boxes() -> None:
    class Blind(Saying):
        def detect(self, x: Tensor) -> Found:
            raise AssertionError("slow, and nothing reads it")

    task = tiny.task(Detection, Blind())
    output = task.step(tiny.batch(4), "train")
    assert tuple(term.name for term in output.terms) == task.term_names == Saying.loss_terms
    assert float(output.loss) == pytest.approx(float(sum(term.mean for term in output.terms)))


def test_a_net_that_cannot_say_both_at_once_has_no_loss_in_an_evaluation() -> None:
    """None at all, and not 0."""
    results = after_test([two_boxes()], [truth(two_boxes())], Either).results
    assert results == {f"test/{name}": pytest.approx(1.0) for name in ("map", "map_50", "map_small")}
    learning = tiny.alone(tiny.module(Detection, Either()))
    learning._count("train", learning.task.step(two_boxes(), "train"))
    learning.read("train")
    assert learning.results["train/loss"] == pytest.approx(3 / 2 + 1 + 2)


def test_what_is_ignored_is_neither_learnt_nor_missed_nor_wrongly_found() -> None:
    """Two objects of which the second is ignored: to find the first alone is perfect, and so is to find both."""
    batch = tiny.batch(1)
    batch["boxes"] = torch.tensor([[[0.0, 0.0, 4.0, 4.0], [4.0, 4.0, 8.0, 8.0]]])
    batch["classes"] = torch.tensor([[0, 1]])
    counted = batch | {"ignored": torch.tensor([[False, True]])}
    one, both = truth(batch, kept=1), truth(batch)
    assert after_test([batch], [one]).results["test/map"] == pytest.approx(0.5), "without the mark it is missed"
    for answer in (one, both):
        done = after_test([counted], [answer])
        assert done.results["test/map"] == pytest.approx(1.0)
    step = done.task.step({**counted, "image": counted["image"].float()}, "train")
    assert {term.name: int(term.count) for term in step.terms} == {"objectness": 1, "box": 1, "class": 1}


class Drawing(Saying):
    """Is told a key for each picture."""

    takes = ("draws",)
    proposes = True

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor | None = None) -> Losses:
        assert draws is not None
        self.drawn = draws
        return super().losses(x, boxes, classes)

    def judged(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor | None = None) -> tuple[Losses, Found]:
        return self.losses(x, boxes, classes, draws=draws), self.detect(x)


def test_a_net_that_draws_is_handed_a_key_of_seed_epoch_and_index() -> None:
    batch = tiny.batch(4, 1)
    net = Drawing(truth(batch))
    task = tiny.task(Detection, net)

    def drawn(train: bool, epoch: int, places: list[int]) -> list[int]:
        part = {key: value[places] for key, value in batch.items()}
        task.step(task.prepare(part, train, epoch), "train" if train else "val")
        return net.drawn.tolist()

    whole = drawn(True, 2, [0, 1, 2, 3])
    assert len(set(whole)) == 4 and min(whole) >= 0
    assert drawn(True, 2, [3, 1]) == [whole[3], whole[1]], "in any batch the same"
    assert set(drawn(True, 3, [0, 1, 2, 3])).isdisjoint(whole), "others in another epoch"
    assert drawn(False, 0, [0, 1]) == drawn(False, 7, [0, 1]), "evaluations know no epoch"
    assert set(drawn(False, 0, [0, 1, 2, 3])).isdisjoint(whole)


def test_proposals_are_judged_where_there_are_some() -> None:
    batch = tiny.batch(6, 1)
    found = [{**one, "proposals": one["boxes"][:1]} for one in truth(batch)]
    made = after_test([batch], [found], Drawing)
    objects = int((batch["classes"] >= 0).sum())
    pictures = int((batch["classes"] >= 0).any(1).sum())
    assert pictures <= made.results["test/proposal_recall"] * objects + 1e-6
    assert "test/proposal_recall" not in after_test([batch], [truth(batch)]).results


def test_the_area_under_a_curve_is_the_average_precision_of_the_class() -> None:
    """Of boxes that are shifted at random, against the mean that the metric itself computes."""
    batch = tiny.batch(40, 3)
    generator = torch.Generator().manual_seed(0)
    found = truth(batch)
    for one in found:
        one["boxes"] = one["boxes"] + 1.5 * torch.randn(one["boxes"].shape, generator=generator)
        one["scores"] = torch.rand(len(one["scores"]), generator=generator)
    made = after_test([batch], [found])
    curves = made.tables["precision"]
    assert curves.shape == (101, 3)
    assert made.vectors["test/map_50"] == pytest.approx(curves.mean(0))
    assert 0 < np.mean(curves) < 1
    assert made.results["test/map_50"] == pytest.approx(curves.mean(), abs=1e-6)
    assert (np.diff(curves, axis=0) <= 1e-9).all(), "precision is interpolated: the highest at this recall or more"


def test_the_test_counts_what_became_of_objects_and_how_large_they_are() -> None:
    batch = two_boxes()
    found = truth(batch, kept=1)
    sure = {**found[0], "boxes": torch.cat([found[0]["boxes"], torch.tensor([[0.0, 0.0, 4.0, 3.0]])])}
    sure |= {"labels": torch.tensor([1, 1]), "scores": torch.tensor([0.9, 0.31])}
    made = after_test([batch], [[sure]])
    none = dict.fromkeys(("wrong_class", "badly_placed", "background"), 0)
    assert made.counts["mistakes"] == {"right": 1, "doubled": 1, "missed": 1, **none}
    assert made.counts["sizes"] == {"small": 2, "medium": 0, "large": 0}
    assert made.tables["mistakes"].tolist() == [[0] * 4, [0, 1, 0, 1], [0] * 4, [0, 1, 0, 0]]
    assert "test/map_medium" not in made.results, "there is none, and no score of -1"
    unsure = after_test([batch], [[{**sure, "scores": torch.tensor([0.9, 0.29])}]])
    assert unsure.counts["mistakes"] == {"right": 1, "doubled": 0, "missed": 1, **none}


def test_an_epoch_without_any_object_is_learnt_from() -> None:
    """As where an augmentation has moved all of them out of the picture: losses stay finite, and weights change."""
    splits = {name: TensorSplit(empty_samples()) for name in ("train", "val", "test")}
    made = tiny.module(Detection, tiny.grid_net(), target="boxes")
    before = {name: value.clone() for name, value in made.net.named_parameters()}
    tiny.fit(made, tiny.picture_data(dataset=tiny.Given(**splits)), epochs=1)
    assert made.results["train/box"] == made.results["train/class"] == 0
    assert 0 < made.results["train/objectness"] < math.inf and made.results["val/map_50"] == 0
    assert all(value.isfinite().all() for value in made.net.state_dict().values())
    assert any(not torch.equal(before[name], value) for name, value in made.net.named_parameters())


def empty_samples() -> dict[str, Tensor]:
    samples = tiny.samples(16)
    return samples | {"classes": torch.full_like(samples["classes"], -1)}


@pytest.mark.parametrize(
    ("corners", "crowd", "hard"),
    [
        ([[4, 4, 8, 8]], 1.0, 1.0),  # the ignored one
        ([[4, 4, 6, 6]], 1.0, 0.5),  # within it, IoU 1/4
        ([[4, 4, 8, 8], [4, 4, 8, 8]], 1.0, 0.5),  # a single object is not found twice
    ],
)
def test_an_object_that_is_hard_to_see_takes_one_answer_out_and_a_crowd_all_within_it(
    corners: list[list[int]], crowd: float, hard: float
) -> None:
    """Of two objects the second is ignored. The first is found, less surely than what else is said: one wrong answer
    before it makes its precision 1/2."""
    marks = torch.tensor([[False, True, False]])
    boxes = torch.tensor([*corners, [0, 0, 4, 4]], dtype=torch.float32)
    scores = torch.tensor([0.9] * len(corners) + [0.5])
    answer = [{"boxes": boxes, "labels": torch.ones(len(boxes), dtype=torch.int64), "scores": scores}]
    for batch, expected in (
        (two_boxes() | {"ignored": marks}, crowd),
        (two_boxes() | {"ignored": marks, "hard": marks}, hard),
    ):
        assert after_test([batch], [answer]).results["test/map_50"] == pytest.approx(expected)
