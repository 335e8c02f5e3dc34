"""Files of labelme: the shapes that one JSON file has for one picture."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from cnnexp.data.coco_masks import stated_size
from cnnexp.data.drawn_masks import packed
from cnnexp.data.samples import Box
from cnnexp.data.text_files import read_text
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

WITHOUT_AREA = frozenset({"line", "linestrip", "point", "points"})
_CORNERS_OF_A_CIRCLE = 96


class Shape(NamedTuple):
    """One shape: the name of its class, the box around it, and its outline or its pixels.

    ``problem`` says why it has neither, ``runs`` are as for ``drawn_masks.Region``. Shapes of one ``group`` are
    parts of one object.
    """

    name: str
    box: Box = (0, 0, 0, 0)
    outlines: tuple[bytes, ...] = ()
    runs: tuple[Size, bytes] | None = None
    problem: str = ""
    group: int | None = None


@dataclass(frozen=True)
class Annotation:
    """A file of labelme. ``picture`` is None where it is not there; ``size`` is the picture's, where it is stated."""

    path: Path
    named: str
    picture: Path | None
    size: Size | None
    shapes: tuple[Shape, ...]


def read_annotation(path: Path) -> Annotation | None:
    """A JSON file; None where it is another program's. The copy of the picture in it (imageData) is not looked at.

    Raises:
        InputError: it is no JSON; a shape of it is not as labelme writes it.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not a JSON file ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return None
    size = stated_size({"height": content.get("imageHeight"), "width": content.get("imageWidth")})
    shapes = tuple(_shape(f"{path}: shapes[{number}]", one, size) for number, one in enumerate(content["shapes"]))
    named = str(content.get("imagePath") or "").replace("\\", "/")
    return Annotation(path, named, _picture(path, named), size, shapes)


def _picture(path: Path, named: str) -> Path | None:
    """Where imagePath says, from the file on; or beside the file, where both were moved."""
    places = [path.parent / named, path.parent / PurePosixPath(named).name] if named else []
    found = next((place for place in places if place.is_file()), None)
    return None if found is None else found.parent.resolve() / found.name


def _shape(where: str, content: Any, size: Size | None) -> Shape:
    try:
        name, kind = str(content["label"]).strip(), content.get("shape_type") or "polygon"
        points = [(float(x), float(y)) for x, y in content["points"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where}: has no label, or points that are not pairs of numbers") from error
    if not name or not all(math.isfinite(edge) for point in points for edge in point):
        raise InputError(f"{where}: has an empty label, or points that are not finite")
    if kind in WITHOUT_AREA:
        return Shape(name, problem="that are lines or points")
    if kind == "mask":
        return _painted(where, name, content, points, size)
    if kind == "circle" and len(points) == 2:
        points = _circle(*points)
    elif kind == "rectangle" and len(points) == 2:
        (x1, y1), (x2, y2) = points
        points = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    elif kind not in ("polygon", "rectangle", "oriented_rectangle"):
        raise InputError(f"{where}: a {kind} of {len(points)} points is not known")
    if len(points) < 3:
        return Shape(name, problem="of fewer than three points")
    across, down = zip(*points, strict=True)
    box = (min(across), min(down), max(across), max(down))
    outline, group = packed(edge for point in points for edge in point), content.get("group_id")
    return Shape(name, box, (outline,), group=group if isinstance(group, int) else None)


def _circle(middle: tuple[float, float], edge: tuple[float, float]) -> list[tuple[float, float]]:
    radius = math.dist(middle, edge)
    turns = (2 * math.pi * place / _CORNERS_OF_A_CIRCLE for place in range(_CORNERS_OF_A_CIRCLE))
    return [(middle[0] + radius * math.cos(turn), middle[1] + radius * math.sin(turn)) for turn in turns]


def _painted(
    where: str, name: str, content: Mapping[str, Any], points: list[tuple[float, float]], size: Size | None
) -> Shape:
    """A shape of single pixels: a picture in the file, to be laid at its first point."""
    from faster_coco_eval.core import mask as coder

    if size is None or len(points) != 2:
        raise InputError(f"{where}: a mask takes two points, and the file imageHeight and imageWidth")
    try:
        with Image.open(BytesIO(base64.b64decode(content["mask"]))) as opened:
            if opened.height > size[0] or opened.width > size[1]:
                raise ValueError("it is larger than its picture")
            pixels = np.asarray(opened.convert("L")) > 0
    except (KeyError, TypeError, ValueError, OSError, binascii.Error) as error:
        raise InputError(f"{where}: a mask that cannot be read ({error})") from error
    x, y = (round(edge) for edge in points[0])
    whole = np.zeros(size, np.uint8, order="F")
    place = whole[max(y, 0) : y + pixels.shape[0], max(x, 0) : x + pixels.shape[1]]
    place[...] = pixels[max(-y, 0) :, max(-x, 0) :][: place.shape[0], : place.shape[1]]
    if not place.any():
        return Shape(name, problem="without a pixel")
    code = coder.encode(whole)
    left, top, width, height = coder.toBbox([code])[0].tolist()
    return Shape(name, (left, top, left + width, top + height), runs=(size, code["counts"]))
