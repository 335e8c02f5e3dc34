"""What every YAML of conf/data must fulfil, whatever the data set."""

from __future__ import annotations

import inspect
import re

import pytest

from cnnexp.answers.base import Answer
from cnnexp.builders.facts import answer_class, build_input, input_class, names_of
from tests.data.tiny import CONF, make_data_set, of_every_data_set, read_conf

NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))
RESERVED = {"_target_", "input", "targets", "classes"}
OF_THE_TASK = {"target"}
"""What a data set that gives several truths is told beside its keys."""


def test_the_promised_sets_are_there() -> None:
    promised = "mnist5k digit_scenes mnist fashion_mnist cifar10 cifar100 bccd isbi_em camvid"
    assert set(NAMES) >= {*promised.split(), "image_folder", "voc", "coco", "yolo", "mask_folder"}


@pytest.mark.parametrize("name", NAMES)
def test_file_class_and_yaml_have_one_name(name: str) -> None:
    target = read_conf(name)["data"]["_target_"]
    module, _, class_name = target.rpartition(".")
    assert module == f"cnnexp.data.{name}"
    assert class_name.lower() == name.replace("_", "")


@pytest.mark.parametrize("name", NAMES)
def test_first_lines_say_what_it_is(name: str) -> None:
    package, purpose = (CONF / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[:2]
    assert package == "# @package _global_"
    assert re.fullmatch(r"# \S.{20,110}", purpose)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_reserved_or_an_argument(name: str) -> None:
    data, everywhere = read_conf(name)["data"], of_every_data_set().keys()
    wanted = inspect.signature(type(make_data_set(name))).parameters
    of_input = inspect.signature(input_class({"data": data})).parameters
    needed = {key for key, one in of_input.items() if one.default is one.empty}
    assert data.keys() >= RESERVED | needed | ({"mean", "std"} & of_input.keys())
    assert (
        data.keys() - RESERVED - of_input.keys()
        == wanted.keys() - RESERVED - OF_THE_TASK - of_input.keys() - everywhere
    )
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in wanted.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_input_and_what_it_learns_by_their_files(name: str) -> None:
    data = read_conf(name)["data"]
    found = input_class({"data": data})
    assert (found.name, found.__module__) == (data["input"], f"cnnexp.inputs.{data['input']}")
    for word in data["targets"]:
        assert issubclass(answer_class(word), Answer)
        assert answer_class(word).__module__ == f"cnnexp.answers.{word}"


@pytest.mark.parametrize("name", NAMES)
def test_facts_fit_each_other(name: str) -> None:
    data = read_conf(name)["data"]
    assert tuple(data["targets"]) == type(make_data_set(name)).targets
    if "mean" not in data:
        assert build_input({"data": data}).learns
        return
    if data["mean"] is None:  # learnt in every run, as the numbers depend on other keys
        assert data["std"] is None and build_input({"data": data}).learns
        return
    assert len(data["mean"]) == len(data["std"]) == data["channels"]
    if data["input"] == "pictures":
        assert all(0 < value < 1 for value in (*data["mean"], *data["std"]))
    assert all(value > 0 for value in data["std"])
    assert build_input({"data": data}).told()["in_channels"] == data["channels"]
    if isinstance(data["classes"], dict):
        assert list(data["classes"]) == data["targets"]
    for word, names in names_of({"data": data}).items():
        if names is not None:
            assert len(names) >= (1 if word in ("value", "boxes", "instances") else 2)
            assert len(set(names)) == len(names)
            assert all(isinstance(each, str) for each in names)
