"""Pictures made up, and whether a picture is taken for a real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnnexp.answers.base import Answer, Batch, Picture

if TYPE_CHECKING:
    from PIL import Image

REAL_FROM = 0.5


class Generated(Answer):
    """Answer: ``real``, the probability that a picture is one of the data's, and ``picture``, one made up beside it,
    uint8 (H, W, C)."""

    def as_json(self, answer: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
        real = round(float(answer["real"]), 6)
        return {"real": real, "taken_for": "real" if real >= REAL_FROM else "generated"}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [f"{'taken for ' + row['taken_for']:<24}{row['real']:.4f} real"]

    def image(self, picture: Picture, answer: Mapping[str, Any], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        captions = [f"{float(answer['real']):.2f} real", "made up"]
        return grid_image([picture, answer["picture"]], captions, columns=2)

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.grid import grid_image

        return {"samples": grid_image([one["picture"] for one in answers], columns=10)}

    def film(self, frames: Sequence[tuple[int, NDArray[Any]]]) -> Image.Image:
        """A row for each of some epochs: pictures (N, H, W, C) of the same noise."""
        from cnnexp.visualize.grid import grid_image

        count = len(frames[0][1])
        captions = [f"epoch {epoch}" if place == 0 else "" for epoch, _ in frames for place in range(count)]
        return grid_image([one for _, pictures in frames for one in pictures], captions, columns=count)
