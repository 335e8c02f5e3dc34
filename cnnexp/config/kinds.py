"""Whose nets take the samples of a data set: those of its own kind of input, or of the kind that they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnexp.config.signatures import constant_of


def class_of_input(kind: str) -> str:
    """The dotted class of a kind of input by its word; what is dotted stays."""
    return kind if "." in kind else f"cnnexp.inputs.{kind}.{''.join(part.capitalize() for part in kind.split('_'))}"


def kind_of_nets(data: Mapping[str, Any]) -> str | None:
    """The kind of input that nets are for which take samples of a ``data`` group.

    It is ``input``, unless the input's class says by ``becomes`` what its samples are when they reach a net.
    """
    kind = data.get("input")
    if not isinstance(kind, str):
        return None
    becomes = constant_of(class_of_input(kind), "becomes")
    if becomes is None:
        return kind
    key, special, usual = becomes
    return str(special.get(data.get(key), usual))
