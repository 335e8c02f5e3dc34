from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.data.base import FileSplit
from cnnexp.data.loading import Loader
from cnnexp.data.working import Failed, Guarded
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.sampling.order import Order


class Awkward(Exception):
    """Cannot be made from its message."""

    def __init__(self, number: int, *, reason: str) -> None:
        super().__init__(f"{reason} {number}")


@dataclass(frozen=True)
class Failing:
    error: Exception

    def __call__(self, position: int) -> dict[str, Tensor]:
        if position == 3:
            raise self.error
        return {"image": torch.full((1,), position)}


def failed(error: Exception) -> Exception:
    answer = Guarded(FileSplit(Failing(error), 4)).__getitems__([2, 3])
    assert isinstance(answer, Failed)
    return answer.error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (CorruptFile("a.png: broken", "b.png: broken"), CorruptFile, "a.png: broken\nb.png: broken"),
        (FloatingPointError("underflow"), FloatingPointError, "underflow"),
        (MemoryError(), MemoryError, ""),
        (KeyError("name"), KeyError, "'name'"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), UnicodeDecodeError, "'utf-8' codec"),
        (Awkward(3, reason="worse"), RuntimeError, "Awkward: worse 3"),
    ],
)
def test_an_error_arrives_as_it_was_with_its_place_in_a_note(error: Exception, kind: type, text: str) -> None:
    found = failed(error)
    assert type(found) is kind
    assert str(found).startswith(text) and "Traceback" not in str(found)
    assert "In a loader's worker:" in found.__notes__[0] and "raise self.error" in found.__notes__[0]


def test_every_line_of_bad_input_arrives() -> None:
    found = failed(InputError("one", "two"))
    assert isinstance(found, InputError) and found.lines == ("one", "two")


def test_a_whole_batch_is_handed_over() -> None:
    answer: Any = Guarded(FileSplit(Failing(ValueError()), 4)).__getitems__([2, 0])
    assert answer["image"].tolist() == [[2], [0]] and answer["index"].tolist() == [2, 0]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*worker processes.*:UserWarning")
def test_through_a_worker() -> None:
    loader = Loader(FileSplit(Failing(FloatingPointError("underflow")), 4), Order(np.arange(4), 2), workers=1)
    with pytest.raises(FloatingPointError) as caught:
        list(loader)
    assert str(caught.value) == "underflow"
