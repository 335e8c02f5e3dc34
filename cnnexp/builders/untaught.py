"""Classes of pixels that no training sample shows."""

from __future__ import annotations

from cnnexp.answers.base import Answer
from cnnexp.data.base import DataSet, TensorSplit
from cnnexp.data.class_names import few, untaught
from cnnexp.data.loading import Data


def untaught_line(data: Data, answer: Answer) -> str | None:
    """A line that names the classes of masks of which the training samples, as many as take part, have no pixel.

    Only masks in memory are looked through; folders of one's own look at theirs when they are scanned.
    """
    split = data.split("train")
    scanned = type(data.dataset).refuse_untaught is not DataSet.refuse_untaught
    if not answer.dense or scanned or not isinstance(split, TensorSplit) or "mask" not in split.tensors:
        return None
    counts = answer.counts(split, data.train_positions())
    missing = untaught(answer.names, {number for number, count in enumerate(counts) if count})
    return f"no training sample shows {few(missing)}, so the net will not learn it" if missing else None
