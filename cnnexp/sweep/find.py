"""From what a person types to a sweep's folder."""

from __future__ import annotations

import os
from pathlib import Path

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.sweep.plan import FILE


def find_sweep(text: str, outputs: Path) -> Path:
    """The folder of a sweep given as a folder, an id, a unique beginning of an id, or ``last``.

    Raises:
        InputError: there is none, or several begin so.
    """
    if (Path(text) / FILE).is_file():
        return Path(text)
    if os.sep in text:
        raise InputError(f"{text}: not a sweep's folder (a sweep holds {FILE})")
    sweeps = sorted((path.parent for path in outputs.glob(f"*/{FILE}")), key=lambda path: (path / FILE).stat().st_mtime)
    if not sweeps:
        raise InputError(f"{text}: there are no sweeps in {outputs}; make one with cnnexp sweep, or give --outputs DIR")
    if text == "last":
        return sweeps[-1]
    fitting = [path for path in sweeps if path.name == text] or [path for path in sweeps if path.name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    names = [path.name for path in fitting or sweeps]
    if fitting:
        raise InputError(f"{text}: {len(fitting)} sweeps begin so ({', '.join(names[:4])}); give more")
    raise InputError(f"{text}: there is no such sweep in {outputs}; {did_you_mean(text, names) or 'give its folder'}")
