from __future__ import annotations

from pathlib import Path

from tests.data.tiny import check_idx_facts, first_training_labels, load_all, make_data_set


def test_facts(mirrored: Path) -> None:
    splits = load_all(make_data_set("mnist"))
    check_idx_facts("mnist", splits, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    assert first_training_labels(splits, 5) == [5, 0, 4, 1, 9]
