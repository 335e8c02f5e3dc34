"""The adversarial loss against its formulas."""

from __future__ import annotations

import math

import pytest
import torch

from cnnexp.losses.adversarial import Adversarial


def test_a_discriminator_that_knows_nothing_loses_2_ln_2() -> None:
    term = Adversarial()(torch.zeros(5), {"real": torch.zeros(5)}, train=True)
    assert term.name == "discriminator"
    assert float(term.mean) == pytest.approx(2 * math.log(2))
    assert float(Adversarial()(torch.zeros(5), {}, train=True).mean) == pytest.approx(math.log(2))


def test_both_sides_are_the_papers_formulas() -> None:
    generator = torch.Generator().manual_seed(0)
    real, made = torch.randn(7, generator=generator).double(), torch.randn(7, generator=generator).double()
    d_real, d_made = 1 / (1 + (-real).exp()), 1 / (1 + (-made).exp())
    term = Adversarial()(made, {"real": real}, train=False)
    assert float(term.mean) == pytest.approx(float(-(d_real.log() + (1 - d_made).log()).mean()))
    assert term.count == 7
    generators = Adversarial()(made, {}, train=True)
    assert (generators.name, generators.count) == ("generator", 7)
    assert float(generators.mean) == pytest.approx(float(-d_made.log().mean()))
