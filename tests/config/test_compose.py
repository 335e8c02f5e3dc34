from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from cnnexp.config.compose import compose_run, to_yaml
from cnnexp.config.options import GROUPS
from cnnexp.errors import InputError


def test_the_data_set_brings_its_defaults_and_the_command_line_wins() -> None:
    composed = compose_run(["model=resnet20", "data=cifar10"])
    assert (composed["epochs"], composed["batch_size"]) == (30, 128)
    assert composed["choices"]["augmentation"] == "crop_flip"
    assert composed["augmentation"]["mirror"]["horizontal"] == 0.5
    words = ["epochs=3", "batch_size=50", "augmentation=none", "data=cifar10", "model=resnet20"]
    for order in (words, words[::-1]):
        composed = compose_run(order)
        assert (composed["epochs"], composed["batch_size"]) == (3, 50)
        assert composed["choices"]["augmentation"] == "none"


def test_the_net_brings_its_task_optimizer_and_schedule_and_the_command_line_wins() -> None:
    composed = compose_run(["model=unet", "data=digit_scenes"])
    assert composed["task"]["name"] == "segmentation"
    assert (composed["optimizer"]["lr"], composed["choices"]["scheduler"]) == (0.01, "one_cycle")
    composed = compose_run(["model=resnet20", "optimizer=adamw", "optimizer.lr=0.5", "scheduler=step"])
    assert (composed["choices"]["optimizer"], composed["optimizer"]["lr"]) == ("adamw", 0.5)
    assert composed["scheduler"] == {
        "_target_": "cnnexp.training.schedules.Step",
        "every_epochs": 10,
        "gamma": 0.1,
        "warmup_epochs": 0.0,
    }


def test_another_option_than_the_nets_comes_as_its_own_file_has_it() -> None:
    alone = compose_run(["model=resnet20", "optimizer=adam"])["optimizer"]
    assert (alone["_target_"], alone["lr"], alone["weight_decay"]) == ("torch.optim.Adam", 0.001, 0.0)
    assert "momentum" not in alone
    assert compose_run(["model=resnet20", "optimizer=adam", "optimizer.lr=0.5"])["optimizer"] == {**alone, "lr": 0.5}
    same = ["model=resnet20", "optimizer=sgd"]
    assert compose_run(same) == compose_run(same[:1])
    assert compose_run(same)["optimizer"]["weight_decay"] == 1e-4
    logger = compose_run(["logger=wandb", "logger.mode=online"])["logger"]
    assert (logger["kind"], logger["mode"]) == ("wandb", "online")
    with pytest.raises(InputError, match="momentum: there is no such key"):
        compose_run(["model=resnet20", "optimizer=adam", "optimizer.momentum=0.5"])


def test_an_experiment_stands_between_the_data_and_the_command_line() -> None:
    composed = compose_run(["experiment=resnet20_cifar10_quick"])
    choices = composed["choices"]
    assert (choices["model"], choices["data"], composed["epochs"]) == ("resnet20", "cifar10", 3)
    assert compose_run(["experiment=resnet20_cifar10_quick", "epochs=4"])["epochs"] == 4
    assert compose_run(["experiment=null"]) == compose_run([])


def test_dataset_is_another_word_for_data() -> None:
    words = ["data=mnist", "data.fraction=0.5"]
    assert compose_run([word.replace("data", "dataset", 1) for word in words]) == compose_run(words)


def test_the_result_is_plain_and_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNEXP_OUTPUTS_DIR", "elsewhere")
    composed = compose_run([])
    assert composed["outputs"] == "elsewhere"
    assert set(composed["choices"]) == set(GROUPS)
    kinds = {type(value) for value in _leaves(composed)}
    assert kinds <= {int, float, bool, str, type(None)}, kinds


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        assert type(value) is dict
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with a net, a data set that hides a shipped one, and an optimizer."""
    files = {
        "model/lenet_wide.yaml": "# @package _global_\n# Mine\ndefaults:\n  - lenet5\nmodel:\n  activation: tanh\n",
        "data/mnist5k.yaml": "# @package _global_\n# Mine\nepochs: 7\n"
        + "data:\n  _target_: cnnexp.data.mnist5k.MNIST5k\n  input: pictures\n  targets: [label]\n  channels: 1\n"
        + "  image_size: [14, 14]\n  classes: null\n  mean: null\n  std: null\n",
        "optimizer/slow.yaml": "# Mine\ndefaults:\n  - sgd\n  - _self_\nlr: 1.0e-6\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_of_ones_own_is_searched_first(own: Path) -> None:
    composed = compose_run(["optimizer=slow"], [str(own)])
    assert (composed["epochs"], composed["data"]["image_size"]) == (7, [14, 14])
    assert (composed["optimizer"]["lr"], composed["optimizer"]["momentum"]) == (1e-6, 0.9)
    assert compose_run([])["data"]["image_size"] == [28, 28]
    with pytest.raises(InputError, match="optimizer=slow: there is no such optimizer"):
        compose_run(["optimizer=slow"])


def test_a_net_of_ones_own_builds_on_a_shipped_one(own: Path) -> None:
    composed = compose_run(["model=lenet_wide"], [str(own)])
    assert composed["model"]["activation"] == "tanh"
    assert composed["task"]["name"] == "classification"


@pytest.mark.parametrize("text", ["model: [1,", "model: {a: ${nowhere}}", "defaults:\n  - nothing\n"])
def test_a_mistake_in_a_file_of_ones_own_is_one_line(own: Path, text: str) -> None:
    (own / "model" / "broken.yaml").write_text(f"# @package _global_\n# Mine\n{text}")
    with pytest.raises(InputError) as caught:
        compose_run(["model=broken"], [str(own)])
    (line,) = caught.value.lines
    assert "\n" not in line


def test_interpolations_of_the_user_are_resolved() -> None:
    assert compose_run(["name=${model.activation}"])["name"] == "relu"


TRICKY = ["1e-3", "1e3", ".5", "0x10", "1_000", "yes", "null", "~", "", "12:30", "2020-01-01", "é\n"]
UNRESOLVED = ["${oc.env:HOME}", "${", "???"]


def test_yaml_reads_back_the_same() -> None:
    shared = [1, 2.5, 1e-05, 1e22, True, None, -0.0]
    config = {"text": [*TRICKY, *UNRESOLVED], "numbers": shared, "again": shared, "deep": {"a b": {"ü": []}}, "no": {}}
    text = to_yaml(config)
    assert yaml.safe_load(text) == config
    assert "&" not in text
    assert OmegaConf.to_container(OmegaConf.create(to_yaml({"text": TRICKY}))) == {"text": TRICKY}
    assert yaml.safe_load(to_yaml(compose_run([]))) == compose_run([])


def test_another_scheduler_than_the_nets_has_the_keys_of_all_schedulers_too() -> None:
    composed = compose_run(
        ["model=resnet20", "scheduler=step", "scheduler.warmup_epochs=2", "optimizer.stage_rates=0.5"]
    )
    assert composed["scheduler"]["warmup_epochs"] == 2
    assert composed["optimizer"]["stage_rates"] == 0.5
