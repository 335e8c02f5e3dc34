"""ECG5000: single heartbeats of one patient with heart failure, five classes."""

from __future__ import annotations

import numpy as np

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fixed_splits import divide, hold_out
from cnnexp.data.ucr import UCRSet, split_of

FILES = UCRSet(
    name="ECG5000",
    folder="ecg/ucr-ecg5000-train",
    length=140,
    labels=(1, 2, 3, 4, 5),
    counts={"TRAIN": (292, 177, 10, 19, 2), "TEST": (2627, 1590, 86, 175, 22)},
)
VALIDATION = 50


class ECG5000(DataSet):
    """Heartbeats of 140 samples on one lead, each of mean 0 and deviation 1 (Chen et al. 2015; UCR archive).

    The archive has 500 for training and 4,500 to test. The 500 alone are divided 80 / 10 / 10, stratified and the same
    way every time; the last class has two of them, both for training. They are what is left of a beat-to-beat recording
    of one patient (record chf07 of BIDMC), so a score says nothing about other patients.

    Args:
        published_test: the 4,500 are the test split, and 50 of the 500 are for validation.
    """

    targets = ("label",)

    def __init__(self, *, published_test: bool, mirror: str | None) -> None:
        self.published_test, self.mirror = published_test, mirror

    def prepare(self) -> None:
        FILES.ensure("TRAIN", self.mirror)
        if self.published_test:
            FILES.ensure("TEST", self.mirror)

    def load(self, split: SplitName) -> TensorSplit:
        if self.published_test and split == "test":
            signals = FILES.read("TEST", self.mirror)
            return split_of(signals, np.arange(len(signals[1])), "TEST")
        signals = FILES.read("TRAIN", self.mirror)
        held = hold_out(signals[1], VALIDATION)
        rows = held[split == "val"] if self.published_test else divide(signals[1])[split]
        return split_of(signals, rows, "TRAIN")
