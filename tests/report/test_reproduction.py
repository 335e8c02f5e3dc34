from __future__ import annotations

from pathlib import Path

from cnnexp.report.reproduction import changes, judge, siblings
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def run(record: MakeRecord, place: int, score: float, seed: int = 0, **settings: object) -> Record:
    metrics = {"test/accuracy": score, "test/loss": 1 - score}
    return record(f"20261121-09310{place}-a", metrics=metrics, seed=seed, **settings)


def test_equal_metrics_are_equal_to_the_bit(record: MakeRecord) -> None:
    found = judge(run(record, 0, 0.9), run(record, 1, 0.9), [])
    assert (found.same, found.said) == (True, "equal to the bit in all 2 metrics")
    almost = judge(run(record, 0, 0.9), run(record, 1, 0.9 + 1e-16 * 2), [])
    assert "equal to the bit in all" not in almost.said


def test_an_equal_score_beside_an_unequal_loss_is_said(record: MakeRecord) -> None:
    again = run(record, 1, 0.9)
    again.summary["metrics"]["test/loss"] = 0.11
    found = judge(run(record, 0, 0.9), again, [])
    assert found.same and found.said == "the score is equal to the bit; 1 of 2 metrics differ"


def test_a_difference_is_held_against_that_of_seeds(record: MakeRecord) -> None:
    others = [run(record, 2, 0.91, seed=1), run(record, 3, 0.89, seed=2), run(record, 4, 0.5, seed=3, lr=1.0)]
    within = judge(run(record, 0, 0.90), run(record, 1, 0.905), others)
    # sd 0.01 of three; t of 2 degrees of freedom is 4.3027; times sqrt(2) for two runs
    assert within.same and "within the noise of seeds: test/accuracy 0.9000 then, 0.9050 now" in within.said
    assert "0.06085" in within.said
    beyond = judge(run(record, 0, 0.90), run(record, 1, 0.80), others)
    assert beyond.same is False and "NOT reproduced" in beyond.said


def test_without_seeds_the_pictures_decide(record: MakeRecord, tmp_path: Path) -> None:
    found = {}
    for name, right in (("first", 90), ("close", 89), ("far", 60)):
        folder = tmp_path / name
        folder.mkdir()
        rows = [f"{i},x,{'x' if i < right else 'y'}" for i in range(100)]
        (folder / "predictions.csv").write_text("\n".join(["index,target,prediction", *rows, ""]))
        found[name] = run(record, len(found), right / 100, folder=folder)
    close = judge(found["first"], found["close"], [])
    assert close.same and "no more than chance on these test pictures" in close.said
    far = judge(found["first"], found["far"], [])
    assert far.same is False and "NOT reproduced" in far.said


def test_where_nothing_can_be_compared_nothing_is_claimed(record: MakeRecord) -> None:
    other = record("20261121-093109-a", metrics={"test/miou": 0.5})
    assert judge(run(record, 0, 0.9), other, []).same is None
    unknown = judge(run(record, 0, 0.9), run(record, 1, 0.8), [])
    assert unknown.same is None and "not equal" in unknown.said and "predictions.csv" in unknown.said


def test_siblings_differ_in_the_seed_alone(record: MakeRecord) -> None:
    first = run(record, 0, 0.9)
    others = [
        run(record, 1, 0.91, seed=1), run(record, 2, 0.91, seed=1), run(record, 3, 0.92, seed=2, outputs="elsewhere"),
        run(record, 4, 0.92, seed=3, lr=0.5), run(record, 5, 0.92, seed=4, status="failed"),
    ]  # fmt: skip
    assert [one.id[14] for one in siblings(first, others)] == ["0", "1", "3"]


def test_changes_of_code_and_versions_are_named(record: MakeRecord) -> None:
    first = run(record, 0, 0.9)
    first.run["git"] = {"commit": "a" * 40, "dirty": False}
    first.run["versions"] = {"python": "3.12.1", "torch": "2.14.0"}
    same = changes(first, {"commit": "a" * 40, "dirty": False}, {"python": "3.12.1", "torch": "2.14.0", "new": "1"})
    assert same == []
    assert changes(first, {"commit": "b" * 40, "dirty": True}, {"python": "3.12.1", "torch": "2.15.0"}) == [
        f"code: commit {'a' * 12} then, {'b' * 12} now",
        "code: there were changes that were not committed (git.diff), then or now",
        "torch: 2.14.0 then, 2.15.0 now",
    ]
    assert changes(first, None, {}) == ["code: the commit is known of one of the two only"]
