"""The evidence lower bound by hand, noise that belongs to the sample, and numbers of the code that say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal

from cnnexp.fit.module import TaskModule
from cnnexp.models.vae import VAE
from cnnexp.tasks.generating import Generating, noise_of
from cnnexp.tasks.vae import VariationalAutoencoder
from cnnexp.training.learner import Learner
from tests.augmentation.made import engine
from tests.tasks import tiny


def task(beta: float = 1.0, net: nn.Module | None = None, **changes: Any) -> VariationalAutoencoder:
    torch.manual_seed(0)
    made = net or VAE(
        in_channels=1, image_size=(tiny.SIDE, tiny.SIDE), bottleneck=3, kind="mlp", hidden=(10,), width=None
    )
    return VariationalAutoencoder(tiny.parts(VariationalAutoencoder, made, **changes), beta=beta)


def after_a_test(made: VariationalAutoencoder, batches: list[dict[str, Tensor]]) -> TaskModule:
    module = tiny.alone(TaskModule(made, Learner(made, tiny.recipe()))).eval()
    with torch.no_grad():
        for batch in batches:
            module.test_step(batch, 0)
    module.on_test_epoch_end()
    return module


@torch.no_grad()
def test_the_bound_is_that_of_torchs_distributions() -> None:
    """ln p(x|z) + ln p(z) - ln q(z|x), a mean over many draws of z."""
    made, batch = task().eval(), tiny.batch(2)
    picture = (batch["image"] / 255).double()
    net: Any = made.net.double()
    mean, log_variance = net.encode(picture)
    posterior = Normal(mean, (log_variance / 2).exp())
    torch.manual_seed(1)
    z = posterior.sample((4000,))
    logits = net.decode(z.flatten(0, 1)).unflatten(0, (4000, 2))
    grey = Bernoulli(logits=logits, validate_args=False).log_prob(picture).flatten(2).sum(2)
    bound = (grey + Normal(0.0, 1.0).log_prob(z).sum(2) - posterior.log_prob(z).sum(2)).mean()
    many = {"image": picture.repeat(500, 1, 1, 1), "index": torch.arange(1000)}  # each index has a noise of its own
    drawn = made.prepare({**many, "image": batch["image"].repeat(500, 1, 1, 1)}, False)
    assert made.step({**drawn, **many}, "val").loss.item() == pytest.approx(-float(bound), rel=1e-3)


def test_noise_belongs_to_the_sample_and_the_epoch() -> None:
    made, batch = task(), tiny.batch(6)

    def learnt(which: slice, epoch: int) -> Tensor:
        part = {name: value[which] for name, value in batch.items()}
        output = made.step(made.prepare(part, True, epoch), "train")
        return torch.stack([one.mean for one in output.terms])

    halves = (learnt(slice(0, 3), 2) + learnt(slice(3, 6), 2)) / 2
    torch.testing.assert_close(halves, learnt(slice(0, 6), 2))
    assert not torch.equal(learnt(slice(0, 6), 2), learnt(slice(0, 6), 3))
    fixed = [made.step(made.prepare(batch, False, epoch), "val").loss for epoch in (0, 5)]
    assert torch.equal(*fixed)


def test_noise_of_an_augmentation_is_not_in_what_is_asked_for() -> None:
    """Beyond [0, 1] the cross entropy has no least value."""
    made, batch = task(augmentation=engine(noise={"sigma": 0.5})), tiny.batch(6)
    prepared = made.prepare(dict(batch), True, 1)
    assert prepared["image"].max() > 1
    output = made.step(prepared, "train")
    torch.testing.assert_close(output.targets, batch["image"] / 255)
    logits = output.predictions["logits"]
    nats = nn.functional.binary_cross_entropy(logits.sigmoid(), batch["image"] / 255, reduction="sum") / 6
    assert output.terms[0].mean.item() == pytest.approx(nats.item(), rel=1e-5)


def test_beta_weighs_the_divergence_and_the_bound_stays_what_it_is() -> None:
    batches = [tiny.batch(5, 1), tiny.batch(2, 2)]
    plain, pressed = (after_a_test(task(beta), batches).results for beta in (1.0, 4.0))
    assert plain["test/loss"] == plain["test/negative_elbo"]
    assert plain["test/loss"] == pytest.approx(plain["test/bernoulli"] + plain["test/kl"])
    assert pressed["test/kl"] == pytest.approx(plain["test/kl"])
    assert pressed["test/beta_kl"] == pytest.approx(4 * plain["test/kl"])
    assert pressed["test/negative_elbo"] == pytest.approx(plain["test/negative_elbo"])
    assert pressed["test/loss"] == pytest.approx(plain["test/bernoulli"] + 4 * plain["test/kl"])


def test_a_row_for_each_picture_adds_up_to_the_bound() -> None:
    module = after_a_test(task(), [tiny.batch(5, 1)])
    rows = module.predictions
    assert np.mean(rows["bernoulli"] + rows["kl"]) == pytest.approx(module.results["test/negative_elbo"], rel=1e-5)
    assert rows["code"].shape == (5, 3)


class OneOfThree(nn.Module):
    """Of the code's numbers two are the prior whatever is shown, and one is not."""

    bottleneck = 3

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(()))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = torch.zeros(len(x), 3)
        mean[:, 1] = x.flatten(1).mean(1) * 10
        return mean, torch.zeros(len(x), 3)

    def decode(self, z: Tensor) -> Tensor:
        return (z.sum(1) + self.level)[:, None, None, None].expand(-1, 1, tiny.SIDE, tiny.SIDE)


def test_collapsed_numbers_are_counted() -> None:
    module = after_a_test(task(net=OneOfThree()), [tiny.batch(4)])
    assert module.counts == {"numbers of the code": {"in use": 1, "collapsed (KL below 0.01 nats)": 2}}


def test_pictures_are_made_of_noise_by_its_seed() -> None:
    made = task().eval()
    assert isinstance(made, Generating)
    few, many, other = made.generate(3, 5), made.generate(300, 5), made.generate(3, 6)
    assert len(many) == 300 and few[0].shape == (tiny.SIDE, tiny.SIDE, 1) and few[0].dtype == np.uint8
    assert all((one == two).all() for one, two in zip(few, many, strict=False))
    assert not all((one == two).all() for one, two in zip(few, other, strict=True))


def test_the_noise_is_standard_normal() -> None:
    noise = noise_of(5000, 20, seed=0).double()
    assert abs(float(noise.mean())) < 0.015 and float(noise.std()) == pytest.approx(1, abs=0.01)


def test_the_map_is_even_in_the_priors_probability() -> None:
    across, _ = task().map_axes(np.zeros((1, 2)))
    parts = Normal(0.0, 1.0).cdf(torch.from_numpy(across))
    np.testing.assert_allclose(np.diff(parts.numpy()), 1 / len(across), rtol=1e-9)


def test_what_is_drawn_of_a_test() -> None:
    data, made = tiny.picture_data(train=20, test=30), task().eval()
    module = after_a_test(made, [data.split("test").batch(torch.arange(30))])
    assert set(made.gallery(data, module.predictions)) == {"samples", "interpolation", "codes", "neighbours"}
