"""A recorded run, opened again: on data whose classes go by their names, on the device that is here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cnnexp.builders.reopen import (
    for_this_machine,
    is_dense,
    judged_by,
    known_to,
    on_other_data,
    refuse_unfit_data,
    reopen_data,
    task_class,
)
from cnnexp.config.overrides import Word
from cnnexp.errors import InputError
from cnnexp.runs.read import Record
from cnnexp.tasks.classification import Classification
from tests.builders.made import configuration
from tests.data.tiny import write_class_folders

SEGMENTATION = {"_target_": "cnnexp.tasks.segmentation.Segmentation", "name": "segmentation", "target": "mask"}
DETECTION = {"_target_": "cnnexp.tasks.detection.Detection", "name": "detection", "target": "boxes"}


def trained(folder: Path = Path("run-1"), **changes: Any) -> Record:
    return Record(folder, folder.name, "finished", config=configuration(**changes))


def word(text: str) -> Word:
    key, _, value = text.partition("=")
    return Word(text, key, value, added=False)


@pytest.mark.parametrize("text", ["model=unet", "optimizer.lr=1", "database=x", "seed=1"])
def test_only_the_data_may_be_another(text: str) -> None:
    with pytest.raises(InputError, match=f"^{text}: only data=…, data.… and tta=… are taken here"):
        on_other_data(configuration(), trained(), [word("data.root=a"), word(text)], ())


def test_without_a_word_the_configuration_is_the_runs() -> None:
    config = configuration()
    assert on_other_data(config, trained(), [], ()) is config


def test_the_net_keeps_the_pictures_that_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def composed(words: list[str], folders: Any) -> dict[str, Any]:
        seen.append(words)
        return configuration(
            data={"image_size": [32, 32], "channels": 1, "mean": [0.1], "count": 7}, choices={"data": "other"}
        )

    monkeypatch.setattr("cnnexp.builders.reopen.compose_run", composed)
    config = configuration(seed=5, data={"input_sha256": "abc"})
    found = on_other_data(config, trained(), [word("data.count=7")], ())
    assert seen == [["model=linear", "task=classification", "data=synthetic", "data.count=7"]]
    data = found["data"]
    assert (data["image_size"], data["channels"], data["mean"]) == ([8, 8], 3, [0.5, 0.5, 0.5])
    assert (data["count"], data["input_sha256"]) == (7, "abc")
    assert (found["seed"], found["choices"]["data"], found["choices"]["model"]) == (5, "other", "linear")
    on_other_data(config, trained(), [word("data=other")], ())
    assert seen[1] == ["model=linear", "task=classification", "data=other"], "not the run's own beside it"


def test_other_data_is_asked_of_the_runs_own_task_and_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A net of classes may have learnt numbers, or several classes at once."""
    seen: list[list[str]] = []
    monkeypatch.setattr("cnnexp.builders.reopen.compose_run", lambda words, _: seen.append(words) or configuration())
    config = configuration(task={"accepts": ["boxes", "label"], "target": "label"}, choices={"task": "multi_label"})
    record = trained(task={"accepts": ["boxes", "label"]}, choices={"task": "multi_label"})
    on_other_data(config, record, [word("data=other")], ())
    assert seen == [["model=linear", "task=multi_label", "task.target=label", "data=other"]]


def test_it_is_evaluated_in_one_process_on_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    many = {"accelerator": "gpu", "devices": 4, "nodes": 2, "strategy": "ddp", "precision": "bf16", "threads": 1}
    config = configuration(hardware=many)
    found = for_this_machine(config)["hardware"]
    assert (found["accelerator"], found["devices"], found["nodes"], found["strategy"]) == ("cpu", 1, 1, "auto")
    assert found["precision"] == "bf16" and config["hardware"]["devices"] == 4


# --- classes ----------------------------------------------------------------------------------------------------------


def refuse(config: dict[str, Any]) -> None:
    refuse_unfit_data(config, known_to(trained()))


