"""Where a run keeps its weights, for those who write them and those who read them."""

from __future__ import annotations

import re
from pathlib import Path

CHECKPOINTS = "checkpoints"
LAST = f"{CHECKPOINTS}/last.ckpt"
"""The whole state after the last save: a run goes on from it."""
BEST = f"{CHECKPOINTS}/best.ckpt"
"""The net's weights of the best epoch: what a run is tested with."""
BY_NAME = {"best": BEST, "last": LAST}
"""As ``--checkpoint`` names them."""
_OF_EPOCH = re.compile(r"epoch-(\d{4,})\.ckpt")
LEARNT = "input.json"
"""What the run's input learnt from its training samples, where it learns."""


def of_epoch(epoch: int) -> str:
    """Where the weights after an epoch stay, counted from 1, with ``checkpoint.keep=epochs``."""
    return f"{CHECKPOINTS}/epoch-{epoch:04d}.ckpt"


def kept_epochs(folder: Path) -> dict[int, str]:
    """The epochs of which a run's folder has the weights, ascending, with the name of each file in it."""
    found = (_OF_EPOCH.fullmatch(path.name) for path in (folder / CHECKPOINTS).glob("epoch-*.ckpt"))
    return {epoch: of_epoch(epoch) for epoch in sorted(int(one[1]) for one in found if one)}
