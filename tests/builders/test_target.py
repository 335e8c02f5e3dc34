from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from cnnexp.answers.mask import Mask
from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.geometry import Rotate
from cnnexp.builders.target import GROUP_BASES, GROUP_PACKAGES, OPTIMIZERS, bind, dotted, import_target, mismatch
from cnnexp.data.mnist5k import MNIST5k
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.models.lenet5 import LeNet5
from cnnexp.sampling.per_class import PerClass


@pytest.mark.parametrize(
    ("hint", "good", "bad", "expected"),
    [
        (int, [0, -3], [1.0, True, "1", None], "a whole number"),
        (float, [0, 0.5], [True, "1", None, [1.0]], "a number"),
        (bool, [True, False], [0, 1, "true", None], "true or false"),
        (str, ["", "a"], [1, None, True], "a word"),
        (Literal["a", "b"], ["a"], ["c", 1, None, ["a"], {"a": 1}], "a or b"),
        (Literal[18, 50, None], [18, None], [18.0, "18", 34], "18, 50 or null"),
        (Literal[1], [1], [True, 1.0], "1"),
        (Literal[True], [True], [1], "true"),
        (int | None, [1, None], ["a", 1.5], "a whole number or null"),
        (float | Literal["auto"], [1, 0.5, "auto"], ["auti", None], "a number or auto"),
        (tuple[int, int], [[1, 2], (3, 4)], [[1], [1, 2, 3], 5, "ab"], "a list"),
        (tuple[int, ...], [[], [1], [1, 2, 3]], [[1, "a"], [1.5]], "each item is a whole number"),
        (Sequence[str], [["a"], ()], ["a", [1], {"a": 1}], "a list"),
        (list[float], [[1, 2.5]], [["x"]], "each item is a number"),
        (tuple[tuple[int, int], ...], [[[1, 2], [3, 4]]], [[[1, 2], [3]]], "a list of 2 values"),
    ],
)
def test_a_value_and_an_annotation(hint: Any, good: list[Any], bad: list[Any], expected: str) -> None:
    assert [value for value in good if mismatch(value, hint) is not None] == []
    found = [mismatch(value, hint) for value in bad]
    assert None not in found
    assert any(expected in str(text) for text in found), found


@pytest.mark.parametrize("hint", [Any, Callable[[int], int], Path, dict[str, int], type])
def test_an_annotation_that_yaml_says_nothing_of(hint: Any) -> None:
    assert mismatch("anything", hint) is None


def net(*, in_channels: int, width: int, norm: Literal["batch", "none"] = "batch", dropout: float | None = None) -> int:
    """Stands for a net's class."""
    return width


def test_arguments_are_what_the_signature_names() -> None:
    injected = {"in_channels": 3, "num_classes": 10, "dropout": None}
    assert bind(net, {"width": 4}, injected, "model") == ({"in_channels": 3, "dropout": None, "width": 4}, [])
    arguments, problems = bind(net, {"width": 4, "in_channels": 1}, injected, "model")
    assert (arguments["in_channels"], problems) == (1, [])


def test_every_argument_that_does_not_fit_is_told() -> None:
    _, problems = bind(net, {"widht": 4, "norm": "layer"}, {"in_channels": 3}, "model")
    assert problems == [
        "model.widht: nothing reads it in net; did you mean width?",
        "model.norm=layer: expected batch or none",
        "model.width: missing; net needs it",
    ]


def test_a_signature_that_takes_anything() -> None:
    def anything(*args: int, **named: int) -> None: ...

    assert bind(anything, {"a": 1, "b": "x"}, {"c": 2}, "model") == ({"a": 1, "b": "x"}, [])


def test_our_own_classes_are_imported() -> None:
    assert import_target("cnnexp.models.lenet5.LeNet5", "model") is LeNet5
    assert import_target("cnnexp.data.mnist5k.MNIST5k", "data") is MNIST5k
    assert import_target("torch.optim.SGD", "optimizer") is torch.optim.SGD
    assert all(issubclass(import_target(name, "optimizer"), torch.optim.Optimizer) for name in OPTIMIZERS)
    assert set(GROUP_BASES) == {*GROUP_PACKAGES, "optimizer"}
    assert import_target("cnnexp.losses.cross_entropy.CrossEntropy", "loss") is CrossEntropy
    assert import_target("cnnexp.sampling.per_class.PerClass", "sampling") is PerClass
    assert import_target("cnnexp.inputs.pictures.Pictures", "input") is Pictures
    assert import_target("cnnexp.answers.mask.Mask", "target") is Mask
    assert import_target("cnnexp.augmentation.engine.Augmentation", "augmentation") is Augmentation
    assert import_target("cnnexp.augmentation.geometry.Rotate", "operation") is Rotate


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("pictures", "cnnexp.inputs.pictures.Pictures"),
        ("point_sets", "cnnexp.inputs.point_sets.PointSets"),
        ("mine.points.Points", "mine.points.Points"),
    ],
)
def test_a_word_names_a_file_and_its_class(word: str, name: str) -> None:
    assert dotted("cnnexp.inputs", word) == name


