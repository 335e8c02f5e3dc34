"""Squared error and PSNR against numpy, beside principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from sklearn.decomposition import PCA
from torch import nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.inputs.degraded import GIVEN
from cnnexp.losses.sparsity import activity_divergence
from cnnexp.models.dense_autoencoder import DenseAutoencoder
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.training.learner import Learner
from cnnexp.training.pca import pca_error
from tests.augmentation.made import engine
from tests.tasks import tiny


def autoencoder(net: nn.Module | None = None, **changes: object) -> TaskModule:
    return tiny.alone(tiny.module(Autoencoder, net or tiny.ShallowAutoencoder(), **changes))


@torch.no_grad()
def test_errors_are_those_of_all_pixels_of_all_pictures() -> None:
    made, batches = autoencoder(), [tiny.batch(7, 1), tiny.batch(2, 2)]
    for batch in batches:
        made.test_step(batch, 0)
    made.on_test_epoch_end()
    images = np.concatenate([batch["image"].numpy() / 255 for batch in batches])
    rebuilt = made.net(torch.from_numpy(images).float()).double().numpy()
    error = np.square(images - rebuilt).mean()
    assert made.results["test/mse"] == pytest.approx(error, rel=1e-5)
    assert made.results["test/loss"] == pytest.approx(error, rel=1e-5)
    assert made.results["test/psnr"] == pytest.approx(10 * np.log10(1 / error), rel=1e-5)
    each = np.square(images - rebuilt).mean((1, 2, 3))
    assert made.predictions["mse"] == pytest.approx(each[np.argsort([*range(7), *range(2)], kind="stable")], rel=1e-4)


def test_training_measures_the_loss_alone() -> None:
    made = autoencoder()
    made.training_step(tiny.batch(4), 0)
    made.read("train")
    assert set(made.results) == {"train/loss"}


def test_the_reference_is_pca_with_as_many_components() -> None:
    task, data = tiny.task(Autoencoder, tiny.ShallowAutoencoder()), tiny.picture_data(train=90, test=30)
    splits = data.split("train"), np.arange(90), data.split("test")
    assert task.reference(data) == {"pca_mse": pca_error(*splits, components=4, pixels=lambda batch: batch["image"])}
    assert tiny.task(Autoencoder, nn.Sigmoid()).reference(data) == {}


def test_a_prediction_is_a_picture() -> None:
    class Bright(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 - 0.1

    image = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(1, 1, 2, 2)
    (prediction,) = tiny.task(Autoencoder, Bright()).predict({"image": image})
    assert prediction.shape == (2, 2, 1) and prediction.dtype == np.uint8
    assert prediction.ravel().tolist() == [0, round(0.4 * 255), round(0.9 * 255), 255]


def test_the_reference_sees_as_much_of_a_picture_as_the_net() -> None:
    """Stored two pixels larger, and the edge is cut off."""
    stored = [torch.randint(256, (count, 1, 10, 10), dtype=torch.uint8) for count in (90, 30)]
    train, test = (TensorSplit({"image": image}) for image in stored)
    cut, cut_test = (TensorSplit({"image": image[:, :, 1:9, 1:9]}) for image in stored)
    facts = tiny.facts(decode_size=(10, 10))
    data = tiny.picture_data(dataset=tiny.Given(train=train, test=test), facts=facts)
    task = tiny.task(Autoencoder, tiny.ShallowAutoencoder(), facts=facts)
    expected = pca_error(cut, np.arange(90), cut_test, components=4, pixels=lambda batch: batch["image"])
    assert task.reference(data) == {"pca_mse": expected}


def test_pictures_with_noise_are_held_against_those_without() -> None:
    def trained(augmentation: Augmentation | None) -> float:
        made = autoencoder(Same(), augmentation=augmentation)
        made.training_step(tiny.batch(6, 1), 0)
        made.read("train")
        return made.results["train/loss"]

    class Same(nn.Module):
        """What comes in, so that the loss is what lies between input and target."""

        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.factor

    assert trained(None) == trained(engine(crop={"padding": 2}, brightness={"amount": 0.2})) == 0
    assert trained(engine(noise={"sigma": 0.2})) == pytest.approx(0.2**2, rel=0.1)


def square(**changes: Any) -> DenseAutoencoder:
    given: dict[str, Any] = dict(
        in_channels=1, image_size=(tiny.SIDE, tiny.SIDE), hidden=(), bottleneck=4, decoder=None, tied=False,
        activation="linear", leaky_slope=None, output="linear",
    )  # fmt: skip
    torch.manual_seed(0)
    return DenseAutoencoder(**(given | changes))


def test_a_linear_autoencoder_finds_the_plane_of_pca() -> None:
    """Baldi and Hornik 1989: the error has no other minimum."""
    generator = np.random.default_rng(0)
    base = generator.normal(size=(8, tiny.SIDE**2)) * 1.5 ** -np.arange(8)[:, None]
    values = 128 + 25 * generator.normal(size=(300, 8)) @ base
    pictures = torch.from_numpy(values.clip(0, 255).astype(np.uint8)).view(300, 1, tiny.SIDE, tiny.SIDE)
    split, net, x = TensorSplit({"image": pictures}), square().double(), pictures.double() / 255
    optimizer = torch.optim.LBFGS(
        net.parameters(), max_iter=150, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    task = tiny.task(Autoencoder, net)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        error = task.step({"image": x, "index": torch.arange(300)}, "train").loss
        error.backward()
        return error

    optimizer.step(closure)  # type: ignore[arg-type]
    best = pca_error(split, np.arange(300), split, components=4, pixels=lambda batch: batch["image"])
    assert best is not None and best > 1e-5
    assert float(closure().detach()) == pytest.approx(best, rel=0.02)


def disturbed(**how: float) -> Autoencoder:
    return Autoencoder(tiny.parts(Autoencoder, nn.Identity()), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{"noise": 0.3}, {"mask": 0.5}])
def test_what_goes_in_is_disturbed_and_what_is_asked_for_is_not(how: dict[str, float]) -> None:
    task, batch = disturbed(**how), tiny.batch(6)
    clean = batch["image"] / 255
    whole = task.prepare(dict(batch), True, 3)
    torch.testing.assert_close(whole["image"], clean)
    assert not torch.allclose(whole[GIVEN], clean)
    part = task.prepare({name: value[2:4] for name, value in batch.items()}, True, 3)
    assert torch.equal(part[GIVEN], whole[GIVEN][2:4]), "of the sample, in whatever batch"
    assert torch.equal(task.prepare(dict(batch), True, 3)[GIVEN], whole[GIVEN])
    assert not torch.equal(task.prepare(dict(batch), True, 4)[GIVEN], whole[GIVEN])
    fixed = [task.truth(task.prepare(dict(batch), False, epoch))[GIVEN] for epoch in (0, 3)]
    assert torch.equal(*fixed) and not torch.equal(fixed[0], whole[GIVEN])
    error = task.step(task.prepare(dict(batch), False), "val").loss  # the net answers what it is given
    assert error.item() == pytest.approx(float((fixed[0] - clean).square().mean()), rel=1e-6)


def test_a_denoiser_in_double_precision_answers_what_was_disturbed_before_it_was_prepared() -> None:
    """As the pictures of a run's test are drawn."""
    task = Autoencoder(tiny.parts(Autoencoder, square()), noise=0.3)
    batch = task.truth(task.preparation.stored(tiny.batch(4)))
    single = task.predict(task.prepare(batch, train=False))
    double = task.double().predict(task.prepare(batch, train=False))
    assert np.abs(np.stack(double).astype(int) - np.stack(single)).max() <= 1


