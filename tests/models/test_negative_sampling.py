"""Skip-gram and CBOW beside their papers' equations in NumPy, word by word, from the draws that were made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.errors import InputError
from cnnexp.models.cbow import CBOW
from cnnexp.models.negative_sampling import NegativeSampling
from cnnexp.models.skipgram import SkipGram

OCCURRENCES = (9, 40, 20, 10, 5, 1)
"""Of unknown words, and of the words 2 to 6."""
TEXTS = torch.tensor([[2, 3, 1, 4, 2, 5, 6, 3, 2, 0], [3, 2, 2, 4, 0, 0, 0, 0, 0, 0], [6, 1, 0, 0, 0, 0, 0, 0, 0, 0]])
DRAWS = torch.tensor([11, 22, 33])


def net(kind: type[NegativeSampling] = SkipGram, **changes: Any) -> Any:
    given: dict[str, Any] = dict(vocabulary=7, occurrences=OCCURRENCES, width=4, window=3, negatives=2, subsample=None)
    torch.manual_seed(0)
    made = kind(**(given | changes))
    torch.nn.init.normal_(made.context.weight)
    torch.nn.init.normal_(made.embedding.weight)
    return made.double()


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def pairs_of(made: Any, words: list[int], radius: list[int]) -> list[tuple[int, list[int]]]:
    """Each place with the places that it looks at."""
    return [
        (place, [p for p in range(max(0, place - r), min(len(words), place + r + 1)) if p != place])
        for place, r in enumerate(radius)
    ]


def seen(made: Any) -> list[tuple[list[int], list[int]]]:
    """Of each text the words that take part, and how far each looks, as the net drew it."""
    words, _, valid = made.windows(TEXTS, DRAWS)
    found = []
    for row, reach in zip(words.tolist(), valid, strict=True):
        own = [word for word in row if word]
        radius = [max((made.window - p for p in range(made.window) if bool(r[p])), default=0) for r in reach]
        right = [max((p - made.window + 1 for p in range(made.window, 2 * made.window) if bool(r[p])), default=0)
                 for r in reach]  # fmt: skip
        found.append((own, [max(pair) for pair in zip(radius, right, strict=True)][: len(own)]))
    return found


def test_skip_gram_is_the_papers_equation() -> None:
    made = net()
    v, u = made.embedding.weight.detach().numpy(), made.context.weight.detach().numpy()
    keys = made.pair_keys(DRAWS, made.windows(TEXTS, DRAWS)[0].shape[1], 2 * made.window)
    total, count = 0.0, 0
    for text, (words, radius) in enumerate(seen(made)):
        for place, beside in pairs_of(made, words, radius):
            for other in beside:
                away = other - place
                lane = made.window + away if away < 0 else made.window + away - 1
                drawn = made.drawn(keys[text, place, lane].view(1))[0].tolist()
                total -= np.log(sigmoid(u[words[other]] @ v[words[place]]))
                total -= sum(np.log(sigmoid(-u[k] @ v[words[place]])) for k in drawn if k != words[other])
                count += 1
    mean, of = made.losses(TEXTS, DRAWS)["negative_sampling"]
    assert count == int(of) > 20
    assert mean.item() == pytest.approx(total / count, rel=1e-9)


def test_cbow_is_the_papers_equation() -> None:
    made = net(CBOW)
    v, u = made.embedding.weight.detach().numpy(), made.context.weight.detach().numpy()
    keys = made.pair_keys(DRAWS, made.windows(TEXTS, DRAWS)[0].shape[1], 1)
    total, count = 0.0, 0
    for text, (words, radius) in enumerate(seen(made)):
        for place, beside in pairs_of(made, words, radius):
            if beside:
                mean = np.mean([v[words[other]] for other in beside], axis=0)
                drawn = made.drawn(keys[text, place, 0].view(1))[0].tolist()
                total -= np.log(sigmoid(u[words[place]] @ mean))
                total -= sum(np.log(sigmoid(-u[k] @ mean)) for k in drawn if k != words[place])
                count += 1
    mean, of = made.losses(TEXTS, DRAWS)["negative_sampling"]
    assert count == int(of) == 12, "all words with a number but the one that stands alone"
    assert mean.item() == pytest.approx(total / count, rel=1e-9)


@pytest.mark.parametrize("kind", [SkipGram, CBOW])
def test_a_text_draws_the_same_in_any_batch_and_another_key_draws_others(kind: type[NegativeSampling]) -> None:
    made = net(kind, subsample=0.2)
    alone = made.losses(TEXTS[:1, :9], DRAWS[:1])["negative_sampling"]
    (mean, count), (other, of_other) = (
        made.losses(texts, draws)["negative_sampling"] for texts, draws in ((TEXTS, DRAWS), (TEXTS[1:], DRAWS[1:]))
    )
    assert (alone[0] * alone[1] + other * of_other).item() == pytest.approx((mean * count).item(), rel=1e-9)
    assert made.losses(TEXTS, DRAWS + 1)["negative_sampling"][0].item() != mean.item()


def test_words_are_drawn_by_the_power_of_their_occurrences() -> None:
    drawn = net(negatives=5).drawn(torch.arange(40_000)).flatten()
    expected = np.array(OCCURRENCES[1:]) ** 0.75
    found = torch.bincount(drawn, minlength=7)[2:].numpy() / len(drawn)
    assert np.allclose(found, expected / expected.sum(), atol=0.004)


def test_frequent_words_stay_by_the_root_of_the_part() -> None:
    made = net(subsample=0.05)
    # of 76 words 2 is 40: it stays with √(0.05 · 76 / 40); the rarest always
    assert made.kept.tolist()[0] == pytest.approx((0.05 * 76 / 40) ** 0.5)
    assert made.kept.tolist()[-1] == 1
    texts = torch.tensor([[2] * 500 + [6] * 500] * 20)
    words = made.windows(texts, torch.arange(20))[0]
    assert int((words == 2).sum()) / 10_000 == pytest.approx(0.308, abs=0.02)
    assert int((words == 6).sum()) == 10_000


def test_how_far_a_place_looks_is_uniform() -> None:
    made = net(window=4)
    _, _, valid = made.windows(torch.full((20, 500), 2), torch.arange(20))
    middle = valid[:, 10:-10]
    assert torch.equal(middle, middle.flip(2)), "as far to the right as to the left"
    shares = middle[:, :, 4:].double().mean((0, 1))
    assert shares.tolist() == pytest.approx([1, 0.75, 0.5, 0.25], abs=0.03)


def test_texts_with_nothing_to_learn_have_a_loss_of_none() -> None:
    for kind in (SkipGram, CBOW):
        mean, count = net(kind).losses(TEXTS[2:], DRAWS[2:])["negative_sampling"]
        assert (mean.item(), int(count)) == (0, 0)


def gradients(made: Any) -> Tensor:
    made.losses(TEXTS, DRAWS)["negative_sampling"][0].backward()
    return made.embedding.weight.grad


@pytest.mark.parametrize("kind", [SkipGram, CBOW])
def test_padding_and_unknown_words_do_not_learn(kind: type[NegativeSampling]) -> None:
    learnt = gradients(net(kind)).abs().sum(1) > 0
    assert learnt.tolist() == [False, False, True, True, True, True, True]


@pytest.mark.parametrize(
    ("changes", "line"),
    [({"window": 0}, r"model\.window=0"), ({"negatives": 0}, r"model\.negatives=0"),
     ({"subsample": 0.0}, r"model\.subsample=0: expected a frequency above 0")],
)  # fmt: skip
def test_what_makes_no_net_is_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        net(**changes)
