"""Which loop goes over the batches of an epoch: the direct one where Lightning is a known one, else its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl

TRIED = ("2.6",)
"""Lightning's minor releases that both loops come to the same weights with; pyproject.toml lets no other in."""


def go_directly(trainer: pl.Trainer, say: Callable[[str], None]) -> None:
    """Give a trainer the direct loop, where it fits: several processes have more to agree on at every step.

    Args:
        say: told in a line where Lightning is an unknown one, whose own loop then stays: slower, to the same weights.
    """
    if trainer.world_size > 1:
        return
    if not pl.__version__.startswith(tuple(f"{release}." for release in TRIED)):
        say(_stays(f"was tried with {', '.join(TRIED)}"))
        return
    try:  # classes without a promise: another patch release may have moved them
        from cnnexp.fit.direct_loop import DirectLoop
    except ImportError as error:
        say(_stays(f"does not find its parts: {error}"))
        return
    lightning: Any = trainer.fit_loop.epoch_loop
    trainer.fit_loop.epoch_loop = DirectLoop(trainer, lightning.min_steps, lightning.max_steps)


def _stays(why: str) -> str:
    return f"Lightning {pl.__version__}: its own loop is used, hardware.loop=direct {why}"
