"""The keys of an option on a terminal and in a table."""

from __future__ import annotations

from cnnexp.config.keys import Key, OptionKeys
from cnnexp.report.option_keys import as_row, as_text, plain

KEYS = (
    Key("model.width", "[1,2]", "maps of each `stage`; None is 3", "a list"),
    Key("model.norm", "none", "", "none or batch", ("none", "batch")),
    Key("model.weights", "null", "a file", "a word, or null", own=False),
)
OPTION = OptionKeys("model", "mine", "A net of mine", ("optimizer=sgd", "optimizer.lr=0.1"), KEYS)


def test_each_key_has_its_default_its_meaning_and_what_it_may_be() -> None:
    assert as_text(OPTION, 80).splitlines() == [
        "model=mine: A net of mine",
        "  brings optimizer=sgd, optimizer.lr=0.1",
        "",
        "  model.width=[1,2]",
        "      maps of each stage; null is 3",
        "      (a list)",
        "  model.norm=none",
        "      (none or batch)",
        "",
        "  keys of every model",
        "  model.weights=null",
        "      a file",
        "      (a word, or null)",
        "",
        "  for example: cnnexp train model=mine model.norm=batch",
    ]


def test_lines_fit_and_a_long_value_is_cut() -> None:
    names = f"[{','.join(f'class{number}' for number in range(100))}]"
    long = OptionKeys("data", "many", "Many " * 30, (), (Key("data.classes", names, "word " * 50, ""),))
    lines = as_text(long, 60).splitlines()
    assert max(map(len, lines[:-1])) <= 60 + len("  data.classes=")
    assert any(line.endswith(",…]") for line in lines)


def test_an_option_without_keys_says_so() -> None:
    assert "it has no keys" in as_text(OptionKeys("model", "bare", "Nothing", (), ()), 80)


def test_a_row_has_the_options_own_keys() -> None:
    assert as_row(OPTION) == "| `mine` | `width=[1,2]`, `norm=none` |"


def test_plain_text() -> None:
    assert plain("of ``leaky_relu``; None is 0.01, NoneSuch") == "of leaky_relu; null is 0.01, NoneSuch"
