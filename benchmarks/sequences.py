"""Which sequence is easier to remember: random and regular numbers through the same bottleneck.

    python benchmarks/sequences.py

Twenty numbers in [0, 1] each, 2,000 sequences to learn and 1,000 others to test. What is printed is the part of the
variance that does not come back, 0 is a perfect memory and 1 that of the mean.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cnnexp.models.dense_autoencoder import DenseAutoencoder

LENGTH, TRAIN, TEST = 20, 2000, 1000
CODES = (1, 2, 4, 8)
STEPS, RATE = 1500, 0.003


def random(count: int, generator: torch.Generator) -> Tensor:
    """Every number on its own."""
    return torch.rand(count, LENGTH, generator=generator)


def even_steps(count: int, generator: torch.Generator) -> Tensor:
    """From one number to another in equal steps: two numbers say all."""
    first, last = torch.rand(2, count, 1, generator=generator)
    return first + (last - first) * torch.linspace(0, 1, LENGTH)


def up_and_down(count: int, generator: torch.Generator) -> Tensor:
    """A wave of any phase and of one to two periods: two numbers say all, but no plane holds them."""
    phase, periods = torch.rand(2, count, 1, generator=generator)
    return 0.5 + 0.5 * (2 * torch.pi * (phase + (1 + periods) * torch.linspace(0, 1, LENGTH))).sin()


def forgotten(train: Tensor, test: Tensor, code: int) -> float:
    """The test's squared error over its variance, after training."""
    torch.manual_seed(0)
    net = DenseAutoencoder(
        in_channels=1,
        image_size=(1, LENGTH),
        hidden=(64, 64),
        bottleneck=code,
        decoder=None,
        tied=False,
        activation="relu",
        leaky_slope=None,
        output="linear",
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for step in range(STEPS):
        part = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(step))[:200]]
        optimizer.zero_grad()
        (net(part) - part).square().mean().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return float((net(test) - test).square().mean() / (test - train.mean(0)).square().mean())


def of_components(train: Tensor, test: Tensor, code: int) -> float:
    """The same for as many principal components."""
    mean = train.mean(0)
    basis = torch.linalg.svd(train - mean, full_matrices=False).Vh[:code]
    centred = test - mean
    return float((centred - centred @ basis.T @ basis).square().mean() / centred.square().mean())


def main() -> None:
    print(f"{'numbers in the code':<22}" + "".join(f"{code:>8}" for code in CODES))
    for kind in (random, even_steps, up_and_down):
        generator = torch.Generator().manual_seed(0)
        splits = [made.view(-1, LENGTH) for made in (kind(TRAIN, generator), kind(TEST, generator))]
        pictures = [one.view(-1, 1, 1, LENGTH) for one in splits]
        name = kind.__name__.replace("_", " ")
        print(f"{name:<22}" + "".join(f"{forgotten(*pictures, code):8.4f}" for code in CODES))
        print(f"{'  PCA':<22}" + "".join(f"{of_components(*splits, code):8.4f}" for code in CODES))


if __name__ == "__main__":
    main()
