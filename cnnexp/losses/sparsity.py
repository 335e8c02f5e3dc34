"""How far the mean activity of a code's units is from a small wished one."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST = 1e-6
"""A mean activity nearer to 0 or 1 is taken for this near, so that its logarithm is finite."""


def activity_divergence(activity: Tensor, wished: float) -> Tensor:
    """The sum over units of KL(ρ‖ρ̂) = ρ ln(ρ/ρ̂) + (1 - ρ) ln((1 - ρ)/(1 - ρ̂)), a scalar in nats.

    Source: Ng, "Sparse autoencoder" (CS294A lecture notes), section 3. There ρ̂ is a mean over all training samples;
    here it is one over the batch.

    Args:
        activity: of each unit and sample, (B, d) in [0, 1]; ρ̂ is its mean over samples. wished: ρ, in (0, 1).
    """
    precise = torch.promote_types(activity.dtype, torch.float32)  # in half precision 1 - 1e-6 is 1
    mean = activity.mean(0, dtype=precise).clamp(_LEAST, 1 - _LEAST)
    on = wished * (wished / mean).log()
    off = (1 - wished) * ((1 - wished) / (1 - mean)).log()
    return (on + off).sum()
