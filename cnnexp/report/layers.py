"""A net's layers as a table that fits the terminal, as CSV and as lines of totals."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid, total_width
from cnnexp.report.notation import bytes_figure, count_figure, scaled_figure
from cnnexp.report.plain_text import printable, spreadsheet_cell

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

MOST_ROWS = 72
"""A table is folded to the depth at which it has no more rows."""
COUNTED = ("parameters", "multiply_adds", "activation_bytes")
OPTIONAL = ("kernel", "values", "memory", "from", "type")
"""Columns that are shown where there is room for them, from the most important on."""
PICTURE_AXES = 3
"""Channels, height and width; a sample of other axes is no picture."""
_HEAVY = 0.4

Layer = Mapping[str, Any]


class LayerTable:
    """What each layer makes, costs and sees; columns that find no room are left out, the type of layer first.

    Args:
        content: of `cnnexp.anatomy.describe.describe`.
        depth: modules below it are summed up in the one that holds them; None takes the deepest that fits.
    """

    def __init__(self, content: Mapping[str, Any], depth: int | None = None) -> None:
        self.content = content
        self.depth = fitting_depth(content["layers"]) if depth is None else depth
        self.layers = folded(content["layers"], self.depth)
        self.left_out: list[str] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        yield Text(title(self.content), style="bold")
        yield Grid(self._columns(options.max_width))
        yield Text()
        for line in self._notes():
            yield Text(line, style="dim")

    def _columns(self, width: int) -> list[Column]:
        everything = self._all_columns()
        chosen = {name: everything[name] for name in ("layer", "output", "parameters", "mult-adds", "sees")}
        for name in OPTIONAL:
            if total_width([*chosen.values(), everything[name]]) <= width:
                chosen[name] = everything[name]
        self.left_out = [name for name in OPTIONAL if name not in chosen and name != "type"]
        return sorted(chosen.values(), key=lambda column: column.place)

    def _all_columns(self) -> dict[str, Column]:
        totals = self.content["totals"]
        empty = {"depth": 1, "type": "", "output": None, "activations": None, "receptive_field": None}
        picture = {**empty, "name": "input", "output": self.content["input"], **dict.fromkeys(COUNTED, 0)}
        picture["activations"] = self.content["input_activations"]
        everything = {**empty, "name": "in all", **{key: totals[key] for key in COUNTED}}
        rows = [picture, *self.layers, everything]
        cells = {
            "layer": [_indented(row) for row in rows],
            "type": [printable(row["type"]) for row in rows],
            "output": [shape_figure(row["output"]) for row in rows],
            "kernel": [kernel_figure(row) for row in rows],
            "values": [values_figure(row["activations"]) for row in rows],
            "parameters": [_unless_zero(count_figure(row["parameters"])) for row in rows],
            "mult-adds": [_unless_zero(scaled_figure(row["multiply_adds"])) for row in rows],
            "memory": [_unless_zero(bytes_figure(row["activation_bytes"]), "0 B") for row in rows],
            "sees": [field_figure(row["receptive_field"]) for row in rows],
            "from": [offset_figure(row["receptive_field"]) for row in rows],
        }
        styles = ("", *("dim" if row.get("opened") else "" for row in self.layers), "bold")
        numeric = {"output", "values", "parameters", "mult-adds", "memory", "sees", "from"}
        return {
            name: Column(name, tuple(texts), place, numeric=name in numeric, styles=styles)
            for place, (name, texts) in enumerate(cells.items())
        }

    def _notes(self) -> Iterator[str]:
        deepest = max((layer["depth"] for layer in self.content["layers"]), default=0)
        if self.depth < deepest:
            yield f"folded at depth {self.depth} of {deepest}: --depth {deepest} shows every layer"
        whole, one = ("picture", "pixel") if len(self.content["input"]) == PICTURE_AXES else ("sample", "step")
        yield f"values: activations in the output, memory: theirs where new; for one {whole}"
        yield f"sees: receptive field/stride in {one}s, all = the whole {whole}"
        if "from" not in self.left_out:
            yield f"from: the first {one} seen, −2 = two {one}s of padding"
        if any(layer.get("ceil_mode") for layer in self.layers):
            yield "ceil: the output's size is rounded up; poolings without it round down"
        if self.left_out:
            yield f"no room for {' and '.join(self.left_out)}: a wider terminal, --csv and --json have all"
        yield from heaviest(self.content)
        yield from step_lines(self.content)


def title(content: Mapping[str, Any]) -> str:
    """The net, the picture's size, and the stem that was chosen for it."""
    stem = f", stem for {content['stem']} pictures" if "stem" in content else ""
    return printable(f"{content['model']} on {shape_figure(content['input'])}{stem}")


def folded(layers: Sequence[Layer], depth: int) -> list[dict[str, Any]]:
    """The layers down to a depth in the tree; what lies below is added to the module that holds it.

    The figures of an ``opened`` module, whose parts follow, are of what it does beside them.
    """
    kept: list[dict[str, Any]] = []
    for layer in layers:
        if layer["depth"] <= depth:
            kept.append({**layer, "opened": layer["parts"] and layer["depth"] < depth})
        else:
            holder = next(one for one in reversed(kept) if one["depth"] == min(depth, layer["depth"] - 1))
            for key in COUNTED:
                holder[key] += layer[key]
            if holder["output"] is None:
                holder.update({key: layer[key] for key in ("output", "activations", "receptive_field")})
    return kept


