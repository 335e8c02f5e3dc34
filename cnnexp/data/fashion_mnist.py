"""Fashion-MNIST: 70,000 pieces of clothing in the form of MNIST."""

from __future__ import annotations

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.idx import IdxSet
from cnnexp.inputs.picture_files import Size

FILES = IdxSet(
    folder="fashion-mnist",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    md5={
        "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
    },
)


class FashionMNIST(DataSet):
    """Grey pictures 28×28 of ten kinds: 55,000 / 5,000 / 10,000, the test set as published.

    Xiao, Rasul and Vollgraf 2017.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, mirror: str | None) -> None:
        self.image_size, self.channels, self.mirror = image_size, channels, mirror

    def prepare(self) -> None:
        FILES.ensure(self.mirror)

    def load(self, split: SplitName) -> TensorSplit:
        return FILES.load(split, self.image_size, self.channels, self.mirror)
