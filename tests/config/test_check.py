"""What of a configuration does not go together is told before anything is imported, with what would."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError


def refusal(*words: str, folders: tuple[str, ...] = ()) -> str:
    """The one line."""
    with pytest.raises(InputError) as refused:
        compose_run(list(words), list(folders))
    (line,) = refused.value.lines
    return line


# --- the task and the net ---------------------------------------------------------------------------------------------


def test_a_net_for_another_task_is_refused_with_nets_for_this_one() -> None:
    line = refusal("task=segmentation", "model=lenet5", "data=digit_scenes")
    assert line.startswith("task=segmentation: model=lenet5 is for classification, and the net decides the task; ")
    assert "for segmentation there is model=deeplabv3, fcn16s" in line
    line = refusal("task=classification", "model=unet", "data=digit_scenes")
    assert "for classification there is model=lenet5, resnet20, resnet18, resnet50" in line, "the usual ones first"


def test_a_task_without_nets_says_how_to_get_some(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    text = "# @package _global_\n# Mine\ndefaults:\n  - classification\n  - _self_\ntask:\n  name: mine\n"
    (tmp_path / "task" / "mine.yaml").write_text(text)
    line = refusal("task=mine", "model=lenet5", folders=(str(tmp_path),))
    assert line.endswith("for mine there is none yet; task.nets names another task whose nets fit")


def test_a_task_may_take_the_nets_of_another() -> None:
    config = compose_run(["task=multi_label", "model=resnet20", "data=bccd"])
    assert (config["task"]["name"], config["task"]["nets"]) == ("multi_label", "classification")
    line = refusal("task=multi_label", "model=unet", "data=bccd")
    assert "for multi_label there is model=lenet5" in line


# --- the task and the data --------------------------------------------------------------------------------------------


def test_data_without_the_truth_is_refused_with_data_and_nets_that_fit() -> None:
    line = refusal("model=resnet20", "data=digit_scenes")
    assert "model=resnet20 is for classification and needs data with label, such as data=" in line
    assert (
        "cifar10" in line and "data=digit_scenes gives boxes, mask, instances and fits model=conv_autoencoder" in line
    )
    fitting = line.split("fits model=")[1].split(", ")
    assert {"unet", "yolo"} <= set(fitting) and "lenet5" not in fitting


def test_a_task_says_which_truths_it_accepts() -> None:
    line = refusal("task=multi_label", "model=resnet20", "data=cifar10")
    assert line.endswith("data=cifar10 gives label: task.target=label takes each class against all others")
    config = compose_run(["task=multi_label", "model=resnet20", "data=cifar10", "task.target=label"])
    assert config["task"]["target"] == "label"
    assert "and fits model=" in refusal("task=multi_label", "model=resnet20", "data=camvid"), "of masks it takes none"


def test_a_form_of_answer_of_ones_own_may_be_what_a_task_learns(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = "# @package _global_\n# Mine\ndefaults:\n  - mnist5k\n  - _self_\ndata:\n  targets: [mine.bars.Bars]\n"
    (tmp_path / "data" / "barred.yaml").write_text(text)
    words = ["model=lenet5", "data=barred"]
    assert compose_run([*words, "task.target=mine.bars.Bars"], [str(tmp_path)])["task"]["target"] == "mine.bars.Bars"
    assert "needs data with label" in refusal(*words, folders=(str(tmp_path),))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["task=multi_label", "data=digit_scenes", "task.target=mask"],
            "task=multi_label takes boxes, label or labels",
        ),
        (["model=resnet20", "data=bccd", "task.target=boxes"], "task=classification takes label"),
        (["model=resnet20", "data=cifar10", "task.target=null"], "task=classification takes label"),
        (["model=unet", "data=digit_scenes", "task.target=boxes"], "task=segmentation takes mask"),
        (["model=conv_autoencoder", "task.target=label"], "task=autoencoder takes null"),
    ],
)
def test_a_truth_that_the_task_does_not_learn(words: list[str], line: str) -> None:
    target = words[-1].removeprefix("task.target=")
    assert refusal(*words) == f"task.target={target}: {line}"


def test_a_task_of_ones_own_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "any_class.yaml").write_text(
        "# @package _global_\n# Whether any class is there\ndefaults:\n  - override /loss: binary_cross_entropy\n"
        "task:\n  _target_: cnnexp.tasks.multi_label.MultiLabel\n  name: any_class\n  target: label\n"
        "  accepts: [label, mask]\n  nets: classification\n  monitor: val/map\n  mode: max\n"
    )
    words, own = ["task=any_class", "model=resnet20"], (str(tmp_path),)
    assert compose_run([*words, "data=cifar10"], own)["loss"]["_target_"].endswith("BinaryCrossEntropy")
    assert "task.target=mask takes each class" in refusal(*words, "data=camvid", folders=own)
    assert refusal(*words, "data=bccd", "task.target=boxes", folders=own) == (
        "task.target=boxes: task=any_class takes label or mask"
    )


# --- the kind of input ------------------------------------------------------------------------------------------------


def test_a_net_for_another_kind_of_input_is_refused_with_those_that_fit() -> None:
    assert refusal("model=lenet5", "data=ecg200") == (
        "model=lenet5: takes pictures, and data=ecg200 holds signals; for those there is "
        "model=ecg_resnet10, ecg_resnet34, fcn_1d, m11, m18, m3, m5"
    )
    line = refusal("model=fcn_1d", "data=mnist5k")
    assert line.startswith(
        "model=fcn_1d: takes signals (data=ecg200, ecg5000, wfdb_records), and data=mnist5k holds pictures; for those "
        "there is model=lenet5"
    )
    assert "model=skipgram: takes tokens (data=movie_reviews, " in refusal("model=skipgram")


def test_a_net_for_any_input_fits_every_data_set(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    text = "# @package _global_\n# Mine\ndefaults:\n  - mlp\n  - _self_\nmodel:\n  input: null\n"
    (tmp_path / "model" / "any.yaml").write_text(text)
    for data in ("mnist5k", "ecg200"):
        assert compose_run(["model=any", f"data={data}"], [str(tmp_path)])["choices"]["data"] == data


def test_an_augmentation_of_another_input_is_refused_with_the_fitting_ones() -> None:
    assert refusal("model=fcn_1d", "data=ecg200", "augmentation=flip") == (
        "augmentation=flip: is for pictures, and data=ecg200 holds signals; take augmentation=none or "
        "augmentation=signals"
    )
    line = refusal("model=lenet5", "data=mnist5k", "augmentation=signals")
    assert line.startswith("augmentation=signals: is for signals, and data=mnist5k holds pictures; take augmentation=")
    assert "augmentation=none" in line and "or augmentation=strong" in line
    assert compose_run(["model=fcn_1d", "data=ecg200", "augmentation=none"])["augmentation"]["_target_"] is None


def test_both_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        compose_run(["model=lenet5", "data=ecg200", "augmentation=flip"])
    assert [line.split(":")[0] for line in refused.value.lines] == ["model=lenet5", "augmentation=flip"]


def test_a_preset_of_ones_own_is_for_the_input_of_what_it_goes_on_from(tmp_path: Path) -> None:
    (tmp_path / "augmentation").mkdir()
    preset = "# Mine\ndefaults:\n  - /augmentation/strong@_here_\n  - _self_\nmirror:\n  vertical: 0.5\n"
    (tmp_path / "augmentation" / "mine.yaml").write_text(preset)
    own = (str(tmp_path),)
    assert compose_run(["data=mnist5k", "augmentation=mine"], own)["augmentation"]["mirror"]["vertical"] == 0.5
    assert "is for pictures" in refusal("model=fcn_1d", "data=ecg200", "augmentation=mine", folders=own)
    assert "augmentation=mine" in refusal("augmentation=signals", folders=own)


# --- numbers that belong together -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["data.mean=[0.1,0.2]"], "data.mean=[0.1, 0.2]: expected 1 values, one for each channel, or null"),
        (["+model.in_channels=3"], "model.in_channels=3: data=mnist5k has samples of 1 channels"),
        (["data.decode_size=[20,30]"], "data.decode_size=[20, 30]: smaller than data.image_size=[28, 28]"),
        (["hardware.devices=3"], "batch_size=64 does not split evenly over 3 devices; try 63 or 66"),
        (["accumulate=65"], "accumulate=65: a batch of 64 samples cannot be cut into so many parts; take at most 64"),
    ],
)
def test_numbers_that_do_not_fit_each_other(words: list[str], line: str) -> None:
    assert refusal("model=lenet5", "data=mnist5k", *words).startswith(line)


def test_signals_have_a_mean_for_each_channel_or_one_for_all() -> None:
    words = ["model=fcn_1d", "data=ecg200", "data.channels=12", "data.std=[1.0]"]
    assert compose_run([*words, "data.mean=[0.5]"])["data"]["mean"] == [0.5]
    line = refusal(*words, "data.mean=[0.1,0.2,0.3]")
    assert line == "data.mean=[0.1, 0.2, 0.3]: expected 12 values, one for each channel, or null"


def test_names_of_a_truth_that_the_data_has_not(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = "# @package _global_\n# Mine\ndefaults:\n  - digit_scenes\n  - _self_\ndata:\n  classes: {msk: [a, b]}\n"
    (tmp_path / "data" / "mine.yaml").write_text(text)
    line = refusal("model=unet", "data=mine", folders=(str(tmp_path),))
    assert line == "data.classes.msk: data=mine gives boxes, mask, instances"
