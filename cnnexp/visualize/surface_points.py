"""Finished points of a loss surface in a file, so that what was stopped goes on, and only for the same weights."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError
from cnnexp.runs.atomic import write_json

if TYPE_CHECKING:
    from torch import Tensor

Point = tuple[float, ...]


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Of names and values."""
    from safetensors.torch import save

    held = {name: one.detach().cpu().clone().contiguous() for name, one in tensors.items()}
    return hashlib.sha256(save(held)).hexdigest()


class SurfacePoints:
    """Losses by point. Each new one is written, with all before it, before the next is begun.

    Args:
        folder: where the file lies; None keeps nothing. bound: what the losses are of (a digest of the weights, the
            samples, the directions), as JSON has it; each has a file of its own.

    Raises:
        InputError: the file is damaged, or of something else.
    """

    def __init__(self, folder: Path | None, bound: Mapping[str, Any]) -> None:
        self._bound = dict(bound)
        self._known: dict[Point, float] = {}
        self.path: Path | None = None
        if folder is not None:
            digest = hashlib.sha256(json.dumps(self._bound, sort_keys=True).encode()).hexdigest()
            self.path = folder / f"loss_surface.{digest[:12]}.json"
            if self.path.exists():
                self._known = self._read(self.path)

    def __contains__(self, point: Point) -> bool:
        return point in self._known

    def __getitem__(self, point: Point) -> float:
        return self._known[point]

    def add(self, point: Point, loss: float) -> None:
        """Keep a point; a loss that is not finite is kept as none."""
        self._known[point] = loss if math.isfinite(loss) else math.nan
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {"of": self._bound, "points": [[*one, value] for one, value in self._known.items()]})

    def _read(self, path: Path) -> dict[Point, float]:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            rows = [(tuple(map(float, row[:-1])), row[-1]) for row in content["points"]]
            found = {point: math.nan if loss is None else float(loss) for point, loss in rows}
            of = content["of"]
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path}: damaged; delete it, and its points are computed again") from error
        if of != self._bound:
            raise InputError(f"{path}: holds points of other weights or samples; delete it, or give another --out")
        return found
