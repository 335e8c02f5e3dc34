"""The 2018 Data Science Bowl: nuclei of cells under the fluorescence microscope, each with its outline."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.drawn_masks import OBJECTS
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, pillow_mode

log = logging.getLogger(__name__)

ENDS: dict[SplitName, slice] = {"train": slice(80), "val": slice(80, 90), "test": slice(90, 110)}
"""In the order of the ids, which are hashes and so no order at all."""
NUCLEI = 2_991
_MASK_VALUES = (0, 1, *[-1] * 254)

# The first eight digits of the ids: pictures of stage1_train that are 256×256 and of fluorescence.
_IDS = """
00071198 0287e7ee 05040e2e 072ff14c 08ae2741 0acd2c22 0bf4b144 0e5edb07 12f89395 16c3d593 1a75e9f1 1c2f9e12 1d5f4717
1e8408fb 20468e87 2349e95e 243443ae 2817299f 2ab91a44 2bf594e9 2e172afb 305a8baa 30f65741 33d0a9b2 3582166e 371a6723
3874755f 3ab9cab6 3b957237 3d0ca349 431b9b0c 4829177d 4b274461 4d40de30 52a4ac5a 54fe2d34 573a657d 58c593bc 5953af50
5b2ccfb9 5ddbfba2 60cb7187 61a15ccb 648636ee 68f833de 6af82abb 6eefe1f0 72e8c49d 76c44d1a 7aa1aaa5 7af09f98 7c318172
8175a55b 84eeec68 8a26b134 8b12e186 8d9b4205 8ecdb935 8fdc3450 930f246a 942d5686 97158b2f 9a71a416 9c95eae1 9d429167
a022908f a1f50f10 a3a1b8f9 a6001531 a9d884ba aa83f5b4 ae9f76b5 b1e3aeb0 b3a9f4c9 b560dba9 b7a86f49 b98681c7 be1916d0
bf7691b0 c00ae67f c0c4a829 c35e6e3e c6206312 c75139ef cab48752 ce9e1a58 d1ba6089 d2ce593b d3ce382f d7ec8003 d910b2b1
dabfee30 db45946a df33b111 e216ec50 e4537e78 e50ac10d e66a97b2 e856511a ead9464a ec486143 edd36ed8 ef6634ef f26f4c2c
f487cc82 f6863b83 f7eaaf42 f93ec5e6 fa751ff3 fc5452f6
"""


class DSB2018(DataSet):
    """110 grey pictures 256×256 with 2,991 nuclei, split 80 / 10 / 20 (Caicedo et al. 2019; BBBC038 of the Broad
    Institute, CC0), a mask file for each nucleus.

    They are a part of ``stage1_train``, of which other pictures are of other sizes and stains. Where two nuclei share a
    pixel (three do) it is that of the file with the later name. The mask is 1 where there is any nucleus.
    """

    targets = ("instances", "boxes", "mask")

    def __init__(
        self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None, target: str | None = None
    ) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror
        self.target = target

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, _samples)

    def chosen(self) -> tuple[str, ...]:
        return tuple(one for one in self.targets if one == self.target)

    def census(self) -> Census:
        return self._census

    @cached_property
    def _census(self) -> Census:
        samples, census = obtain(DOWNLOAD, self.mirror, _samples), Census()
        census.use(PICTURES, len(samples))
        census.use(OBJECTS, sum(len(sample.parts) for sample in samples))
        return census

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        samples = obtain(DOWNLOAD, self.mirror, _samples)[ENDS[split]]
        decoder = Decoder(
            tuple(samples),
            self.image_size,
            self.channels,
            boxed=self.target == "boxes",
            instanced=self.target == "instances",
            mask_values=_MASK_VALUES if self.target == "mask" else None,
        )
        return open_samples(decoder, self.in_memory)


def _samples(folder: Path) -> list[Sample]:
    """All pictures with the masks of their nuclei, in the order of the ids."""
    known = {path.name[:8]: path for path in folder.rglob("*/") if (path / "masks").is_dir()}
    samples = []
    for number in _IDS.split():
        inner = known.get(number)
        if inner is None:
            raise CorruptFile(f"{folder}: holds no picture {number}…")
        picture, parts = inner / "images" / f"{inner.name}.png", tuple(sorted((inner / "masks").glob("*.png")))
        if not picture.is_file() or not parts:
            raise CorruptFile(f"{inner}: holds no images/{inner.name}.png or no masks")
        samples.append(Sample(picture, picture.name, parts=parts, classes=(0,) * len(parts)))
    return samples


def _verify(folder: Path) -> None:
    nuclei = sum(len(sample.parts) for sample in _samples(folder))
    if nuclei != NUCLEI:
        log.warning("dsb2018: %d nuclei; the corrected annotation, which figures are of, has %d", nuclei, NUCLEI)


DOWNLOAD = Download(
    folder="dsb2018-nuclei",
    names=("stage1_train.zip", "stage1_train-subset110.tar.gz"),
    url="https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip",
    archive=True,
    instead="data=digit_scenes",
    verify=_verify,
)
