"""Classes go by their names, from the command line: other orders, fewer, strangers, late ones, one, none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.data.tiny import write_class_folders
from tests.integration.conftest import CommandLine

pytestmark = pytest.mark.integration
TINY = ("model=linear", "data=image_folder", "data.image_size=[8,8]", "batch_size=4", "epochs=1", "hardware.threads=1")


def metrics(cnnexp: CommandLine, *words: str) -> dict[str, object]:
    done = cnnexp("test", *words, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)  # type: ignore[no-any-return]


def test_a_net_meets_its_classes_in_another_order_and_fewer_of_them(cnnexp: CommandLine, tmp_path: Path) -> None:
    write_class_folders(tmp_path / "pets", 12, ("ape", "cat", "dog"))
    done = cnnexp("train", *TINY, "data.root=pets", "data.classes=[dog,ape,cat]")
    assert done.status == 0, done.err
    own, again = metrics(cnnexp, "last"), metrics(cnnexp, "last", "data=image_folder", "data.root=pets")
    assert "classes" not in own and again["metrics"] == own["metrics"]
    assert again["classes"] == "classes by name: ape 1, cat 2, dog 0, of the 3 that the net knows, counted from 0"
    write_class_folders(tmp_path / "few", 12, ("cat", "dog"))
    few = metrics(cnnexp, "last", "data.root=few")["metrics"]
    assert set(few) == {"test/loss", "test/accuracy", "test/accuracy_of_2"}  # type: ignore[call-overload]
    write_class_folders(tmp_path / "other", 12, ("cat", "Dog"))
    done = cnnexp("test", "last", "data.root=other")
    assert done.status == 2 and len(done.lines) == 1
    assert "has Dog, which" in done.err and "(it knows dog, ape, cat); did you mean dog?" in done.err
    done = cnnexp("train", *TINY, "data.root=pets", "model.weights=run:last", "max_steps=1")
    assert "linear.weight, linear.bias put in this run's order of the classes" in done.out, done.out + done.err
    averaged = cnnexp("ensemble", *(str(one) for one in sorted((tmp_path / "outputs").iterdir())), "--json")
    assert averaged.status == 0, averaged.err


REFUSED = {
    "a class that only test has": (("ape", "cat"), ("ape", "zebra"), (), "the class 'zebra' is not among ape, cat"),
    "a typo": (("cat", "dog"), ("cat", "dog"), ("data.classes=[cat,dgo]",), "no 'dgo' in the data"),
    "one class": (("cat",), ("cat",), (), "has one class only (cat)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_classes_are_one_line(name: str, here: CommandLine, tmp_path: Path) -> None:
    train, test, words, expected = REFUSED[name]
    write_class_folders(tmp_path / "pets" / "train", 4, train)
    write_class_folders(tmp_path / "pets" / "test", 4, test)
    done = here("train", *TINY, "data.root=pets", *words)
    assert done.status == 2 and len(done.lines) == 1 and expected in done.err, done.err
    assert not (tmp_path / "outputs").exists() or not list((tmp_path / "outputs").iterdir())
