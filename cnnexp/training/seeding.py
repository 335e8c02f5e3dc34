"""Random numbers of a training step as a function of (seed, epoch, step, rank)."""

from __future__ import annotations

import torch

_MASK = (1 << 64) - 1


def step_seed(seed: int, epoch: int, step: int, rank: int) -> int:
    """A 63-bit seed, mixed from the four by splitmix64."""
    state = 0
    for part in (seed, epoch, step, rank):
        state = (state + part + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


def seed_step(seed: int, epoch: int, step: int, rank: int, device: torch.device) -> None:
    """Set torch's generators for one step (``torch.manual_seed`` would take a hundred times as long)."""
    value = step_seed(seed, epoch, step, rank)
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(value)
