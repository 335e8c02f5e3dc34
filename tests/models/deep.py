"""Nets that take seconds even as shapes alone, and of which a shallower relative is looked at by the fast tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

DEEP = {
    "densenet121", "densenet169", "densenet201", "inception_resnet_v2", "inception_v3", "inception_v4", "plain56",
    "resnet44", "resnet56", "resnet101", "resnet110", "resnet152", "senet154", "vgg13_bn", "vgg16_bn", "vgg19",
    "vgg19_bn", "wide_resnet50_2",
}  # fmt: skip
DEEPER = {"plain56", "resnet44", "resnet56", "resnet110"}
"""Those that are the class of a shallower one with nothing but more of the same blocks."""


def deep_ones_slow(names: Iterable[str]) -> list[Any]:
    """Parameters of a test, the deep nets among them for the slow suite."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in DEEP else []) for name in names]
