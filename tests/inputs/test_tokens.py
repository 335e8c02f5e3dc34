"""Texts: taken apart, learnt from, numbered, read from files, shown; and embeddings whose rows are matched by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.augmentation.texts import TextAugmentation
from cnnexp.builders.adapting import adapted
from cnnexp.builders.begun import Start
from cnnexp.builders.starting import put_start
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.signals import Signals
from cnnexp.inputs.tokens import PADDING, UNKNOWN, TokenPreparation, Tokens, matched_rows
from cnnexp.inputs.words import bytes_of, texts_of, words_of

TEXTS = ["The cat sat.", "the CAT ran, the dog ran!", "A dog; a cat – a fish?", "unseen words only", ""]


def split(texts: list[str] = TEXTS) -> TensorSplit:
    return TensorSplit({}, ragged={"text": [bytes_of(text) for text in texts]})


def batch(texts: list[str] = TEXTS) -> dict[str, Tensor]:
    return split(texts).batch(range(len(texts)))


def numbered(given: Tokens, texts: list[str]) -> list[list[int]]:
    preparation = given.preparation(None, (), seed=0, centred=True, channels_last=False)
    tokens = preparation(batch(texts), False, 0)["tokens"]
    assert tokens.dtype == torch.int64
    return tokens.tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat, the CAT!", ["the", "cat", "the", "cat"]),
        ("Don’t or don't: l'été", ["don’t", "or", "don't", "l'été"]),
        ("e\u0301te\u0301 12 a_b 'quoted'", ["été", "12", "a_b", "quoted"]),
        ("Приве́т".replace("\u0301", "") + "\nмир", ["привет", "мир"]),
        (" ,.! \0", []),
    ],
)
def test_what_a_word_is(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_signs_may_be_words_too() -> None:
    assert words_of("Who's “there”, 3.5?", unit="word_or_sign") == ["who's", "“", "there", "”", ",", "3", ".", "5", "?"]
    assert words_of("... " * 9, 4, "word_or_sign") == ["."] * 4


@pytest.mark.parametrize("text", ["a " * 500, "word " * 500, "x" * 900 + " y" * 500, "a, " * 200 + "last"])
def test_of_a_long_text_the_first_words_are_the_same_however_many_are_asked_for(text: str) -> None:
    whole = words_of(text)
    for count in (1, 2, 5, 50, 199, 201, 600):
        assert words_of(text, count) == whole[:count]


def test_a_stored_text_comes_back() -> None:
    assert texts_of(batch()["text"]) == Tokens(vocabulary_size=3, length=4).written(batch()) == TEXTS
    assert bytes_of("é").tolist() == [0xC3, 0xA9]
    assert texts_of(bytes_of("ab\ud800")[None]) == ["ab?"], "half a character cannot be stored"


def test_the_vocabulary_is_of_the_training_samples_that_take_part_by_frequency() -> None:
    given = Tokens(vocabulary_size=3, length=4)
    assert given.learns and given.vocabulary == 5, "before, as many rows as there may be"
    learnt = given.learn(split(), np.array([0, 1, 2]))
    # a 3, cat 3, the 3, dog 2, ran 2, fish 1, sat 1: as frequent ones are sorted
    assert learnt.words == ("a", "cat", "the")
    assert not learnt.learns
    # in the three texts: a in the last, cat in all, the in the first two
    told = {"vocabulary": 5, "length": 4, "texts": 3, "found_in": (1, 3, 2)}
    assert learnt.told() == {**told, "occurrences": (6, 3, 3, 3)}, "dog, ran, fish and sat are six unknown words"
    assert given.learn(split(), np.array([1])).words == ("ran", "the", "cat"), "of this fold's alone"
    assert Tokens(vocabulary_size=9, length=4, at_least=2).learn(split(), np.arange(5)).words == (
        *("a", "cat", "the", "dog", "ran"),
    )
    assert Tokens(vocabulary_size=9, length=1).learn(split(), np.arange(3)).vocabulary == 9, "beyond the cut too"


def test_no_frequent_word_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.at_least=4: no word of the 3 training texts"):
        Tokens(vocabulary_size=3, length=4, at_least=4).learn(split(), np.array([0, 1, 2]))


def test_words_become_numbers_cut_and_filled_up() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    assert numbered(given, TEXTS) == [
        [4, 3, UNKNOWN, PADDING],
        [4, 3, UNKNOWN, 4],
        [2, UNKNOWN, 2, 3],
        [UNKNOWN, UNKNOWN, UNKNOWN, PADDING],
        [UNKNOWN, PADDING, PADDING, PADDING],
    ]
    assert numbered(given, [""]) == [[UNKNOWN, PADDING, PADDING, PADDING]], "no text is empty"


def test_numbers_do_not_depend_on_the_texts_beside_it() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    assert numbered(given, TEXTS) == [numbered(given, [text])[0] for text in TEXTS]


def test_a_batch_may_be_filled_up_to_its_longest_text_alone() -> None:
    given = Tokens(vocabulary_size=3, length=4, padding="longest", words=("a", "cat", "the"))
    assert numbered(given, ["", "the cat"]) == [[UNKNOWN, PADDING], [4, 3]]
    assert numbered(given, [""]) == [[UNKNOWN]]
    assert numbered(given, ["the cat sat", "many words " * 9]) == [[4, 3, UNKNOWN, PADDING], [UNKNOWN] * 4], "no more"


def test_a_text_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    preparation = Tokens(3, 4, words=("a", "cat", "the")).preparation(
        None, (), seed=0, centred=True, channels_last=False
    )
    first = preparation(batch(), True, 0)["tokens"]
    monkeypatch.setattr("cnnexp.inputs.tokens.words_of", lambda text, count=None: pytest.fail("a second time"))
    assert torch.equal(preparation(batch(), True, 1)["tokens"], first)


def test_how_many_words_of_a_split_are_unknown_is_said() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    # of the 18 words: the cat · the cat the · a a cat a; sat, ran, dog, ran, dog, fish, unseen, words, only are unknown
    assert given.remark(split(), "the test") == "3 words have numbers; of the 18 of the test 50.0% are unknown"
    assert given.remark(split([""]), "the test") is None


def test_a_prepared_text_is_told_with_its_numbers() -> None:
    preparation = Tokens(3, 9, words=("a", "cat", "the")).preparation(
        None, (), seed=0, centred=True, channels_last=False
    )
    assert preparation.lines(preparation(batch(["The cat sat.\n"]), True, 0)) == [
        "The cat sat.",
        "  the 4 · cat 3 · □ 1",
    ]


def test_it_is_told_to_nets_and_tried_with_numbers_in_range() -> None:
    given = Tokens(vocabulary_size=3, length=4)
    assert (given.shape, given.side, given.setting) == ((4,), 4, "data.length=4")
    (example,) = given.example(2)
    assert (example.shape, example.dtype, example.device.type) == ((2, 4), torch.int64, "meta")
    (real,) = Tokens(vocabulary_size=3, length=4, words=("a",)).example(2, "cpu")
    assert 0 < int(real.min()) <= int(real.max()) < 3, "no text is all padding"
    assert given.with_side(9).shape == given.of_shape((9,)).shape == (9,)


def test_what_was_learnt_lies_in_json() -> None:
    given = Tokens(vocabulary_size=3, length=4)
    learnt = given.learn(split(), np.arange(3))
    known = {"words": ["a", "cat", "the"], "texts": 3, "found_in": [1, 3, 2]}
    assert learnt.learnt() == {**known, "occurrences": [6, 3, 3, 3]}
    earlier = given.with_learnt(known)
    assert earlier.occurrences is None and earlier.learnt() == known, "as an earlier version wrote it, and its digest"
    for wrong in ([6, 3, 3], [6, 3, 3, -1], "6333", [6, 3, 3, 0.5]):
        with pytest.raises(InputError, match=r"input\.json: expected occurrences, a number for unknown words"):
            given.with_learnt({**known, "occurrences": wrong})
    assert given.with_learnt(learnt.learnt()) == learnt
    stated = Tokens(vocabulary_size=3, length=4, words=("dog",))
    assert stated.learns, "how many texts a word is in is not known yet"
    assert stated.learn(split(), np.arange(3)) == Tokens(
        3, 4, words=("dog",), texts=3, found_in=(2,), occurrences=(13, 2)
    )
    for texts, found_in in ((3, [1, 3]), (3, [1, 4, 2]), ("3", [1, 3, 2]), (3, [1, -1, 2]), (3, None)):
        with pytest.raises(InputError, match=r"input\.json: expected texts, a number, and found_in"):
            given.with_learnt({"words": ["a", "cat", "the"], "texts": texts, "found_in": found_in})
    for wrong in ({}, {"words": []}, {"words": ["a", "a"]}, {"words": ["a", 1]}, {"words": "ab"}, {"words": [""]}):
        with pytest.raises(InputError, match=r"input\.json: expected words"):
            given.with_learnt(wrong)


def test_a_text_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "review.txt"
    path.write_bytes("\ufeffA dog…\n".encode())
    given = Tokens(vocabulary_size=3, length=4, words=("a",))
    assert path.suffix in given.suffixes
    stored = given.read(path)
    assert texts_of(stored["text"]) == ["A dog…\n"] and stored["index"].tolist() == [0]
    assert np.array_equal(given.picture(path), given.pictures(stored)[0])
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"review\.txt: not a text in UTF-8"):
        given.read(path)
    with pytest.raises(InputError, match=r"none\.txt: there is no such file"):
        given.read(tmp_path / "none.txt")


def test_a_text_is_drawn() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    short, long = given.pictures(batch(["The cat sat.", "many words " * 400]))
    assert short.dtype == np.uint8 and short.shape[1:] == long.shape[1:] == (240, 3)
    assert short.shape[0] < long.shape[0] < 200, "as high as its lines, which are not many"
    assert (short < 128).any() and (long[-24:] < 128).any()
    (one_word,) = given.pictures(batch(["w" * 3000]))
    assert one_word.shape == short.shape, "a word that is too long is cut"


def test_of_a_prepared_text_the_words_are_shown_that_have_numbers() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    preparation = given.preparation(None, (), seed=0, centred=True, channels_last=False)
    shown = preparation.shown(preparation(batch(["The cat sat."]), False, 0))
    assert np.array_equal(shown[0], given.pictures(batch(["the cat □"]))[0])


def test_training_texts_are_augmented_and_others_are_not() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=("a", "cat", "the"))
    augmentation = TextAugmentation(seed=0, unknown=0.9)
    preparation = given.preparation(augmentation, (), seed=0, centred=True, channels_last=False)
    asked = batch(["the cat a cat"])
    assert preparation.augments and preparation(asked, False, 0)["tokens"].tolist() == [[4, 3, 2, 3]]
    assert 1 in preparation(asked, True, 0)["tokens"]
    assert not given.preparation(None, (), seed=0, centred=True, channels_last=False).augments


# --- rows of weights, matched by word ---------------------------------------------------------------------------------

OWN = Tokens(vocabulary_size=4, length=4, words=("cat", "fish", "the"))
THEIRS = Tokens(vocabulary_size=4, length=4, words=("the", "a", "cat", "dog"))


class Net(nn.Module):
    def __init__(self, vocabulary: int, width: int = 2, positions: int = 4, classes: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.positions = nn.Embedding(positions, width)
        self.body = nn.Linear(width, 5)
        self.head = nn.Linear(5, classes)


def test_rows_are_matched_by_word() -> None:
    weight, fresh = torch.arange(12.0).view(6, 2), -torch.arange(1.0, 11).view(5, 2)
    before = fresh.clone()
    rows = matched_rows(OWN, THEIRS, weight, fresh)
    assert rows.tolist() == [[0, 1], [2, 3], [8, 9], before[3].tolist(), [4, 5]]
    assert torch.equal(fresh, before)


def test_a_net_takes_over_the_rows_of_the_words_that_it_knows() -> None:
    state, net = Net(THEIRS.vocabulary).state_dict(), Net(OWN.vocabulary)
    fresh = net.embedding.weight.detach().clone()
    changed = adapted(net, state, OWN, THEIRS)
    assert list(changed) == ["embedding.weight"]
    begun = Start("run tiny", relearnt=list(changed))
    put_start(net, {**state, **changed}, begun, "tiny")
    assert torch.equal(net.embedding.weight[[2, 4]], state["embedding.weight"][[4, 2]])
    assert torch.equal(net.embedding.weight[3], fresh[3])
    assert torch.equal(net.body.weight, state["body.weight"])
    assert "embedding.weight matched by what the input learnt" in begun.described()


def test_as_many_other_words_are_matched_too() -> None:
    own = Tokens(vocabulary_size=4, length=4, words=("dog", "cat", "a", "the"))
    state, net = Net(6).state_dict(), Net(6)
    (made,) = adapted(net, state, own, THEIRS).values()
    assert torch.equal(made, state["embedding.weight"][[0, 1, 5, 4, 3, 2]])


def test_what_is_no_embedding_of_these_words_stays() -> None:
    state, net = Net(6).state_dict(), Net(5)
    assert adapted(net, state, THEIRS, THEIRS) == {}, "the same words"
    assert adapted(net, state, OWN, Signals(channels=1, length=4)) == {}
    assert adapted(Net(5, width=3), state, OWN, THEIRS) == {}, "of another width"
    assert adapted(Net(7), state, OWN, THEIRS) == {}, "of another number of rows"


def test_without_a_vocabulary_every_word_is_unknown() -> None:
    assert isinstance(Tokens(3, 2).preparation(None, (), seed=0, centred=True, channels_last=False), TokenPreparation)
    assert numbered(Tokens(3, 2), ["a b"]) == [[UNKNOWN, UNKNOWN]]


def test_texts_are_compared_by_how_often_each_word_occurs() -> None:
    given = Tokens(vocabulary_size=3, length=4, words=["a", "b"])
    counts = given.compared(torch.tensor([[2, 3, 2, 1], [3, 0, 0, 0]]))
    assert counts.tolist() == [[0, 1, 2, 1], [0, 0, 0, 1]]
