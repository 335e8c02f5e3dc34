"""One colour for each class, told apart by the colour-blind as far as there are such colours."""

from __future__ import annotations

import colorsys

Colour = tuple[int, int, int]

VOID: Colour = (128, 128, 128)  # what belongs to no class; no class has a grey

# The first seven are those of Okabe and Ito (2008) without black. The others were found by taking, again and again, the
# saturated colour that is farthest from all before it in CIELAB, where the distance is the smallest of those seen with
# protanopia, with deuteranopia (simulated after Machado et al. 2009) and, at 0.45, with normal sight.
_COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (0, 0, 255),
    (0, 255, 136),
    (17, 34, 153),
    (238, 0, 255),
    (136, 0, 34),
    (153, 0, 136),
    (153, 170, 85),
    (153, 102, 51),
    (0, 238, 255),
    (170, 238, 187),
    (119, 0, 204),
    (102, 34, 85),
    (153, 221, 85),
    (0, 136, 255),
    (17, 85, 51),
    (238, 17, 102),
    (187, 0, 17),
)
_GOLDEN_RATIO = 0.618033988749895


def class_colour(index: int) -> Colour:
    """The colour of a class: the same in every picture, and distinct for the first 250 classes.

    The first 24 are told apart by the colour-blind too. Beyond those no palette can promise it.
    """
    if index < 0:
        return VOID
    if index < len(_COLOURS):
        return _COLOURS[index]
    further = index - len(_COLOURS)
    hue = (further * _GOLDEN_RATIO) % 1.0
    lightness = (0.42, 0.62, 0.30)[further % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.75)
    return round(255 * red), round(255 * green), round(255 * blue)


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever reads better on the colour (relative luminance after WCAG 2)."""
    linear = [(part / 255 / 12.92) if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)