def test_beside_a_denoiser_there_are_the_noisy_picture_a_median_and_pca_of_the_noisy_picture() -> None:
    task, data = Autoencoder(tiny.parts(Autoencoder, square()), noise=0.2), tiny.picture_data(train=90, test=30)
    task.read_metrics({"mse": MeanOf(0.02)}, "test")
    found = task.reference(data)
    test = data.split("test").batch(torch.arange(30))
    clean = (test["image"] / 255).double()
    given = task.truth(test)[GIVEN].double()
    median = scipy.ndimage.median_filter(given.numpy(), size=(1, 1, 3, 3), mode="reflect")
    for name, shown in (("noisy", given.numpy()), ("median", median)):
        error = np.square(shown - clean.numpy()).mean()
        assert found[f"{name}_psnr"] == pytest.approx(10 * np.log10(1 / error), rel=1e-6)
    train = data.split("train").batch(torch.arange(90))["image"].flatten(1).double().numpy() / 255
    pca = PCA(4, svd_solver="full").fit(train)
    rebuilt = pca.inverse_transform(pca.transform(given.flatten(1).numpy()))
    error = np.square(rebuilt - clean.flatten(1).numpy()).mean()
    assert found["pca_mse"] == pytest.approx(error, rel=1e-6)
    assert found["mse_over_pca"] == pytest.approx(0.02 / error, rel=1e-6)


