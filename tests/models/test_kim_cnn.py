from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnexp.errors import InputError
from cnnexp.inputs import tokens
from cnnexp.models import word_numbers
from cnnexp.models.kim_cnn import KimCNN

TEXTS = [[4, 9, 2], [7], [3, 3, 1, 5, 8, 2, 6]]


def net(**changes: Any) -> KimCNN:
    torch.manual_seed(1)
    keys = {"vocabulary": 11, "num_classes": 3, "width": 6, "windows": (2, 3, 5), "maps": 4} | changes
    made = KimCNN(**keys).double().eval()
    with torch.no_grad():
        for layer in made.filters:
            layer.bias.normal_()
    return made


def filled(texts: list[list[int]], length: int) -> torch.Tensor:
    return torch.tensor([text + [0] * (length - len(text)) for text in texts])


def by_hand(made: KimCNN, text: list[int]) -> NDArray[np.float64]:
    """Equations 2 to 4 of the paper for one text, in loops: h - 1 rows of zeros at either end."""
    table = made.embedding.weight.detach().numpy()
    if made.static is not None:
        table = table + made.static.weight.detach().numpy()
    largest = []
    for layer in made.filters:
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        (h,) = layer.kernel_size
        rows = np.concatenate([np.zeros((h - 1, table.shape[1])), table[text], np.zeros((h - 1, table.shape[1]))])
        for one in range(len(weight)):
            windows = [
                max(0.0, sum(weight[one, :, i] @ rows[start + i] for i in range(h)) + bias[one])
                for start in range(len(rows) - h + 1)
            ]
            largest.append(max(windows))
    return made.linear.weight.detach().numpy() @ np.array(largest) + made.linear.bias.detach().numpy()


@pytest.mark.parametrize("channels", ["non_static", "static", "both"])
def test_it_is_the_papers_equations(channels: str) -> None:
    made = net(channels=channels)
    expected = np.stack([by_hand(made, text) for text in TEXTS])
    np.testing.assert_allclose(made(filled(TEXTS, 7)).detach().numpy(), expected, rtol=1e-10)


def test_more_padding_changes_nothing() -> None:
    """Biases are above zero: a window of padding alone would answer the bias, and be the largest."""
    made = net()
    with torch.no_grad():
        for layer in made.filters:
            layer.bias.fill_(5.0)
            layer.weight.copy_(-layer.weight.abs())
        made.embedding.weight.abs_()
    alone = torch.cat([made(torch.tensor([text])) for text in TEXTS])
    torch.testing.assert_close(made(filled(TEXTS, 7)), alone)
    torch.testing.assert_close(made(filled(TEXTS, 40)), alone)


def test_the_gradient_is_that_of_each_text_alone() -> None:
    made = net()
    made(filled(TEXTS, 12)).square().sum().backward()
    found = {name: weight.grad.clone() for name, weight in made.named_parameters() if weight.grad is not None}
    made.zero_grad()
    for text in TEXTS:
        made(torch.tensor([text])).square().sum().backward()
    for name, weight in made.named_parameters():
        torch.testing.assert_close(weight.grad, found[name], msg=name)
    assert not found["embedding.weight"][0].any(), "padding learns nothing"


@pytest.mark.parametrize(
    ("channels", "learning"), [("static", []), ("non_static", ["embedding"]), ("both", ["embedding"])]
)
def test_which_vectors_learn(channels: str, learning: list[str]) -> None:
    made = net(channels=channels)
    vectors = {name for name, one in made.named_parameters() if "weight" in name and one.requires_grad}
    assert sorted(name.split(".")[0] for name in vectors if name.startswith(("embedding", "static"))) == learning
    assert len(made.word_embeddings()) == (2 if channels == "both" else 1)


def test_vectors_begin_small_and_padding_at_zero() -> None:
    weight = net(vocabulary=500).embedding.weight.detach()
    assert not weight[0].any()
    assert 0.24 < float(weight.abs().max()) <= 0.25 and abs(float(weight.mean())) < 0.02


def test_numbers_of_words_are_those_of_the_input() -> None:
    """Nets may not import inputs."""
    assert (word_numbers.PADDING, word_numbers.FIRST_WORD) == (tokens.PADDING, tokens.FIRST_WORD)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("windows", (), "name at least one number of words"),
        ("windows", (3, 0), "whole numbers of at least 1"),
        ("maps", 0, r"model\.maps=0"),
        ("width", 0, r"model\.width=0"),
    ],
)
def test_what_makes_no_net_is_refused(key: str, value: Any, line: str) -> None:
    with pytest.raises(InputError, match=line):
        net(**{key: value})
