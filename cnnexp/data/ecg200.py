"""ECG200: single heartbeats, normal and abnormal."""

from __future__ import annotations

import numpy as np

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.ucr import Part, UCRSet, split_of

FILES = UCRSet(
    name="ECG200",
    folder="ecg/ucr-ecg200",
    length=96,
    labels=(-1, 1),
    counts={"TRAIN": (31, 69), "TEST": (36, 64)},
)
VALIDATION = 20


class ECG200(DataSet):
    """200 heartbeats of 96 samples on one lead, each of mean 0 and deviation 1 (Olszewski 2001; UCR archive).

    80 / 20 / 100: the test set as published; 20 of the 100 training beats, stratified and fixed, are for validation.
    With fewer, a single beat would decide which weights are kept.
    """

    targets = ("label",)

    def __init__(self, *, mirror: str | None) -> None:
        self.mirror = mirror

    def prepare(self) -> None:
        FILES.ensure("TRAIN", self.mirror)
        FILES.ensure("TEST", self.mirror)

    def load(self, split: SplitName) -> TensorSplit:
        part: Part = "TEST" if split == "test" else "TRAIN"
        signals = FILES.read(part, self.mirror)
        rows = np.arange(len(signals[1])) if split == "test" else hold_out(signals[1], VALIDATION)[split == "val"]
        return split_of(signals, rows, part)