class MeanOf:
    def __init__(self, value: float) -> None:
        self.value = value

    def compute(self) -> float:
        return self.value


def test_sparsity_is_learnt_beside_the_loss_and_measured() -> None:
    net = square(sparsity=0.1)
    made = Autoencoder(tiny.parts(Autoencoder, net), sparsity=0.1, sparsity_weight=0.5)
    module = tiny.alone(TaskModule(made, Learner(made, tiny.recipe())))
    batch = tiny.batch(8)
    with torch.no_grad():
        code = net.encode(batch["image"] / 255)
        divergence = float(activity_divergence(code, 0.1))
        error = float((net.decode(code) - batch["image"] / 255).square().mean())
    module.training_step(batch, 0)
    module.read("train")
    assert module.results["train/sparsity"] == pytest.approx(0.5 * divergence, rel=1e-5)
    assert module.results["train/loss"] == pytest.approx(error, rel=1e-5)
    after = float(activity_divergence(net.encode(batch["image"] / 255), 0.1).detach())
    assert after < divergence, "a step goes there"
    output = made.step(made.prepare(batch, False), "val")
    metrics = made.build_metrics("val")
    made.update_metrics(metrics, output)
    activity = made.read_metrics(metrics, "val").values["activity"]
    assert activity == pytest.approx(float(net.encode(batch["image"] / 255).mean().detach()), rel=1e-5)


def test_a_batch_with_a_mean_activity_is_not_cut() -> None:
    made = Autoencoder(tiny.parts(Autoencoder, square(sparsity=0.1)), sparsity=0.1)
    with pytest.raises(InputError, match="accumulate=2"):
        Learner(made, tiny.recipe(accumulate=2))


@pytest.mark.parametrize(
    ("how", "augmentation", "line"),
    [
        ({"noise": 0.1, "mask": 0.5}, {}, r"task.noise=0.1 and task.mask=0.5: take one of them"),
        ({"noise": 0.1}, {"noise": {"sigma": 0.2}}, "task.noise: the augmentation puts noise or holes"),
        ({"mask": 0.1}, {"cutout": {"size": 0.2}}, "task.mask: the augmentation puts noise or holes"),
    ],
)
def test_what_disturbs_twice_is_refused(how: dict[str, float], augmentation: dict[str, Any], line: str) -> None:
    made = engine(**augmentation) if augmentation else None
    with pytest.raises(InputError, match=line):
        Autoencoder(tiny.parts(Autoencoder, nn.Identity(), augmentation=made), **how)  # type: ignore[arg-type]
