"""A picture: a reconstruction, something denoised, something made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnexp.answers.base import Answer, Batch, Picture
from cnnexp.inputs.degraded import GIVEN, given_in

if TYPE_CHECKING:
    from PIL import Image

_SMALLEST_ERROR = 1e-12


class PictureAnswer(Answer):
    """Truth: the picture itself. Answer: uint8 (H, W, C), of the size that the net gives."""

    def as_json(self, answer: Picture, picture: Picture) -> dict[str, Any]:
        from cnnexp.visualize.reconstructions import squared_error

        error = squared_error(resized(picture, answer), answer)
        return {"mse": round(error, 6), "psnr": round(10 * float(np.log10(1 / max(error, _SMALLEST_ERROR))), 2)}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [f"{name:<24}{row[name]}" for name in ("mse", "psnr")]

    def image(self, picture: Picture, answer: Picture, truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.reconstructions import reconstructions_image

        given = None if truth is None or GIVEN not in truth else given_in(truth)
        return reconstructions_image([resized(picture, answer)], [answer], given=given)

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.reconstructions import reconstructions_image

        given = given_in(batch) if GIVEN in batch else None
        return {"reconstructions": reconstructions_image(pictures, answers, given=given)}


def resized(picture: Picture, like: Picture) -> Picture:
    """A picture at the size and in the channels of another, as the data set brings its own to the net."""
    import torch

    from cnnexp.inputs.picture_files import fit_pictures

    size, channels = (like.shape[0], like.shape[1]), like.shape[2]
    tensor = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return fit_pictures(tensor, size, channels)[0].permute(1, 2, 0).numpy()
