"""Where a run keeps its weights, for those who write them and those who read them."""

from __future__ import annotations

CHECKPOINTS = "checkpoints"
LAST = f"{CHECKPOINTS}/last.ckpt"
"""The whole state after the last save: a run goes on from it."""
BEST = f"{CHECKPOINTS}/best.ckpt"
"""The net's weights of the best epoch: what a run is tested with."""
BY_NAME = {"best": BEST, "last": LAST}
"""As ``--checkpoint`` names them."""
LEARNT = "input.json"
"""What the run's input learnt from its training samples, where it learns."""