def test_classes_that_the_run_does_not_know_are_refused_before_the_data_is_prepared() -> None:
    refuse(configuration(data={"classes": ["cat", "ant"]}))
    other = configuration(data={"classes": ["ant", "Bee", "dog"]}, choices={"data": "other"})
    line = (
        r"^data=other has Bee, dog, which run-1 was not trained on \(it knows ant, bee, cat\); did you mean bee\?; "
        r"classes go by their exact names: rename them in the data, or say data\.classes=\[ant,bee,cat\] where "
    )
    with pytest.raises(InputError, match=line):
        refuse(other)


def test_classes_that_only_a_folder_knows_wait_until_it_is_read() -> None:
    refuse(configuration(data={"classes": None}))


def test_data_without_the_truth_is_refused_where_the_task_needs_one() -> None:
    other = configuration(data={"targets": ["boxes"]}, choices={"data": "other"})
    with pytest.raises(InputError, match=r"^data=other has no label, which classification needs$"):
        refuse(other)
    other["task"]["target"] = None
    refuse(other)


def of_folder(root: Path, **data: Any) -> dict[str, Any]:
    given = {"_target_": "cnnexp.data.image_folder.ImageFolder", "root": str(root), "classes": None, **data}
    config = configuration(data=given, hardware={"devices": 4})
    del config["data"]["count"]
    return config


@pytest.mark.usefixtures("process_kept")
@pytest.mark.parametrize(("in_memory", "workers", "folds"), [(True, 0, None), (False, 0, 2), (False, 2, None)])
def test_data_is_numbered_as_the_run_knows_its_classes(
    tmp_path: Path, in_memory: bool, workers: int, folds: int | None
) -> None:
    """Cats and dogs are 0 and 1 in the folder, and 2 and 0 for a net of dog, eel and cat."""
    root = write_class_folders(tmp_path / "own", 10)
    split = {"folds": folds, "fold": None if folds is None else 0, "group": None}
    config = of_folder(root, in_memory=in_memory, workers=workers, split=split)
    opened = reopen_data(trained(tmp_path, data={"classes": ["dog", "eel", "cat"]}), config)
    assert opened.config["data"]["classes"] == ["dog", "eel", "cat"] and opened.config["hardware"]["devices"] == 1
    assert opened.data.facts.names("label") == ("dog", "eel", "cat") and opened.data.facts.shown == (0, 2)
    assert opened.mapped == "classes by name: cat 2, dog 0, of the 3 that the net knows, counted from 0"
    split = opened.data.split("test")
    expected = [{"cat": 2, "dog": 0}[Path(name).parent.name] for name in split.names or ()]
    assert sorted(set(expected)) == [0, 2] and split.labels_for_strata().tolist() == expected  # type: ignore[union-attr]
    met = [
        (int(index), int(label))
        for batch in opened.data.evaluation_loader("test")
        for index, label in zip(batch["index"], batch["label"], strict=True)
    ]
    assert sorted(met) == list(enumerate(expected))


@pytest.mark.usefixtures("process_kept")
def test_the_same_classes_in_the_same_order_are_the_silent_case(tmp_path: Path) -> None:
    config = of_folder(write_class_folders(tmp_path / "own", 10))
    opened = reopen_data(trained(tmp_path, data={"classes": ["cat", "dog"]}), config)
    assert opened.mapped is None and opened.data.facts.shown is None
    with pytest.raises(InputError, match=r"has cat, dog, which .* was not trained on \(it knows 0, 1\); classes go by"):
        reopen_data(trained(tmp_path, data={"classes": ["0", "1"]}), config)


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_averages_are_judged_by_a_metric_of_probabilities() -> None:
    assert judged_by(trained(), configuration(), "tta=flip") == "accuracy"
    with pytest.raises(InputError, match=r"^tta=flip: run-1 is for detection; what is averaged are probabilities"):
        judged_by(trained(), configuration(task=DETECTION), "tta=flip")


def test_the_task_and_whether_it_answers_for_each_pixel() -> None:
    assert task_class(configuration()) is Classification
    assert not is_dense(configuration()) and is_dense(configuration(task=SEGMENTATION))
    assert not is_dense(configuration(task={"target": None}))
