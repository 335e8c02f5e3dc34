"""A table for a document: Markdown or LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnnexp.report.columns import Column
from cnnexp.report.plain_text import printable

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "−": "$-$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def to_markdown(columns: Sequence[Column]) -> str:
    """A pipe table, with numbers at the right; nothing in a cell is taken for markup."""
    rules = ["---:" if column.numeric else ":---" for column in columns]
    rows = [[_markdown(cell) for cell in row] for row in zip(*(column.cells for column in columns), strict=True)]
    lines = [[_markdown(column.header) for column in columns], rules, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_latex(columns: Sequence[Column]) -> str:
    """A ``tabular`` with the rules of the package booktabs; nothing in a cell is taken for a command."""
    places = "".join("r" if column.numeric else "l" for column in columns)
    rows = list(zip(*(column.cells for column in columns), strict=True))
    head = _latex_row([column.header for column in columns])
    body = "".join(_latex_row(row) for row in rows)
    return (
        f"% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{places}}}\n\\toprule\n{head}\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#&~$])", r"\\\1", printable(text))


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_latex(cell) for cell in cells) + " \\\\\n"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in printable(text))
