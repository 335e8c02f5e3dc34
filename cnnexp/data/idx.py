"""The idx format of MNIST and the sets made after it: 60,000 and 10,000 grey pictures 28×28, ten classes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.fetch import Download, ensure, md5_of, obtain
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.memory import fitted_split
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size

VALIDATION = 5_000
_SIDE = 28
_COUNTS = {"train": 60_000, "t10k": 10_000}


@dataclass(frozen=True)
class IdxSet:
    """A publisher's four files. ``md5`` is that of the unpacked content, by file name: a mirror may pack it again."""

    folder: str
    address: str
    md5: Mapping[str, str]

    def ensure(self, mirror: str | None) -> None:
        for name in self.md5:
            ensure(self._download(name), mirror, lambda path, name=name: self._read(path, name))  # type: ignore[misc]

    def load(self, split: SplitName, image_size: Size, channels: int, mirror: str | None) -> TensorSplit:
        """The test set as published; 5,000 of the training pictures, stratified and fixed, are for validation."""
        part = "t10k" if split == "test" else "train"
        pictures, labels = (
            obtain(self._download(name), mirror, lambda path, name=name: self._read(path, name))  # type: ignore[misc]
            for name in (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
        )
        rows = np.arange(len(labels)) if split == "test" else hold_out(labels, VALIDATION)[split == "val"]
        tensors = {
            "image": torch.from_numpy(pictures[rows])[:, None],
            "label": torch.from_numpy(labels[rows].astype(np.int64)),
        }
        return fitted_split(tensors, image_size, channels, names=[f"{part}/{row}" for row in rows])

    def _download(self, name: str) -> Download:
        return Download(self.folder, (name,), f"{self.address}/{name}", archive=False, instead="data=mnist5k")

    def _read(self, path: Path, name: str) -> NDArray[np.uint8]:
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise CorruptFile(f"{path}: not a whole gzip file ({error})") from error
        if md5_of(content) != self.md5[name]:
            raise CorruptFile(f"{path}: its content is not the publisher's (md5)")
        count = _COUNTS[name.split("-")[0]]
        shape = (count, _SIDE, _SIDE) if "idx3" in name else (count,)
        header = 4 + 4 * len(shape)
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
