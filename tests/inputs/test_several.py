"""Several inputs at once: what each part is told and given, learnt by part, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.answers.mask import Mask
from cnnexp.builders.adapting import adapted
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.parts import of_part
from cnnexp.inputs.pictures import Pictures
from cnnexp.inputs.several import Several
from cnnexp.inputs.tokens import Tokens
from cnnexp.inputs.words import bytes_of
from tests.inputs.made import PICTURE, QUESTION, TEXTS, numbers, several, write_file

PLAIN: dict[str, Any] = dict(seed=0, centred=True, channels_last=False)


def test_each_part_is_what_it_would_be_alone() -> None:
    given, _ = several()
    assert isinstance(given, Several)
    assert given.parts == {
        "picture": Pictures(channels=3, image_size=(6, 8)),
        "question": Tokens(vocabulary_size=8, length=5),
    }
    assert (given.shape, given.notation, given.described()) == ((3, 6, 8, 5), "CxHxWxL", "3x6x8x5")
    unlearnt = {"texts": None, "found_in": None, "occurrences": None}
    assert given.told() == {"in_channels": 3, "image_size": (6, 8), "vocabulary": 10, "length": 5, **unlearnt}
    assert given.setting == "data.parts.picture.image_size=[6,8]"
    assert [tuple(one.shape) for one in given.example(2)] == [(2, 3, 6, 8), (2, 5)]


def test_what_two_parts_tell_has_their_names() -> None:
    signal = {"input": "signals", "channels": 1, "length": 9, "sequence": True}
    given = Several({"picture": PICTURE, "question": QUESTION, "beat": signal})
    assert given.told() == {
        **{"picture_in_channels": 3, "image_size": (6, 8), "vocabulary": 10, "question_length": 5},
        **{"beat_in_channels": 1, "beat_length": 9, "sequence": True, "texts": None, "found_in": None},
        "occurrences": None,
    }
    assert given.demands == {"sequence"}


def test_parts_of_one_kind_are_told_apart() -> None:
    given = Several({"question": QUESTION, "answer": {**QUESTION, "length": 2}})
    ragged = {"question.text": [bytes_of("a b a"), bytes_of("c")], "answer.text": [bytes_of("b"), bytes_of("b a")]}
    learnt = given.learn(TensorSplit({}, ragged=ragged), np.arange(2))
    assert learnt.learnt() == {
        "question": {"words": ["a", "b", "c"], "texts": 2, "found_in": [1, 1, 1], "occurrences": [0, 2, 1, 1]},
        "answer": {"words": ["b", "a"], "texts": 2, "found_in": [2, 1], "occurrences": [0, 2, 1]},
    }
    batch = learnt.preparation(None, (), **PLAIN)(TensorSplit({}, ragged=ragged).batch([0, 1]), False, 0)
    question, answer = learnt.arguments(batch)
    assert question.tolist() == [[2, 3, 2, 0, 0], [4, 0, 0, 0, 0]]
    assert answer.tolist() == [[2, 0], [2, 3]]


def test_parts_that_are_alike_learn_as_one() -> None:
    given = Several({"question": QUESTION, "answer": {**QUESTION, "length": 2}}, ("question", "answer"))
    ragged = {"question.text": [bytes_of("a b a"), bytes_of("c")], "answer.text": [bytes_of("b"), bytes_of("b a long")]}
    split = TensorSplit({}, ragged=ragged)
    learnt = given.learn(split, np.arange(2))
    told = {"words": ["a", "b", "c", "long"], "texts": 4, "found_in": [2, 3, 1, 1], "occurrences": [0, 3, 3, 1, 1]}
    assert learnt.learnt() == {"question": told, "answer": told}
    assert given.with_learnt(learnt.learnt()) == learnt
    question, answer = learnt.arguments(learnt.preparation(None, (), **PLAIN)(split.batch([0, 1]), False, 0))
    assert question.tolist() == [[2, 3, 2, 0, 0], [4, 0, 0, 0, 0]]
    assert answer.tolist() == [[3, 0], [3, 2]]
    assert given.written(split.batch([0, 1])) == ["a b a\nb", "c\nb a long"]
    alone = given.learn(split, np.array([1])).learnt()["answer"]
    assert alone == {
        "words": ["a", "b", "c", "long"],
        "texts": 2,
        "found_in": [1, 1, 1, 1],
        "occurrences": [0, 1, 1, 1, 1],
    }


def test_only_parts_of_one_kind_are_alike() -> None:
    with pytest.raises(InputError, match=r"data.alike=\['picture', 'question'\]: expected names of parts of one kind"):
        Several({"picture": PICTURE, "question": QUESTION}, ("picture", "question"))
    with pytest.raises(InputError, match=r"data\.alike"):
        Several({"question": QUESTION, "answer": QUESTION}, ("question", "anwser"))


def test_all_parts_are_shown() -> None:
    """The first where it would be alone, so that answers can be drawn on it; the text below."""
    given, split = several()
    learnt = given.learn(split, np.arange(6))
    batch = split.batch([0, 1])
    (first, _), alone = learnt.pictures(batch), learnt.parts["picture"].pictures(of_part(batch, "picture"))[0]
    assert (first[: alone.shape[0], : alone.shape[1]] == alone).all()
    assert first.shape[0] > alone.shape[0] and (first[alone.shape[0] :] < 128).any()
    assert first.shape[1] < 240 and (first[:, -4:] == 255).all() and (first[:, -8:] < 255).any(), (
        "no wider than the text"
    )
    shown = learnt.preparation(None, (), **PLAIN).shown(learnt.preparation(None, (), **PLAIN)(batch, False, 0))
    assert shown[0].shape[0] > alone.shape[0]


def test_the_truth_follows_the_first_part_alone() -> None:
    stored = {"first.image": numbers(1, 8, 8), "second.image": numbers(1, 8, 8)}
    stored |= {"mask": stored["first.image"][:, 0], "label": torch.arange(6), "index": torch.arange(6)}
    part = {"input": "pictures", "channels": 1, "image_size": [4, 4], "decode_size": [8, 8]}
    given = Several({"first": part, "second": {**part, "image_size": [6, 6]}})
    preparation = given.preparation(None, (Mask(("a", "b")),), **PLAIN)
    cut = preparation.stored(stored)
    assert torch.equal(cut["mask"], cut["first.image"][:, 0]) and cut["mask"].shape == (6, 4, 4)
    assert cut["second.image"].shape == (6, 1, 6, 6) and torch.equal(cut["label"], torch.arange(6))
    prepared = preparation(stored, True, 0)
    assert prepared.keys() == stored.keys() and prepared["mask"].shape == (6, 4, 4)
    assert [one.shape for one in given.arguments(prepared)] == [one.shape for one in given.example(6)]


def test_a_part_sees_its_own_and_the_truth() -> None:
    batch = {"a.x": torch.zeros(1), "ab.x": torch.ones(1), "label": torch.zeros(2)}
    assert of_part(batch, "a") == {"x": batch["a.x"], "label": batch["label"]}


def test_a_file_names_a_file_for_each_part(tmp_path: Path) -> None:
    given, _ = several()
    path = write_file("several", tmp_path)
    batch = given.read(path)
    assert batch.keys() == {"picture.image", "question.text", "index"}
    alone = given.parts["picture"].picture(tmp_path / "a.png")
    assert np.array_equal(given.picture(path)[: len(alone), : alone.shape[1]], alone)
    for wrong in ("[]", '{"picture": "a.png"}', '{"picture": "a.png", "question": 1}', "{"):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(InputError, match=r"a\.json: "):
            given.read(path)
    path.write_text(json.dumps({"picture": "a.png", "question": "none.txt"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"none\.txt: there is no such file"):
        given.read(path)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"picture": PICTURE}, "data.parts: expected two inputs or more"),
        ({"a": PICTURE, "b": {"channels": 3}}, "data.parts.b: expected the keys of an input, and its kind"),
        ({"a": PICTURE, "b": 3}, "data.parts.b: expected the keys of an input"),
        ({"a": PICTURE, "b.c": QUESTION}, "data.parts.b.c: a part's name is a word"),
        ({"a": PICTURE, "b": {**QUESTION, "input": "mine.points.Points"}}, "own ones are no parts of others"),
        ({"a": PICTURE, "b": {**QUESTION, "input": "os"}}, "data.parts.b.input=os: no kind of input"),
        ({"a": PICTURE, "b": {**QUESTION, "input": "base"}}, "data.parts.b.input=base: no kind of input"),
        ({"a": PICTURE, "b": {"input": "several", "parts": {}}}, "data.parts.b.input=several: no kind of input"),
        ({"a": PICTURE, "b": {**QUESTION, "widht": 3}}, "data.parts.b: got an unexpected keyword argument 'widht'"),
        ({"a": PICTURE, "b": {"input": "tokens"}}, "data.parts.b: missing a required argument: 'vocabulary_size'"),
    ],
)
def test_what_is_no_part_is_refused(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        Several(parts)
    assert len(caught.value.lines) == 1 and says in caught.value.lines[0]


def test_an_augmentation_is_refused() -> None:
    given, _ = several()
    assert given.problems(None, (), False) == []
    (line,) = given.problems(object(), (), False)
    assert "left or right" in line and line.endswith("take augmentation=none")


def test_a_file_and_a_question_about_it(tmp_path: Path) -> None:
    given, _ = several()
    assert isinstance(given, Several) and given.asked_about == ("picture", "question")
    write_file("several", tmp_path)
    batch = given.of_question(tmp_path / "a.png", "is it a cat")
    assert torch.equal(batch["picture.image"], given.read(tmp_path / "a.json")["picture.image"])
    assert given.parts["question"].written(of_part(batch, "question")) == ["is it a cat"]
    assert batch["index"].tolist() == [0]
    with pytest.raises(InputError, match="holds no word"):
        given.of_question(tmp_path / "a.png", "?")
    for others in ([QUESTION, QUESTION], [PICTURE, PICTURE], [PICTURE, PICTURE, QUESTION]):
        assert Several(dict(zip("abc", others, strict=False))).asked_about is None


def test_parts_are_told_in_lines() -> None:
    given, split = several()
    preparation = given.learn(split, np.arange(6)).preparation(None, (), **PLAIN)
    assert preparation.lines(preparation(split.batch([0]), True, 0))[0] == TEXTS[0]


def test_what_was_learnt_is_of_these_parts() -> None:
    given, split = several()
    learnt = given.learn(split, np.arange(len(TEXTS)))
    assert given.with_learnt(learnt.learnt()) == learnt
    for wrong in ({}, {"question": 1}, {"picture": {"words": ["a"]}}, {"question": {"words": ["a"]}, "more": {}}):
        with pytest.raises(InputError, match=r"input\.json: expected what each of question learnt"):
            given.with_learnt(wrong)


def test_embeddings_of_two_vocabularies_are_told_apart_by_name() -> None:
    def knowing(question: tuple[str, ...], answer: tuple[str, ...]) -> Several:
        return Several({"question": {**QUESTION, "words": question}, "answer": {**QUESTION, "words": answer}})

    own, theirs = knowing(("a", "b"), ("c", "d")), knowing(("b", "a"), ("d", "c"))
    net = nn.ModuleDict({"of_answer": nn.Embedding(4, 1), "of_question": nn.Embedding(4, 1)})
    state = {name: torch.arange(4.0)[:, None] for name in net.state_dict()}
    made = adapted(net, state, knowing(("a", "b"), ("c", "x")), theirs)
    assert made["of_question.weight"][:, 0].tolist() == [0, 1, 3, 2]
    assert made["of_answer.weight"][:3, 0].tolist() == [0, 1, 3]
    assert float(made["of_answer.weight"][3, 0]) == float(net.state_dict()["of_answer.weight"][3, 0])
    assert set(adapted(net, state, own, theirs)) == set(state)
    assert adapted(net, state, own, Tokens(vocabulary_size=2, length=5, words=("b", "a"))) == {}
