"""A picture and a question about it: each becomes a code, the codes are joined, and the answers are classes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.models.bounds import at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.pyramids import Backbone, body_of
from cnnexp.models.word_numbers import PADDING


class VQABaseline(nn.Module):
    """tanh of a linear layer over a picture's maps, and over what read the question; their product or their sum; a
    hidden layer, and the answers.

    Antol et al. 2015, "VQA: visual question answering", section 4: there the maps are VGG's last hidden layer on
    ImageNet, and an LSTM reads the question. ``bag_of_words`` is the mean of the words' vectors, as in the "BoW" of the
    same paper.

    Args:
        in_channels: channels of a picture. image_size: its height and width in pixels.
        vocabulary: numbers of words, padding and the unknown word among them.
        num_classes: number of answers K.
        picture: whether the net looks at the picture; without, it answers from the question alone.
        backbone: what looks at it: ``small``, or a net of torchvision or timm by name, with random weights.
        width: of the small one, maps at half resolution; each further halving doubles them. stride: of the maps that
            become the picture's code, in pixels.
        question: what reads the question: ``gru`` or ``bag_of_words``.
        word: numbers in the vector of a word. read: units of the GRU.
        code: numbers that the picture becomes, and the question.
        join: ``product`` or ``sum`` of the two codes.
        hidden: units between what is joined and the answers.
        dropout: probability in [0, 1) of dropping a number of what is joined, and a hidden unit; None for no dropout.

    Raises:
        InputError: a number below 1; as ``body_of``.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
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
        join: Literal["product", "sum"],
        hidden: int,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(word=word, read=read, code=code, hidden=hidden)
        self.join = join
        self.picture = None
        if picture:
            body = Backbone(backbone, (stride,), width, frozen=False)
            self.picture = PictureCode(body, in_channels, image_size, code)
        reader = QuestionGRU if question == "gru" else BagOfQuestion
        self.question = reader(vocabulary, word, read)
        self.of_question = nn.Linear(self.question.size, code)
        self.between = nn.Sequential(
            *dropout_layers(dropout), nn.Linear(code, hidden), nn.ReLU(), *dropout_layers(dropout)
        )
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, picture: Tensor, question: Tensor) -> Tensor:
        """Logits (B, K) for pictures (B, C, H, W) and questions, int64 (B, L) numbers of words, 0 behind their end."""
        code = self.of_question(self.question(question)).tanh()
        if self.picture is not None:
            seen = self.picture(picture)
            code = code * seen if self.join == "product" else code + seen
        return self.head(self.between(code))

    def word_embeddings(self) -> list[nn.Embedding]:
        """Those whose rows are the vectors of words."""
        return [self.question.embedding]


class PictureCode(nn.Module):
    """A picture's maps, place by place, as one code.

    Args:
        backbone: whose coarsest maps are taken. in_channels, image_size: of the pictures. code: numbers of the code.
    """

    def __init__(self, backbone: Backbone, in_channels: int, image_size: tuple[int, int], code: int) -> None:
        super().__init__()
        self.body, widths = body_of(backbone, in_channels)
        rows, columns = (-(-side // backbone.strides[-1]) for side in image_size)
        self.linear = nn.Linear(widths[-1] * rows * columns, code)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) → codes (B, code) between -1 and 1."""
        *_, maps = self.body(x).values()
        return self.linear(maps.flatten(1)).tanh()


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
