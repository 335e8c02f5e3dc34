"""What CIFAR-10 and CIFAR-100 share: the binary version's records, and the split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.memory import fitted_split
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size

VALIDATION = 5_000
_SIDE = 32


def read_records(
    folder: Path, names: Sequence[str], label_bytes: int, verify: Callable[[Path, bytes], None]
) -> NDArray[np.uint8]:
    """The records of some .bin files, which lie somewhere below ``folder``: uint8 (N, label_bytes + 3072), each the
    labels and then the red, green and blue planes.

    Raises:
        CorruptFile: a file is missing, refused by ``verify``, or not a whole number of records.
    """
    contents = []
    for name in names:
        path = next(iter(sorted(folder.rglob(name))), None)
        if path is None:
            raise CorruptFile(f"{folder}: holds no {name}")
        content = path.read_bytes()
        verify(path, content)
        contents.append(np.frombuffer(content, np.uint8).reshape(-1, label_bytes + 3 * _SIDE * _SIDE))
    return np.concatenate(contents)


def cifar_split(
    records: NDArray[np.uint8], label_bytes: int, split: SplitName, image_size: Size, channels: int
) -> TensorSplit:
    """Records of the test set, or of all 50,000 training pictures, of which 5,000 (fixed, stratified) are validation.

    The last label byte is the class.
    """
    labels = records[:, label_bytes - 1].astype(np.int64)
    rows = np.arange(len(labels)) if split == "test" else hold_out(labels, VALIDATION)[split == "val"]
    pictures = records[rows, label_bytes:].reshape(-1, 3, _SIDE, _SIDE)
    tensors = {"image": torch.from_numpy(pictures), "label": torch.from_numpy(labels[rows])}
    part = "test" if split == "test" else "train"
    return fitted_split(tensors, image_size, channels, names=[f"{part}/{row}" for row in rows])