@pytest.mark.parametrize(
    ("target", "group"),
    [
        ("cnnexp.models.lenet5.LeNet5", "data"),
        ("cnnexp.models.lenet5.LeNet5", "optimizer"),
        ("cnnexp.models.lenet5.LeNet5", "logger"),
        ("torch.optim.SGD", "model"),
        ("torch.optim.Optimizer", "optimizer"),
        ("torch.optim.lr_scheduler.StepLR", "scheduler"),
        ("torch.load", "model"),
        ("torch.nn.Linear", "model"),
        ("cnnexp.models.lenet5.nn.Linear", "model"),
        ("cnnexp.models.lenet5.ACTIVATIONS", "model"),
        ("cnnexp.models.lenet5.LeNet5.forward", "model"),
        ("cnnexp.models.lenet5._pad_to", "model"),
        ("cnnexp.models.yolo.decode", "model"),
        ("cnnexp.models.yolo.Grid", "model"),
        ("cnnexp.data.archives.unpack", "data"),
        ("cnnexp.data.fetch.Download", "data"),
        ("cnnexp.data.mnist5k.DataSet", "data"),
        ("cnnexp.data.base.InputError", "data"),
        ("cnnexp.training.seeding.seed_step", "scheduler"),
        ("cnnexp.losses.term.at_least_one", "loss"),
        ("cnnexp.losses.term.Term", "loss"),
        ("cnnexp.losses.term.Loss", "loss"),
        ("cnnexp.sampling.base.Sampling", "sampling"),
        ("cnnexp.sampling.order.Order", "sampling"),
        ("cnnexp.inputs.pictures.PicturePreparation", "input"),
        ("cnnexp.inputs.picture_files.read_picture", "input"),
        ("cnnexp.inputs.base.Input", "input"),
        ("cnnexp.answers.base.Answer", "target"),
        ("cnnexp.inputs.pictures.Pictures", "target"),
        ("cnnexp.augmentation.normalisation.Normalisation", "augmentation"),
        ("cnnexp.augmentation.resample.sample", "operation"),
        ("os.system", "operation"),
        ("cnnexp.models.nowhere.Net", "model"),
        ("cnnexp.models.lenet5.LeNet6", "model"),
        ("cnnexp.modelsx.lenet5.LeNet5", "model"),
        ("os.system", "model"),
        ("builtins.eval", "task"),
        ("LeNet5", "model"),
        ("", "model"),
        (" cnnexp.models.lenet5.LeNet5", "model"),
        ("cnnexp.models.lenet5.LeNet5()", "model"),
        (".cnnexp.models.lenet5.LeNet5", "model"),
        (None, "model"),
        (["cnnexp.models.lenet5.LeNet5"], "model"),
    ],
)
def test_everything_else_is_refused(target: Any, group: str) -> None:
    with pytest.raises(InputError, match=rf"^{group}\._target_="):
        import_target(target, group)


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A user's package with a net, a function that makes one, and a class that is none."""
    name = "own_package_of_the_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "nets.py").write_text(
        "from torch import nn\nimport os\nclass Net(nn.Module): pass\ndef net(): return Net()\nclass Other: pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [one for one in sys.modules if one.startswith(name)]:
        del sys.modules[module]


def test_a_package_of_ones_own_takes_the_flag(own_package: str) -> None:
    with pytest.raises(InputError, match=f"--trust {own_package} allows"):
        import_target(f"{own_package}.nets.Net", "model")
    assert own_package not in sys.modules, "imported before it was trusted"
    trusted = [own_package]
    assert import_target(f"{own_package}.nets.Net", "model", trusted).__name__ == "Net"
    assert import_target(f"{own_package}.nets.net", "model", trusted).__name__ == "net"
    for name, group in (("Other", "model"), ("os.getcwd", "model"), ("nn.Linear", "model"), ("net", "data")):
        with pytest.raises(InputError, match=f"^{group}._target_="):
            import_target(f"{own_package}.nets.{name}", group, trusted)


@pytest.mark.parametrize("package", ["os", "builtins", "subprocess", "torch", "torch.serialization", "cnnexp", "numpy"])
def test_nobody_can_trust_a_library(package: str) -> None:
    with pytest.raises(InputError, match=f"--trust {package}"):
        import_target("cnnexp.models.lenet5.LeNet5", "model", [package])
    with pytest.raises(InputError) as caught:
        import_target(f"{package}.system", "model")
    assert "--trust" not in str(caught.value)


def test_a_class_that_lacks_methods_says_which() -> None:
    with pytest.raises(InputError) as caught:
        import_target("cnnexp.sampling.base.Sampling", "sampling")
    assert caught.value.lines == ("sampling._target_=cnnexp.sampling.base.Sampling: not whole, it lacks epoch",)
