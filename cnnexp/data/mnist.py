"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.idx import IdxSet
from cnnexp.inputs.picture_files import Size

FILES = IdxSet(
    folder="mnist",
    address="https://ossci-datasets.s3.amazonaws.com/mnist",
    md5={
        "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
    },
)


class MNIST(DataSet):
    """Grey digits 28×28: 55,000 / 5,000 / 10,000, the test set as published (LeCun, Cortes and Burges 1998)."""

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, mirror: str | None) -> None:
        self.image_size, self.channels, self.mirror = image_size, channels, mirror

    def prepare(self) -> None:
        FILES.ensure(self.mirror)

    def load(self, split: SplitName) -> TensorSplit:
        return FILES.load(split, self.image_size, self.channels, self.mirror)
