from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.vqa_baseline import VQABaseline

SMALL: dict[str, Any] = dict(
    in_channels=3, vocabulary=9, num_classes=5, picture=True, backbone="small", width=8, stride=8, question="gru",
    word=6, read=7, code=4, joins=2, join="product", hidden=10,
)  # fmt: skip
QUESTIONS = torch.tensor([[2, 3, 4, 0], [5, 0, 0, 0], [4, 3, 2, 0]])


def made(**changes: Any) -> VQABaseline:
    torch.manual_seed(0)
    return VQABaseline(**{**SMALL, **changes}).eval()


def pictures(seed: int = 0) -> torch.Tensor:
    return torch.randn(3, 3, 32, 24, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("question", ["gru", "bag_of_words"])
def test_padding_is_not_read(question: str) -> None:
    net = made(question=question)
    longer = torch.nn.functional.pad(QUESTIONS, (0, 6))
    torch.testing.assert_close(net(pictures(), QUESTIONS), net(pictures(), longer))
    alone = torch.cat([net(pictures()[row : row + 1], QUESTIONS[row : row + 1]) for row in range(3)])
    torch.testing.assert_close(net(pictures(), QUESTIONS), alone)


def test_a_bag_knows_no_order_and_a_gru_does() -> None:
    same = pictures()[:1].expand(3, -1, -1, -1)
    first, _, turned = made(question="bag_of_words")(same, QUESTIONS)
    torch.testing.assert_close(first, turned)
    first, _, turned = made()(same, QUESTIONS)
    assert not torch.allclose(first, turned, atol=1e-4)


def test_the_gru_is_torchs_over_the_words_alone() -> None:
    net = made()
    reader: Any = net.question
    packed = torch.nn.utils.rnn.pack_padded_sequence(reader.embedding(QUESTIONS), torch.tensor([3, 1, 3]), True, False)
    torch.testing.assert_close(reader(QUESTIONS), reader.gru(packed)[1][0])


def test_the_question_alone() -> None:
    net = made(picture=False)
    torch.testing.assert_close(net(pictures(0), QUESTIONS), net(pictures(1), QUESTIONS))
    assert not torch.allclose(made()(pictures(0), QUESTIONS), made()(pictures(1), QUESTIONS), atol=1e-4)
    assert not any(parameter.ndim == 4 for parameter in net.parameters()), "nothing looks at a picture"


@pytest.mark.parametrize("join", ["product", "sum"])
def test_each_place_is_joined_with_the_question(join: Any) -> None:
    net = made(join=join, joins=1)
    joined: Any = net.joined
    asked = net.question(QUESTIONS)
    maps = joined.body(pictures())["0"]
    expected = torch.zeros(3, 8)
    for sample in range(3):
        said = joined.asked[0].weight @ asked[sample] + joined.asked[0].bias
        places = []
        for row in range(4):
            for column in range(3):
                place = torch.tensor([column - 1.0, row * 2 / 3 - 1])
                seen = joined.seen[0].weight[:, :, 0, 0] @ torch.cat([maps[sample, :, row, column], place])
                seen = seen + joined.seen[0].bias
                places.append((seen * (1 + said) if join == "product" else seen + said).clamp(min=0))
        expected[sample] = torch.cat([torch.stack(places).mean(0), torch.stack(places).amax(0)])
    torch.testing.assert_close(joined(pictures(), asked), expected, atol=1e-5, rtol=1e-4)


def test_another_net_may_look_at_the_picture() -> None:
    net = made(backbone="resnet18", stride=16)
    assert net(torch.randn(3, 3, 64, 64), QUESTIONS).shape == (3, 5)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"joins": 0}, "model.joins=0"),
        ({"hidden": 0}, "model.hidden=0"),
        ({"backbone": "resent18"}, "model.backbone=resent18"),
        ({"stride": 3}, "model.stride=3: model.backbone=small has maps at strides of"),
    ],
)
def test_what_makes_no_net(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as refused:
        made(**changes)
    assert line in str(refused.value)
