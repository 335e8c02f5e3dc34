"""What every YAML of conf/data must fulfil, whatever the data set."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.data.tiny import CONF, make_data_set, read_conf

NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))
RESERVED = {"targets", "channels", "image_size", "classes", "mask_classes", "mean", "std"}
RESERVED |= {"fraction", "workers", "in_memory"}


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
    data = read_conf(name)["data"]
    made = make_data_set(name)
    wanted = inspect.signature(type(made)).parameters
    assert data.keys() >= RESERVED
    assert data.keys() - RESERVED - {"_target_"} == wanted.keys() - RESERVED
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in wanted.values())


@pytest.mark.parametrize("name", NAMES)
def test_facts_fit_each_other(name: str) -> None:
    data = read_conf(name)["data"]
    assert tuple(data["targets"]) == type(make_data_set(name)).targets
    assert len(data["mean"]) == len(data["std"]) == data["channels"]
    assert all(0 < value < 1 for value in (*data["mean"], *data["std"]))
    named = {"label": "classes", "boxes": "classes", "mask": "mask_classes"}
    for key in ("classes", "mask_classes"):
        used = any(named[target] == key for target in data["targets"])
        names = data[key]
        if not used:
            assert names == []
        elif names is not None:
            assert len(names) >= 2
            assert len(set(names)) == len(names)
            assert all(isinstance(each, str) for each in names)
