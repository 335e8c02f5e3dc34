from __future__ import annotations

from pathlib import Path

from tests.data.tiny import check_idx_facts, first_training_labels, load_all, make_data_set


def test_facts(mirrored: Path) -> None:
    splits = load_all(make_data_set("fashion_mnist"))
    check_idx_facts("fashion_mnist", splits, [1000] * 10)
    assert first_training_labels(splits, 5) == [9, 0, 0, 3, 0]
