"""What a data set's facts say of the numbers under one key, whatever truth holds them."""

from __future__ import annotations

from typing import Any

from cnnexp.answers.base import Answer
from cnnexp.answers.boxes import Boxes
from cnnexp.answers.identity import Identity
from cnnexp.answers.label import Label
from cnnexp.data.facts import Facts


def facts(**targets: Answer) -> Facts:
    given: Any = None
    return Facts("made", given, targets)


def test_names_of_labels_are_those_of_the_truth_that_holds_them() -> None:
    assert facts(label=Label(("cat", "dog"))).label_names == ("cat", "dog")
    assert facts(boxes=Boxes(("car",)), identity=Identity(("anna", "ben"))).label_names == ("anna", "ben")
    assert facts(boxes=Boxes(("car",))).label_names == ()
