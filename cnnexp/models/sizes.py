"""Sides of maps after a layer, and the refusal of pictures that are too small for a net."""

from __future__ import annotations

from cnnexp.errors import InputError

Size = tuple[int, int]


def after(size: Size, kernel: int, stride: int = 1, padding: int = 0, *, ceil: bool = False) -> Size:
    """Height and width behind a convolution or a pool: (side - kernel + 2 * padding) / stride + 1, rounded down.

    With `ceil` it is rounded up, so that a last window may reach over the edge; a side below 1 means that not even one
    window fits.
    """
    height, width = ((side - kernel + 2 * padding + (stride - 1 if ceil else 0)) // stride + 1 for side in size)
    return height, width


def refuse_below(smallest_px: int, size: Size, net: str, usual_px: int | None = None) -> None:
    """Say what a net needs, before a layer fails on a map without pixels.

    Args:
        smallest_px: the shortest side that passes. usual_px: the published one, which is proposed; None proposes the
            smallest.

    Raises:
        InputError: a side is shorter.
    """
    if min(size) >= smallest_px:
        return
    proposed = usual_px or smallest_px
    published = "" if usual_px is None else f" ({usual_px} as published)"
    raise InputError(
        f"data.image_size=[{size[0]},{size[1]}]: {net} takes pictures of at least {smallest_px} pixels a side"
        f"{published}; give data.image_size=[{proposed},{proposed}], and pictures are brought to that size"
    )
