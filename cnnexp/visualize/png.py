"""Pictures and plots as PNG files, written whole or not at all."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.runs.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


def write_png(image: Image, path: Path) -> Path:
    """Write a picture, making the folder if need be. A reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")
    return path


def png_bytes(image: Image) -> bytes:
    """A picture as the content of a PNG file."""
    content = BytesIO()
    image.save(content, format="PNG", optimize=True)
    return content.getvalue()


def new_figure(width_in: float, height_in: float, dots_per_inch: int = 120) -> Figure:
    """A figure that belongs to nobody: no global state, no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=dots_per_inch, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def figure_image(figure: Figure) -> Image:
    """The drawn figure as an RGB picture."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # A class name in a script that the font lacks is drawn as boxes; nobody can mend that by reading a warning.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font", category=UserWarning)
        canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
