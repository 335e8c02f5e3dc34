"""The closed form against a mean over many draws, and against torch's."""

from __future__ import annotations

import torch
from torch.distributions import Normal, kl_divergence

from cnnexp.losses.gaussian_divergence import gaussian_divergence


def test_it_is_the_mean_of_what_is_drawn() -> None:
    """KL = E_q[ln q(z) - ln p(z)], over many draws."""
    mean, log_variance = torch.tensor([0.0, 1.5, -0.7]), torch.tensor([0.0, -2.0, 0.8])
    drawing, prior = Normal(mean.double(), (log_variance.double() / 2).exp()), Normal(0.0, 1.0)
    torch.manual_seed(0)
    z = drawing.sample((200_000,))
    found = (drawing.log_prob(z) - prior.log_prob(z)).mean(0)
    torch.testing.assert_close(gaussian_divergence(mean, log_variance).double(), found, atol=1e-2, rtol=0)


def test_it_is_the_one_of_torch() -> None:
    mean, log_variance = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_divergence(mean, log_variance), theirs)
