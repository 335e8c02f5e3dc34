"""Words with several values."""

from __future__ import annotations

import pytest

from cnnexp.commands.several import combinations
from cnnexp.errors import InputError


def test_one_value_each_is_one_net_as_it_was_said() -> None:
    words = ["model=plain_cnn", "model.widths=[1,2]", "data.classes={a:1,b:2}", "+model.name='a,b'", "epochs=3"]
    assert combinations(words) == [(words, {})]
    assert combinations([]) == [([], {})]


def test_every_combination_in_the_order_of_the_words() -> None:
    found = combinations(["model=a,b", "data=d", "model.kernel=3,5", "model.widths=[1,2],[3]"])
    assert [words for words, _ in found] == [
        ["data=d", f"model.kernel={kernel}", f"model.widths={widths}", f"model={name}"]
        for name in ("a", "b")
        for kernel in (3, 5)
        for widths in ("[1,2]", "[3]")
    ]
    assert found[1][1] == {"model.kernel": "3", "model.widths": "[3]"}


def test_a_single_net_with_several_settings_keeps_its_place() -> None:
    words = [words for words, _ in combinations(["model=a", "model.kernel=3,5"])]
    assert words == [["model=a", "model.kernel=3"], ["model=a", "model.kernel=5"]]


def test_twelve_are_shown_and_thirteen_refused() -> None:
    assert len(combinations(["model=a,b,c", "k=1,2", "l=1,2"])) == 12
    with pytest.raises(InputError, match=r"^k=1,2,\S* l=1,2: these are 14 nets, and 12 at most"):
        combinations(["model=a", "k=1,2,3,4,5,6,7", "l=1,2"])


@pytest.mark.parametrize("word", ["model=a,,b", "k=1,", "k=,1"])
def test_nothing_between_commas_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=rf"^{word}: expected values with a comma between them, such as "):
        combinations([word])
