from __future__ import annotations

import pytest

from cnnexp.errors import InputError
from cnnexp.report.score_over import lines_over
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def runs(record: MakeRecord) -> list[Record]:
    """Two nets with two learning rates; the first net twice, with other seeds."""
    made = []
    for place, (model, lr, seed, accuracy) in enumerate(
        [("lenet5", 0.1, 0, 0.9), ("lenet5", 0.1, 1, 0.8), ("lenet5", 0.01, 0, 0.7), ("resnet20", 0.1, 0, 0.6)]
    ):
        metrics = {"test/accuracy": accuracy, "test/loss": 1 - accuracy}
        made.append(record(f"20261121-09310{place}-a", model=model, lr=lr, seed=seed, metrics=metrics))
    return made


def test_a_line_for_each_net_and_repeated_seeds_at_one_place(record: MakeRecord) -> None:
    name, lines = lines_over([*runs(record), record("20261121-093109-b", lr=0.3)], "optimizer.lr", None)
    assert name == "test/accuracy"
    assert {line.label: line.points for line in lines} == {
        "model=lenet5": ((0.01, (0.7,)), (0.1, (0.9, 0.8))),
        "model=resnet20": ((0.1, (0.6,)),),
    }


def test_a_seed_that_ran_twice_counts_once_and_unfinished_runs_not_at_all(record: MakeRecord) -> None:
    """Seed 0 has 0.8 and 0.6, seed 1 has 0.9: the mean is 0.8, not 0.7667 over three."""
    made = [
        record(f"20261121-09310{place}-a", lr=0.1, seed=seed, status=status, partial=partial, metrics=metrics)
        for place, (seed, status, partial, metrics) in enumerate(
            [
                (0, "finished", False, {"test/accuracy": 0.8}),
                (0, "finished", False, {"test/accuracy": 0.6}),
                (1, "finished", False, {"test/accuracy": 0.9}),
                (2, "interrupted", False, {"test/accuracy": 0.1}),
                (3, "finished", True, {"test/accuracy": 0.2}),
            ]
        )
    ]
    (line,) = lines_over(made, "optimizer.lr", None)[1]
    assert line.points == ((0.1, (pytest.approx(0.7), 0.9)),)
    assert line.estimates[0.1].mean == pytest.approx(0.8)
    # Student's t for one degree of freedom is 12.706; sd = 0.2 / √2, divided by √2
    assert line.estimates[0.1].high == pytest.approx(0.8 + 12.7062 * 0.1, abs=1e-4)


def test_another_metric(record: MakeRecord) -> None:
    name, lines = lines_over(runs(record)[3:], "optimizer.lr", "test/loss")
    assert (name, [line.label for line in lines]) == ("test/loss", [""])
    assert lines[0].points == ((0.1, (pytest.approx(0.4),)),)


def test_as_few_keys_as_tell_the_runs_apart_and_a_path_by_its_end(record: MakeRecord) -> None:
    metrics = {"test/accuracy": 0.5}
    first = record("20261121-093101-a", of_model={"weights": "/far/away/net.pth"}, optimizer="sgd", metrics=metrics)
    second = record("20261121-093102-a", of_model={"weights": None}, metrics=metrics)
    words = {line.label for line in lines_over([first, second], "epochs", None)[1]}
    assert words == {"optimizer=sgd", "optimizer=adam"}
    third = record("20261121-093103-a", of_model={"weights": "/far/away/net.pth"}, metrics=metrics)
    words = {line.label for line in lines_over([second, third], "epochs", None)[1]}
    assert words == {"model.weights=null", "model.weights=net.pth"}


@pytest.mark.parametrize(
    ("over", "metric", "says"),
    [
        ("optimizer.l", None, "--over optimizer.l: no run has a number there; did you mean optimizer.lr?"),
        ("model", None, "--over model: no run has a number there"),
        ("optimizer.lr", "test/acuracy", "--metric test/acuracy: no finished run has it; did you mean test/accuracy?"),
    ],
)
def test_what_no_run_has(record: MakeRecord, over: str, metric: str | None, says: str) -> None:
    with pytest.raises(InputError) as refused:
        lines_over(runs(record), over, metric)
    assert str(refused.value).startswith(says)


def test_runs_without_scores_and_too_many_kinds(record: MakeRecord) -> None:
    with pytest.raises(InputError, match="none of these runs has a score"):
        lines_over([record()], "optimizer.lr", None)
    many = [
        record(f"20261121-09310{place}-a", of_model={"width": place}, metrics={"test/accuracy": 0.5})
        for place in range(8)
    ]
    with pytest.raises(InputError, match="8 kinds of runs are too many lines"):
        lines_over(many, "optimizer.lr", None)
