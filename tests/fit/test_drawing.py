"""Test pictures of a recorded run: those that were asked for, as the net saw them, with its answers where asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.builders.build import build
from cnnexp.config.rules import problems_of
from cnnexp.config.schema import RUN
from cnnexp.errors import InputError
from cnnexp.fit.drawing import draw_test, pictures_of_test
from cnnexp.runs.checkpoints import BEST
from cnnexp.runs.read import Record
from cnnexp.tasks.classification import Classification
from tests.builders.made import configuration
from tests.tasks import tiny

pytestmark = pytest.mark.usefixtures("process_kept")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A run whose net says the second class of everything; ten pictures are its test."""
    config = configuration(data={"count": 100})
    assert problems_of(config, RUN) == []
    net = build(config).task.net
    assert isinstance(net, nn.Module)
    with torch.no_grad():
        for one in net.parameters():
            one.zero_()
        net.linear.bias[1] = 9.0  # type: ignore[union-attr, index]
    (tmp_path / BEST).parent.mkdir()
    torch.save({"net": net.state_dict(), "loss": {}, "epoch": 1, "score": 0.5}, tmp_path / BEST)
    return Record(tmp_path, "run-1", "finished", config=config)


def of_split(record: Record, places: list[int]) -> np.ndarray:
    images: np.ndarray = build(record.config).data.split("test").batch(places)["image"].permute(0, 2, 3, 1).numpy()
    return images


def test_pictures_are_those_of_the_places_in_their_order_and_whole_times_as_large(record: Record) -> None:
    images = pictures_of_test(record, [7, 0, 7], False, ())
    shown = np.stack([np.asarray(image) for image in images])
    expected = of_split(record, [7, 0, 7]).repeat(14, 1).repeat(14, 2)
    assert shown.shape == (3, 112, 112, 3) and np.array_equal(shown, expected)


def test_an_answered_picture_has_the_answer_and_the_truth_of_its_own_place(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Any, Any]] = []

    def image(self: Any, picture: Any, answer: Any, truth: Any) -> str:
        seen.append((picture, answer, truth))
        return "an image"

    monkeypatch.setattr("cnnexp.answers.label.Label.image", image)
    assert pictures_of_test(record, [3, 9], True, ()) == ["an image"] * 2
    labels = build(record.config).data.split("test").batch([3, 9])["label"]
    assert [int(truth["label"]) for _, _, truth in seen] == labels.tolist()
    assert all(np.asarray(answer).argmax() == 1 for _, answer, _ in seen), "of the best weights"
    assert np.array_equal(np.stack([picture for picture, _, _ in seen]), of_split(record, [3, 9]))


def test_answered_pictures_are_images(record: Record) -> None:
    (image,) = pictures_of_test(record, [3], True, ())
    (plain,) = pictures_of_test(record, [3], False, ())
    assert image.mode == "RGB" and image.tobytes() != plain.tobytes()


@pytest.mark.parametrize("places", [[10], [0, -1], [3, 99]])
@pytest.mark.parametrize("answered", [True, False])
def test_a_place_that_the_split_has_not_is_refused(places: list[int], answered: bool, record: Record) -> None:
    with pytest.raises(InputError, match=r"^run-1: predictions\.csv names samples that the test split of 10 does not"):
        pictures_of_test(record, places, answered, ())


def test_a_record_that_is_no_configuration_is_refused(record: Record) -> None:
    record.config["epochs"] = "many"
    with pytest.raises(InputError, match=r"^run-1: config\.yaml: epochs=many: expected a whole number"):
        pictures_of_test(record, [0], False, ())


def test_a_test_is_drawn_with_its_tables(run_folder: Path) -> None:
    task, batch = tiny.task(Classification, tiny.linear_net()), tiny.batch(4)
    given = {name: value.clone() for name, value in batch.items()}
    with torch.no_grad():
        draw_test(task.eval(), batch, {"confusion": np.eye(3, dtype=np.int64)}, run_folder / "pictures")
    names = sorted(path.name for path in (run_folder / "pictures").iterdir())
    assert names == ["confusion.png", "predictions.png"]
    assert all(torch.equal(value, given[name]) for name, value in batch.items()), "the batch stays as it is"
