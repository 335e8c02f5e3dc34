"""Where convolution by FFT is faster than direct convolution: measured ratios as a table in colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from PIL.Image import Image

_FARTHEST = 16.0
"""A ratio of this, or of its inverse, has the deepest colour."""


def fft_image(
    times_s: Mapping[tuple[int, int], tuple[float, float]], kernels: Sequence[int], sizes: Sequence[int], title: str
) -> Image:
    """A cell for each pair: how many times as fast the FFT is, and both times.

    Args:
        times_s: by (kernel, size) the seconds of the direct convolution and of that by FFT; a pair may be missing.
        title: lines above.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FixedLocator, NullLocator

    ratios = np.full((len(sizes), len(kernels)), np.nan)
    figure = new_figure(max(6.4, 2.2 + 0.95 * len(kernels)), max(3.6, 1.9 + 0.62 * len(sizes)))
    axes = figure.add_subplot()
    for (kernel, size), (direct, by_fft) in times_s.items():
        row, column = sizes.index(size), kernels.index(kernel)
        ratios[row, column] = ratio = direct / by_fft
        dark = max(ratio, 1 / ratio) > 0.4 * _FARTHEST
        text = f"×{ratio:.2g}\n{_milliseconds(direct)} | {_milliseconds(by_fft)} ms"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    # purple and orange are told apart by the colour-blind
    drawn = axes.imshow(ratios, cmap="PuOr", norm=LogNorm(1 / _FARTHEST, _FARTHEST), aspect="auto")
    axes.set_xticks(range(len(kernels)), [f"{one}×{one}" for one in kernels])
    axes.set_yticks(range(len(sizes)), [f"{one}×{one}" for one in sizes])
    axes.set_xlabel("kernel")
    axes.set_ylabel("picture")
    axes.set_title("\n".join(one_line(line) for line in title.splitlines()), fontsize=10, parse_math=False)
    bar = figure.colorbar(drawn, ax=axes, pad=0.02)
    bar.ax.yaxis.set_major_locator(FixedLocator([1 / 16, 1 / 4, 1, 4, 16]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_yticklabels(["1/16", "1/4", "1", "4", "16"])
    bar.set_label("FFT so many times as fast", fontsize=9)
    return figure_image(figure)


def _milliseconds(seconds: float) -> str:
    value = 1000 * seconds
    return f"{value:.0f}" if value >= 9.5 else f"{value:.2g}"
