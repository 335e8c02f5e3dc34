from __future__ import annotations

import pickle

import pytest
import torch

from cnnexp.data import memory
from cnnexp.data.memory import fits_in_memory, fitted_split


def tensors(count: int = 5) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "image": torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator),
        "mask": torch.randint(0, 3, (count, 8, 8), dtype=torch.uint8, generator=generator),
        "boxes": torch.tensor([[[0.0, 0.0, 8.0, 4.0]]]).repeat(count, 1, 1),
        "classes": torch.zeros(count, 1, dtype=torch.int64),
    }


def test_the_budget_is_one_gibibyte() -> None:
    assert fits_in_memory(2**20, (32, 32), 1)
    assert not fits_in_memory(2**20 + 1, (32, 32), 1)


def test_nothing_is_copied_at_the_original_size() -> None:
    original = tensors()
    assert fitted_split(original, (8, 8), 1).tensors["image"] is original["image"]


def test_everything_is_resized_together() -> None:
    split = fitted_split(tensors(), (16, 24), 3)
    batch = split.batch([2])
    assert split.transform is None
    assert batch["image"].shape == (1, 3, 16, 24)
    assert batch["mask"].shape == (1, 16, 24)
    assert batch["boxes"].tolist() == [[[0.0, 0.0, 24.0, 8.0]]]


def test_what_would_be_too_large_is_resized_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    held = fitted_split(tensors(), (16, 24), 3).batch([1, 4])
    monkeypatch.setattr(memory, "MEMORY_BUDGET", 1000)
    split = pickle.loads(pickle.dumps(fitted_split(tensors(), (16, 24), 3)))
    assert split.tensors["image"].shape == (5, 1, 8, 8)
    for key, value in split.batch([1, 4]).items():
        assert torch.equal(value, held[key]), key
