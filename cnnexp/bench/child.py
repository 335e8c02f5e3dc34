"""One cell in this process: ``python -m cnnexp.bench.child CELL`` prints what it measured as the last line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from cnnexp.bench.cells import MARK, Cell, Rate
from cnnexp.errors import InputError, RunFailed


def main(text: str) -> int:
    """Measure the cell that a line of JSON describes."""
    fields: dict[str, Any] = json.loads(text)
    cell = Cell(**{**fields, "words": tuple(fields["words"])})
    try:
        rate = _program(cell)(cell)
    except (InputError, RunFailed) as error:
        print(error, file=sys.stderr)
        return 1
    print(MARK + json.dumps(asdict(rate)), flush=True)
    return 0


def _program(cell: Cell) -> Callable[[Cell], Rate]:
    if cell.program in ("train", "prepare", "bare", "bare_loading"):
        from cnnexp.bench import ours

        return {"train": ours.train, "prepare": ours.prepare, "bare": ours.bare, "bare_loading": ours.bare_loading}[
            cell.program
        ]
    if cell.program in ("forked", "fresh"):
        from cnnexp.bench import trials

        return trials.forked if cell.program == "forked" else trials.fresh
    from cnnexp.bench import peers

    return {"plain": peers.plain, "lightning": peers.lightning, "timm": peers.timm_loader, "load": peers.load}[
        cell.program
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
