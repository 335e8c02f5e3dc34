"""SST-2: sentences of film reviews, and whether they praise."""

from __future__ import annotations

import numpy as np

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.published_texts import TextFile, text_split

_ADDRESS = (
    "https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/"
    "457ffd83de90a9d6d472d8ffc31bbffe40a8b236/data/SST2"
)
_MD5 = {
    "train": "c6150a821d5effe356ec872c2b95855c",
    "dev": "3f2a9a844576f2b5a7aeeac2ccbab1c7",
    "test": "f8f49ee1b37ec68b0e8977fbe33761e2",
}


def parse(line: str) -> tuple[str, int]:
    """A line such as ``a charming film<tab>1``: the sentence, and 1 where it praises."""
    sentence, label = line.split("\t")
    return sentence, ("0", "1").index(label.strip())


FILES = {
    part: TextFile((f"{part}.tsv",), "text/sst2", f"{_ADDRESS}/{part}.tsv", md5, parse) for part, md5 in _MD5.items()
}


class SST2(DataSet):
    """9,613 sentences, negative and positive: 6,920 / 872 / 1,821 as published, neutral ones left out.

    Socher et al. 2013, "Recursive deep models for semantic compositionality over a sentiment treebank". Whole sentences
    alone; the 67,349 phrases that some train with are no part of these files.

    Args:
        encoding: of the files; they are UTF-8.
    """

    targets = ("label",)

    def __init__(self, *, encoding: str, mirror: str | None) -> None:
        self.encoding, self.mirror = encoding, mirror

    def prepare(self) -> None:
        for file in FILES.values():
            file.ensure(self.mirror, self.encoding)

    def load(self, split: SplitName) -> TensorSplit:
        part = "dev" if split == "val" else split
        lines = FILES[part].read(self.mirror, self.encoding)
        return text_split(lines, np.arange(len(lines[1])), part)
