"""TREC: questions, and what kind of thing answers them."""

from __future__ import annotations

import numpy as np

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.published_texts import TextFile, text_split

KINDS = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
VALIDATION = 545


def parse(line: str) -> tuple[str, int]:
    """A line such as ``HUM:ind Who wrote Hamlet ?``: the question, and the number of its coarse kind."""
    kind, _, question = line.partition(" ")
    return question, KINDS.index(kind.partition(":")[0])


_FOLDER, _ADDRESS = "text/trec", "https://cogcomp.seas.upenn.edu/Data/QA/QC"
TRAIN = TextFile(
    ("train_5500.label", "TREC.train"),
    _FOLDER,
    f"{_ADDRESS}/train_5500.label",
    "073462e3fcefaae31e00edb1f18d2d02",
    parse,
)
TEST = TextFile(
    ("TREC_10.label", "TREC.test"), _FOLDER, f"{_ADDRESS}/TREC_10.label", "323a3554401d86e650717e2d2f942589", parse
)


class TREC(DataSet):
    """5,952 questions of six kinds: 4,907 / 545 / 500 (Li and Roth 2002, "Learning question classifiers").

    The test set as published; a tenth of the 5,452 training questions, stratified and fixed, is for validation. Words
    and signs stand apart in the files. Some letters lie outside of ASCII.

    Args:
        encoding: of the files; they are Latin-1.
    """

    targets = ("label",)

    def __init__(self, *, encoding: str, mirror: str | None) -> None:
        self.encoding, self.mirror = encoding, mirror

    def prepare(self) -> None:
        for file in (TRAIN, TEST):
            file.ensure(self.mirror, self.encoding)

    def load(self, split: SplitName) -> TensorSplit:
        lines = (TEST if split == "test" else TRAIN).read(self.mirror, self.encoding)
        if split == "test":
            return text_split(lines, np.arange(len(lines[1])), "test")
        return text_split(lines, hold_out(lines[1], VALIDATION)[split == "val"], "train")
