"""What is read of a signature and its docstring is what Python itself says of them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from cnnexp.config.nearest import any_of
from cnnexp.config.options import config_folders, content_of, option_files
from cnnexp.config.signatures import arguments_of

TARGETS = sorted(
    {str(content_of(path)["model"]["_target_"]) for path in option_files("model", config_folders()).values()}
)


@pytest.mark.parametrize("target", TARGETS)
def test_arguments_and_choices_are_those_that_python_finds(target: str) -> None:
    module, _, name = target.rpartition(".")
    made = getattr(import_module(module), name)
    hints = get_type_hints(made.__init__ if inspect.isclass(made) else made)
    found = arguments_of(target)
    assert list(found) == list(inspect.signature(made).parameters)
    for key, one in found.items():
        literal = get_origin(hints[key]) is Literal
        assert one.choices == (tuple(str(value) for value in get_args(hints[key])) if literal else ()), key
        assert one.meaning and not one.meaning.endswith("."), f"{key}: its class says nothing of it"
        assert not literal or one.kind == any_of(one.choices)


@pytest.mark.parametrize(
    ("target", "key", "meaning", "kind"),
    [
        ("cnnexp.models.alexnet.AlexNet", "groups", "1, or 2 for the paper's split", "1 or 2"),
        ("cnnexp.models.lenet5.LeNet5", "pooling", "over 2x2 pixels, stride 2", "max or average"),
        ("cnnexp.models.resnet.ResNet", "shortcuts", "False leaves them out, for depth 18 and 34", "true or false"),
        ("cnnexp.models.plain_cnn.PlainCNN", "convolutions", "their number in each stage", "a list"),
        ("cnnexp.training.schedules.OneCycle", "start", None, "a number"),
        ("cnnexp.inputs.pictures.Pictures", "std", "per channel for pixels in [0, 1]", "a list, or null"),
    ],
)
def test_by_hand(target: str, key: str, meaning: str | None, kind: str) -> None:
    found = arguments_of(target)[key]
    assert found.kind == kind
    assert meaning is None or found.meaning.startswith(meaning)


@pytest.mark.parametrize("target", ["torch.optim.SGD", "mine.Net", "cnnexp.models.alexnet.Nothing", "", "cnnexp"])
def test_what_lies_elsewhere_is_not_read(target: str) -> None:
    assert arguments_of(target) == {}
