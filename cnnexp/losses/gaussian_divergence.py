"""How far a Gaussian with a diagonal covariance is from the standard one."""

from __future__ import annotations

from torch import Tensor


def gaussian_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²)‖N(0, 1)) = (μ² + σ² - 1 - ln σ²) / 2 of each number, in nats and of the arguments' shape.

    Source: Kingma and Welling 2013, "Auto-encoding variational Bayes", appendix B.
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2
