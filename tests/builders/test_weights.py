from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnexp.builders.weights import load_checkpoint, load_weights
from cnnexp.errors import InputError


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_weights_of_both_files(tmp_path: Path) -> None:
    weight = torch.arange(3.0)
    torch.save({"net": {"a.weight": weight, "extra": {"note": 1}}, "epoch": 3}, tmp_path / "best.ckpt")
    torch.save({"state_dict": {"net.a.weight": weight, "means.loss": weight}}, tmp_path / "last.ckpt")
    for name in ("best", "last"):
        weights = load_weights(tmp_path / f"{name}.ckpt")
        assert list(weights) == ["a.weight"]
        assert torch.equal(weights["a.weight"], weight)


@pytest.mark.parametrize("in_zip", [True, False])
def test_a_pickle_does_not_run(tmp_path: Path, in_zip: bool) -> None:
    canary, path = tmp_path / "canary", tmp_path / "a.ckpt"
    if in_zip:
        torch.save({"net": {"w": Bomb(canary)}}, path)
    else:
        path.write_bytes(pickle.dumps({"net": Bomb(canary)}))
    with pytest.raises(InputError, match="nothing of it was run"):
        load_checkpoint(path)
    assert not canary.exists()
    if in_zip:
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())
    assert canary.exists(), "it was no bomb"


@pytest.mark.parametrize("content", [[1], {"net": 3}, {}, {"net": {3: torch.zeros(1)}}, {"state_dict": [1]}])
def test_what_holds_no_weights(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(InputError, match=r"a\.ckpt"):
        load_weights(tmp_path / "a.ckpt")
