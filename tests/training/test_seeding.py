from __future__ import annotations

import pytest
import torch

from cnnexp.training.seeding import seed_step, step_seed
from tests.test_draws import MASK, splitmix64

CPU = torch.device("cpu")


@pytest.mark.parametrize("key", [(0, 0, 0, 0), (7, 3, 1250, 1), (2**31, 299, 10**6, 63)])
def test_a_seed_is_splitmix64_folded_over_its_key(key: tuple[int, int, int, int]) -> None:
    state = 0
    for part in key:
        state = splitmix64((state + part + 0x9E3779B97F4A7C15) & MASK)
    assert step_seed(*key) == state >> 1


def test_every_part_of_the_key_changes_the_seed() -> None:
    seeds = {step_seed(a, b, c, d) for a in range(6) for b in range(6) for c in range(6) for d in range(6)}
    assert len(seeds) == 6**4


def test_a_step_has_the_same_random_numbers_whatever_came_before() -> None:
    seed_step(1, 2, 3, 0, CPU)
    first = torch.rand(5)
    torch.rand(17)
    seed_step(1, 2, 3, 0, CPU)
    assert torch.equal(torch.rand(5), first)
    for other in ((2, 2, 3, 0), (1, 3, 3, 0), (1, 2, 4, 0), (1, 2, 3, 1)):
        seed_step(*other, CPU)
        assert not torch.equal(torch.rand(5), first)
