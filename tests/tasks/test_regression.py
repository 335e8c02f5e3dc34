"""Numbers learnt and judged: against NumPy, scipy and least squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from cnnexp.answers.value import Value
from cnnexp.losses.error_of_values import ErrorOfValues
from cnnexp.tasks.output import StepOutput
from cnnexp.tasks.regression import Regression
from tests.tasks import tiny

NAMES = ("width", "age")
VALUE = Value(NAMES, mean=[2.0, 1e6], std=[0.5, 10.0])
FACTS = replace(tiny.facts(), targets={"value": VALUE})


def task(net: nn.Module | None = None) -> Regression:
    given = net or tiny.linear_net(classes=2)
    return tiny.task(Regression, given, facts=FACTS, loss=ErrorOfValues(), target="value")


def batch(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    value = torch.randn(count, 2, generator=generator) * torch.tensor([0.5, 10.0]) + torch.tensor([2.0, 1e6])
    image = torch.rand(count, 1, tiny.SIDE, tiny.SIDE, generator=generator)
    return {"image": image, "value": value, "index": torch.arange(count)}


def test_the_net_learns_standardised_numbers_and_answers_in_units() -> None:
    made, given = task(), batch(5)
    output = made.step(given, "train")
    with torch.no_grad():
        raw = made.net(given["image"])
    standardised = (given["value"] - torch.tensor([2.0, 1e6])) / torch.tensor([0.5, 10.0])
    assert output.loss.item() == pytest.approx(((raw - standardised) ** 2).mean().item(), rel=1e-5)
    assert torch.allclose(output.predictions, raw * torch.tensor([0.5, 10.0]) + torch.tensor([2.0, 1e6]))
    assert np.allclose(made.predict(given)[3], output.predictions[3].numpy())


def test_metrics_are_numpys_and_scipys() -> None:
    """In two batches of different sizes; the second number is large beside its deviation."""
    made = task()
    metrics = made.build_metrics("test")
    generator = np.random.default_rng(0)
    true = generator.normal([2.0, 1e6], [0.5, 10.0], (40, 2))
    said = true + generator.normal(0, [0.2, 8.0], (40, 2))
    true, said = true.astype(np.float32), said.astype(np.float32)
    for part in (slice(0, 30), slice(30, 40)):
        made.update_metrics(metrics, StepOutput([], torch.from_numpy(said[part]), torch.from_numpy(true[part])))
    found = made.read_metrics(metrics, "test")
    true, said = true.astype(np.float64), said.astype(np.float64)
    mse = ((true - said) ** 2).mean(0)
    expected = {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "mae": np.abs(true - said).mean(0),
        "r2": 1 - mse / true.var(0),
        "spearman": np.array([spearmanr(true[:, k], said[:, k]).statistic for k in range(2)]),
    }
    for name, each in expected.items():
        assert found.vectors[name] == pytest.approx(each.tolist(), rel=1e-4), name
        assert found.values[name] == pytest.approx(each.mean(), rel=1e-4), name
    assert found.tables["pairs"].tolist() == np.concatenate([true, said], 1).tolist()


def test_training_has_no_ranks_to_keep() -> None:
    made = task()
    metrics = made.build_metrics("train")
    made.update_metrics(metrics, made.step(batch(4), "train"))
    found = made.read_metrics(metrics, "train")
    assert set(found.values) == {"mse", "rmse", "mae", "r2"} and not found.tables


def test_what_all_samples_share_has_no_r2() -> None:
    made = task()
    metrics = made.build_metrics("val")
    same = torch.tensor([[2.5, 1e6], [2.5, 1e6]])
    made.update_metrics(metrics, StepOutput([], same, same))
    found = made.read_metrics(metrics, "val")
    assert np.isnan(found.values["r2"]) and found.values["mse"] == 0


def test_a_linear_net_comes_to_least_squares() -> None:
    """Full-batch descent on the squared error, against the closed form on the same features."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(tiny.SIDE**2, 2))
    made, given = task(net), batch(200)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = made.step(given, "train").loss
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    features = np.concatenate([given["image"].flatten(1).double().numpy(), np.ones((200, 1))], 1)
    targets = given["value"].double().numpy()
    fitted = features @ np.linalg.lstsq(features, targets, rcond=None)[0]
    assert np.abs(made.step(given, "test").predictions.numpy() - fitted).max(0) == pytest.approx([0, 0], abs=0.2)
    assert np.abs((made.step(given, "test").predictions.numpy() - fitted)[:, 0]).max() < 5e-3


def test_rows_have_each_number_true_and_predicted() -> None:
    made, given = task(), batch(3)
    output = made.step(given, "test")
    rows = made.rows(given, output)
    assert list(rows) == ["index", "width_true", "width_predicted", "age_true", "age_predicted", "error"]
    error = ((output.predictions - given["value"]) / torch.tensor([0.5, 10.0])).square().mean(1).sqrt()
    assert rows["error"].tolist() == pytest.approx(error.tolist(), rel=1e-4)
