"""The Database of Faces of AT&T Laboratories Cambridge: forty people, ten pictures of each."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import Census, of_published
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, pillow_mode

PEOPLE, TAKES, WIDTH_PX, HEIGHT_PX = 40, 10, 92, 112
OF: dict[SplitName, range] = {"train": range(1, 25), "val": range(25, 33), "test": range(33, 41)}
"""The numbers of the people of each split; the publisher divides nothing."""


class Olivetti(DataSet):
    """400 grey pictures 92×112 of 40 people (Samaria and Harter 1994), split by person: 240 / 80 / 80.

    People 1 to 24 are trained on, the pairs of 25 to 32 choose the threshold, and 33 to 40 are tested. A picture's name
    is ``s7/3.pgm``, the third one of person 7. Pictures and names are read from the publisher's own archive.
    """

    targets = ("identity",)
    open_set = True

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, people_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(DOWNLOAD, self.mirror, lambda folder: self._open(people_folder(folder), split))

    def census(self) -> Census:
        return of_published(PEOPLE * TAKES, PEOPLE * TAKES, "pictures of olivetti")

    def columns(self, split: SplitName) -> dict[str, list[str]]:
        return {"person": [f"s{person}" for person in OF[split] for _ in range(TAKES)]}

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        samples = tuple(
            Sample(folder / name, name, label=person - 1, columns={"person": f"s{person}"})
            for person in OF[split]
            for name in _names(person)
        )
        return open_samples(Decoder(samples, self.image_size, self.channels), self.in_memory)


def people_folder(folder: Path) -> Path:
    """The folder that holds ``s1`` to ``s40``: the archive's own, or one inside it.

    Raises:
        CorruptFile: a picture of the 400 is missing.
    """
    for first in sorted(folder.rglob("s1")):
        inner = first.parent
        missing = [name for person in range(1, PEOPLE + 1) for name in _names(person) if not (inner / name).is_file()]
        if missing:
            raise CorruptFile(f"{missing[0]} is missing, of 40 people with ten pictures each")
        return inner
    raise CorruptFile(f"{folder}: holds no folder s1")


def _names(person: int) -> list[str]:
    return [f"s{person}/{take}.pgm" for take in range(1, TAKES + 1)]


def _verify(folder: Path) -> None:
    inner = people_folder(folder)
    for name in (name for person in range(1, PEOPLE + 1) for name in _names(person)):
        try:
            with Image.open(inner / name, formats=["PPM"]) as picture:
                picture.load()
                found = picture.mode, picture.size
        except (OSError, ValueError, SyntaxError) as error:
            raise CorruptFile(f"{name}: not a picture ({error})") from error
        if found != ("L", (WIDTH_PX, HEIGHT_PX)):
            raise CorruptFile(f"{name}: {found[0]} of {found[1]} pixels, not grey of {WIDTH_PX}×{HEIGHT_PX}")


DOWNLOAD = Download(
    folder="olivetti",
    names=("att_faces.zip", "att_faces.tar.gz"),
    url="https://www.cl.cam.ac.uk/Research/DTG/attarchive/pub/data/att_faces.zip",
    archive=True,
    instead="data=digit_identities task=metric",
    verify=_verify,
)