def fitting_depth(layers: Sequence[Layer]) -> int:
    """The deepest fold that leaves a table short enough to be read; 1 at least."""
    deepest = max((layer["depth"] for layer in layers), default=1)
    fitting = [d for d in range(1, deepest + 1) if sum(layer["depth"] <= d for layer in layers) <= MOST_ROWS]
    return max(fitting, default=1)


def heaviest(content: Mapping[str, Any]) -> Iterator[str]:
    """A line where one layer holds much of the parameters."""
    total = content["totals"]["parameters"]
    layer = max(content["layers"], key=lambda one: one["parameters"], default=None)
    if layer is None or not total or layer["parameters"] < _HEAVY * total or len(content["layers"]) < 2:
        return
    share = f"{printable(layer['name'])} holds {layer['parameters'] / total:.0%} of the parameters"
    inputs = layer.get("inputs")
    yield share + (f": {inputs:,} weights for each of its {layer['output'][-1]:,} units" if inputs else "")


def step_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """What a training step takes of memory, estimated, and measured where it was."""
    step = content.get("training")
    if step:
        yield f"a training step of {step['batch_size']} takes about {bytes_figure(step['bytes'])}:"
        parts = {"weights": "weights", "optimizer": "optimizer", "batch, activations, gradients": "step"}
        yield "  " + ", ".join(f"{what} {bytes_figure(step[f'{key}_bytes'])}" for what, key in parts.items())
    if measured := content.get("measured"):
        yield (
            f"measured on {measured['device']}: {bytes_figure(measured['bytes'])}, "
            f"{scaled_figure(measured['images_per_second'])} images/s in training"
        )


def to_csv(content: Mapping[str, Any], depth: int | None = None) -> str:
    """One line for each layer; sizes with several dimensions as 3x224x224. Without a depth nothing is folded."""
    layers = content["layers"] if depth is None else folded(content["layers"], depth)
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    plain = ["name", "type", "depth", "calls", "output", "kernel", "stride", "padding", "dilation", "groups", "inputs"]
    plain += ["ceil_mode", "activations"]
    fields = ["size", "stride", "offset"]
    writer.writerow([*plain, *COUNTED, *(f"receptive_field_{field}" for field in fields), "sees_whole_picture"])
    for layer in layers:
        seen = layer["receptive_field"] or {}
        values = [*(layer.get(key) for key in (*plain, *COUNTED)), *(seen.get(field) for field in fields)]
        writer.writerow([spreadsheet_cell(_csv_cell(value)) for value in (*values, seen.get("whole"))])
    return sheet.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "x".join(map(str, value)) if isinstance(value, list) else value


def shape_figure(shape: Sequence[int] | None) -> str:
    """``96×55×55``."""
    return "×".join(map(str, shape)) if shape else ""


def kernel_figure(layer: Layer) -> str:
    """``11×11/4 p2 g2``: kernel, stride, padding, dilation, groups; ``9,216 in`` for a fully connected layer.

    ``3×3/2 ceil`` for a pooling that rounds up.
    """
    if "inputs" in layer:
        return f"{layer['inputs']:,} in"
    if "kernel" not in layer:
        return ""
    stride, padding, dilation = (layer.get(key) for key in ("stride", "padding", "dilation"))
    text = shape_figure(layer["kernel"])
    text += f"/{_each(stride)}" if stride and set(stride) != {1} else ""
    text += f" p{_each(padding)}" if padding and set(padding) != {0} else ""
    text += f" d{_each(dilation)}" if dilation and set(dilation) != {1} else ""
    text += f" g{layer['groups']}" if layer.get("groups", 1) != 1 else ""
    return text + (" ceil" if layer.get("ceil_mode") else "")


def values_figure(count: int | None) -> str:
    """``4,704``, or ``1.16 M``."""
    return "" if count is None else scaled_figure(count)


def field_figure(field: Mapping[str, Any] | None) -> str:
    """``43/8``: 43×43 pixels, 8 to the neighbour's; ``all`` for the whole picture."""
    if field is None:
        return ""
    if field["whole"]:
        return "all"
    stride = f"/{_each(field['stride'])}" if any(field["stride"]) else ""
    return f"{_each(field['size'])}{stride}"


def offset_figure(field: Mapping[str, Any] | None) -> str:
    """The first pixel of the first field."""
    return "" if field is None or field["whole"] else _each(field["offset"]).replace("-", "−")


def _each(values: Sequence[Any] | str) -> str:
    """One figure where all dimensions have the same."""
    if isinstance(values, str):
        return values
    return f"{values[0]:g}" if len(set(values)) == 1 else "×".join(f"{value:g}" for value in values)


def _indented(layer: Layer) -> str:
    level = max(layer["depth"], 1) - 1
    name = layer["name"] if layer["depth"] <= 1 else layer["name"].rsplit(".", 1)[-1]
    calls = f" ({layer['calls']}×)" if layer.get("calls", 1) > 1 else ""
    return printable(" " * level + name + calls)


def _unless_zero(text: str, zero: str = "0") -> str:
    return "" if text == zero else text
