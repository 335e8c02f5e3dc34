"""A picture and a question about it: what is seen and what is asked are joined, and the answers are classes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.pyramids import Backbone, body_of
from cnnexp.models.word_numbers import PADDING


class VQABaseline(nn.Module):
    """Answers as classes, of a picture's maps and what read the question, joined at each place of the maps.

    Classes of answers, and the product of what is seen and what is asked, are Antol et al. 2015, "VQA: visual question
    answering", section 4. There a picture is one code, of a net that was trained on ImageNet; here the net begins with
    random weights on few pictures, so that each place is joined on its own: x' = relu(x * (1 + a)), where a is linear
    in the question, as the maps of Perez et al. 2018, "FiLM", are scaled; or relu(x + a). Each place is told where it
    lies (Liu et al. 2018, "An intriguing failing of convolutional neural networks and the CoordConv solution"). Mean
    and maximum over the places go into a hidden layer, and that into the answers. ``bag_of_words`` is the mean of the
    words' vectors, near the "BoW Q" of Antol et al.

    Args:
        in_channels: channels of a picture.
        vocabulary: numbers of words, padding and the unknown word among them.
        num_classes: number of answers K.
        picture: whether the net looks at the picture; without, it answers from the question alone.
        backbone: what looks at it: ``small``, or a net of torchvision or timm by name, with random weights.
        width: of the small one, maps at half resolution; each further halving doubles them. stride: of the maps that
            are joined with the question, in pixels.
        question: what reads the question: ``gru`` or ``bag_of_words``.
        word: numbers in the vector of a word. read: units of the GRU.
        code: maps that are joined with the question. joins: how often that is done; a 3x3 convolution lies between.
        join: ``product`` or ``sum``.
        hidden: units before the answers.
        dropout: probability in [0, 1) of dropping a hidden unit; None for no dropout.

    Raises:
        InputError: a number below 1; as ``body_of``.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        vocabulary: int,
        num_classes: int,
        picture: bool,
        backbone: str,
        width: int,
        stride: int,
        question: Literal["gru", "bag_of_words"],
        word: int,
        read: int,
        code: int,
        joins: int,
        join: Literal["product", "sum"],
        hidden: int,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(word=word, read=read, code=code, joins=joins, hidden=hidden)
        reader = QuestionGRU if question == "gru" else BagOfQuestion
        self.question = reader(vocabulary, word, read)
        size = self.question.size
        self.joined = None
        if picture:
            body, maps = _body(Backbone(backbone, (stride,), width, frozen=False), in_channels)
            self.joined = Joined(body, maps, size, code, joins, join)
            size = 2 * code
        self.hidden = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), *dropout_layers(dropout))
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, picture: Tensor, question: Tensor) -> Tensor:
        """Logits (B, K) for pictures (B, C, H, W) and questions, int64 (B, L) numbers of words, 0 behind their end."""
        asked = self.question(question)
        return self.head(self.hidden(asked if self.joined is None else self.joined(picture, asked)))

    def word_embeddings(self) -> list[nn.Embedding]:
        """Those whose rows are the vectors of words."""
        return [self.question.embedding]


class Joined(nn.Module):
    """A picture's maps and what read the question, joined place by place, and gathered over the places.

    Args:
        body: answers maps by name, of which the last are taken. width: how many these are. asked: numbers that say
            the question. code, joins, join: as for ``VQABaseline``.
    """

    def __init__(
        self, body: nn.Module, width: int, asked: int, code: int, joins: int, join: Literal["product", "sum"]
    ) -> None:
        super().__init__()
        self.body, self.join = body, join
        first = nn.Conv2d(width + 2, code, kernel_size=1)
        further = (nn.Conv2d(code, code, kernel_size=3, padding=1) for _ in range(joins - 1))
        self.seen = nn.ModuleList([first, *further])
        self.asked = nn.ModuleList(nn.Linear(asked, code) for _ in range(joins))

    def forward(self, picture: Tensor, asked: Tensor) -> Tensor:
        """Pictures (B, C, H, W) and questions (B, asked) → (B, 2 * code)."""
        *_, x = self.body(picture).values()
        x = torch.cat([x, _places(x)], 1)
        for see, ask in zip(self.seen, self.asked, strict=True):
            seen, said = see(x), ask(asked)[:, :, None, None]
            x = (seen * (1 + said) if self.join == "product" else seen + said).relu()
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)


def _body(backbone: Backbone, in_channels: int) -> tuple[nn.Module, int]:
    """The net that looks at pictures, and how many maps it answers."""
    (stride,) = backbone.strides
    try:
        body, (width,) = body_of(backbone, in_channels)
    except InputError as error:  # here it is one stride
        lines = (line.replace(f"model.strides=[{stride}]", f"model.stride={stride}") for line in error.lines)
        raise InputError(*lines) from error
    return body, width


def _places(maps: Tensor) -> Tensor:
    """Where each place lies across and down, from -1 to 1, (B, 2, H, W)."""
    count, _, height, width = maps.shape
    down, across = (torch.linspace(-1, 1, side, dtype=maps.dtype, device=maps.device) for side in (height, width))
    grid = torch.stack([across.expand(height, width), down[:, None].expand(height, width)])
    return grid.expand(count, 2, height, width)


class QuestionGRU(nn.Module):
    """The state of a gated recurrent unit (Cho et al. 2014) behind the last word of a question.

    Args:
        vocabulary: numbers of words. word: numbers in the vector of a word. size: units.
    """

    def __init__(self, vocabulary: int, word: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(vocabulary, word, padding_idx=PADDING)
        self.gru = nn.GRU(word, size, batch_first=True)

    def forward(self, question: Tensor) -> Tensor:
        """int64 (B, L) numbers of words → (B, size). States behind the end of a question are computed and not used."""
        states, _ = self.gru(self.embedding(question))
        last = ((question != PADDING).sum(1) - 1).clamp(min=0)
        return states[torch.arange(len(states), device=states.device), last]


class BagOfQuestion(nn.Module):
    """The mean of the vectors of a question's words, in whatever order these stand.

    Args:
        vocabulary: numbers of words. word: numbers in the vector of a word. size: is not used, a bag has no units.
    """

    def __init__(self, vocabulary: int, word: int, size: int) -> None:
        super().__init__()
        self.size = word
        self.embedding = nn.Embedding(vocabulary, word, padding_idx=PADDING)

    def forward(self, question: Tensor) -> Tensor:
        """int64 (B, L) numbers of words → (B, word); the vector of padding is 0."""
        count = (question != PADDING).sum(1, keepdim=True).clamp(min=1)
        return self.embedding(question).sum(1) / count
