"""A net as a table: its layers, their output shapes and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def describe(net: nn.Module, input_shape: tuple[int, int, int], name: str) -> dict[str, Any]:
    """Run one empty picture through the net and note what every layer makes of it.

    Args:
        input_shape: channels, height, width.

    Returns:
        ``model``, ``input``, ``stem`` where the net chose one, ``layers`` (name, type, output shape without the batch,
        own parameters) in the order of the forward pass, and ``totals`` (parameters, trainable).
    """
    rows: list[dict[str, Any]] = []
    hooks = [
        module.register_forward_hook(_noting(rows, path, module))
        for path, module in net.named_modules()
        if path and not any(True for _ in module.children())
    ]
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *input_shape))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    parameters = list(net.parameters())
    stem = getattr(net, "stem", None)
    return {
        "model": name,
        "input": list(input_shape),
        **({"stem": stem} if isinstance(stem, str) else {}),
        "layers": rows,
        "totals": {
            "parameters": sum(p.numel() for p in parameters),
            "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        },
    }


def _noting(rows: list[dict[str, Any]], path: str, module: nn.Module) -> Any:
    def note(_: nn.Module, __: Any, output: Any) -> None:
        shape = list(output.shape[1:]) if isinstance(output, Tensor) else None
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        rows.append({"name": path, "type": type(module).__name__, "output": shape, "parameters": own})

    return note


def print_summary(content: Mapping[str, Any]) -> None:
    """The table on the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    size = "×".join(str(side) for side in content["input"])
    stem = f", stem for {content['stem']} pictures" if "stem" in content else ""
    table = Table(
        box=box.SIMPLE_HEAD, title=f"{content['model']} on {size}{stem}", title_justify="left", pad_edge=False
    )
    table.add_column("layer", overflow="fold")
    table.add_column("type")
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for row in content["layers"]:
        shape = "×".join(str(side) for side in row["output"]) if row["output"] is not None else ""
        table.add_row(row["name"], row["type"], shape, f"{row['parameters']:,}" if row["parameters"] else "")
    table.add_section()
    table.add_row("in all", "", "", f"{content['totals']['parameters']:,}")
    Console().print(table)
