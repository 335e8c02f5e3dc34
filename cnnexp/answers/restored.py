"""A picture given back: denoised, or enlarged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cnnexp.answers.base import Answer, Batch, Columns, Picture
from cnnexp.inputs.degraded import GIVEN, given_in

if TYPE_CHECKING:
    from PIL import Image


class Restored(Answer):
    """Truth: the picture itself; beside it in the batch what was given. Answer: uint8 (H, W, C) of its true size."""

    whole: ClassVar[bool] = True

    def as_json(self, answer: Picture, picture: Picture) -> dict[str, Any]:
        return {"given": list(picture.shape[:2]), "restored": list(answer.shape[:2])}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        (height, width), (rows, columns) = row["given"], row["restored"]
        larger = f" from {height}×{width}" if (height, width) != (rows, columns) else ""
        said = f"restored: {rows}×{columns} pixels{larger}"
        return [said if "drawn" in row else f"{said}; --out DIR writes it"]

    def image(self, picture: Picture, answer: Picture, truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.canvas import framed, to_image
        from cnnexp.visualize.restored import restored_row

        if truth is None or GIVEN not in truth:
            return to_image(answer)
        return framed(restored_row(given_in(truth)[0], answer, picture))

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.canvas import above, framed
        from cnnexp.visualize.restored import legend, restored_row

        rows = [restored_row(*one) for one in zip(given_in(batch), answers, pictures, strict=True)]
        return {"predictions": framed(above([*rows, legend("; the worst of the test first, then the best")]))}

    def worth_showing(self, predictions: Columns, count: int) -> list[int] | None:
        """The worst first, then the best, by PSNR."""
        order = np.argsort(predictions["psnr"], kind="stable")
        if len(order) <= count:
            chosen = order
        else:
            chosen = np.concatenate([order[: count - count // 2], order[len(order) - count // 2 :]])
        return predictions["index"][chosen].tolist()
