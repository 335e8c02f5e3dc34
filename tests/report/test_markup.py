from __future__ import annotations

from cnnexp.report.columns import Column
from cnnexp.report.markup import to_latex, to_markdown

COLUMNS = [
    Column("net", ("a_b|c", r"50 % $x$ \end{x} #<b>&~^"), 0),
    Column("test/accuracy", ("0.9000", "-"), 1, numeric=True),
]


def test_markdown_shows_text_as_it_is() -> None:
    assert to_markdown(COLUMNS) == (
        "| net | test/accuracy |\n| :--- | ---: |\n| a\\_b\\|c | 0.9000 |\n"
        "| 50 % \\$x\\$ \\\\end{x} \\#\\<b\\>\\&\\~^ | - |\n"
    )


def test_latex_shows_text_as_it_is() -> None:
    lines = to_latex(COLUMNS).splitlines()
    assert lines[1:5] == [r"\begin{tabular}{lr}", r"\toprule", r"net & test/accuracy \\", r"\midrule"]
    assert lines[5] == r"a\_b|c & 0.9000 \\"
    assert lines[6] == (
        r"50 \% \$x\$ \textbackslash{}end\{x\} \#\textless{}b\textgreater{}\&\textasciitilde{}\textasciicircum{} & - \\"
    )
    assert lines[7:] == [r"\bottomrule", r"\end{tabular}"]


def test_a_line_break_or_control_sequence_stays_in_its_cell() -> None:
    evil = [Column("x", ("a\n| b\x1b[2J",), 0)]
    assert to_markdown(evil).splitlines()[2:] == ["| a \\| b?\\[2J |"]
    assert len(to_latex(evil).splitlines()) == 8
