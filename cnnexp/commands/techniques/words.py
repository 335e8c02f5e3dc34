"""``cnnexp visualize words``: which words fire a filter most, a row a filter, words of like vectors, and analogies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnexp.commands.asked_words import Answer, Vocabulary, add_questions, answers, save
from cnnexp.commands.looking import Subject, add_subject, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from cnnexp.visualize.section import Section

LINE = "words that fire a filter, words whose vectors lie near one, and analogies"
EXAMPLE = """cnnexp visualize words last
  cnnexp visualize words last --filters 8 --grams 3 --split train
  cnnexp visualize words last --near city --near film --analogy king-man+woman
  cnnexp visualize words last --save vectors.txt"""
PLACE = 45
MOST = {"samples": 20_000, "filters": 100, "grams": 12, "neighbours": 50}
_SHOWN = 5
"""Words whose neighbours a net of vectors alone shows where none are asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "texts, or folders [those of the test]")
    parser.add_argument("--samples", type=int, metavar="N", default=2000, help="texts that are searched [2000]")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="that they are of [test]")
    parser.add_argument("--filters", type=int, metavar="N", default=4, help="of each width, the choosiest [4]")
    parser.add_argument("--grams", type=int, metavar="N", default=5, help="groups of words of each [5]")
    add_questions(parser)


def run(arguments: argparse.Namespace) -> int:
    wrong = [name for name, most in MOST.items() if not 1 <= getattr(arguments, name) <= most]
    if wrong:
        raise InputError(
            *(f"--{name} {getattr(arguments, name)}: expected a number from 1 to {MOST[name]}" for name in wrong)
        )
    return show(section(open_subject(arguments, "words"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Texts searched for what fires some filters of each width most, where there are filters; the words that were asked
    about; and words in the plane, where there is nothing but vectors."""
    from cnnexp.visualize.section import NotFitting
    from cnnexp.visualize.words import vectors_of

    net, vectors = subject.task.net, vectors_of(subject.task.net)
    if vectors is None:
        raise NotFitting(f"{subject.name}: has no vectors of words, as model=kim_cnn and model=skipgram have")
    vocabulary = Vocabulary(tuple(subject.task.facts.input.learnt()["words"]), vectors.float().cpu())
    filters = hasattr(net, "filters")
    near, analogies = arguments.near or [], arguments.analogy or []
    if not (filters or near or analogies):
        near = _frequent(subject, vocabulary)[:_SHOWN]
    found = answers(vocabulary, near, analogies, arguments.neighbours)
    saved = [] if arguments.save is None else ["", f"vectors: {save(vocabulary, arguments.save)}"]
    made = _of_filters(subject, vocabulary, found, arguments) if filters else _of_vectors(subject, vocabulary, found)
    lines = [*made.lines, *(line for one in found for line in one.lines), *saved]
    return replace(made, lines=lines if made.lines else lines[1:])  # each answer begins with an empty line


def _of_filters(
    subject: Subject, vocabulary: Vocabulary, found: Sequence[Answer], arguments: argparse.Namespace
) -> Section:
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.words_sheet import WordsRow, words_image

    samples = subject.take(arguments.samples, arguments.split)
    rows = _rows(subject, samples.prepared(), ("", "□", *vocabulary.words), arguments)
    title = f"{subject.with_count(samples)}: the words that fire a filter most"
    return Section(
        title,
        {"words": words_image([WordsRow(_told(row), row["grams"]) for row in rows], title), **_sheet(subject, found)},
        _lines(rows),
        {
            "filters": [{**row, "grams": [{"words": gram, "answer": v} for gram, v in row["grams"]]} for row in rows],
            **_figures(found),
        },
        "Each row is a filter: the groups of words that it answers most, one of a text, and the class that its answer "
        "speaks for most in the last layer. □ is a word that has no number.",
        "The filters are those that stand out most on these texts. A class is decided by all of them together, and "
        "what fires one most is no proof of what it is for.",
    )


def _of_vectors(subject: Subject, vocabulary: Vocabulary, found: Sequence[Answer]) -> Section:
    from cnnexp.tasks.word_map import map_of_words
    from cnnexp.visualize.section import Section

    count, width = len(vocabulary.words), vocabulary.vectors.shape[1]
    return Section(
        f"{subject.name}: vectors of {count:,} words, {width} numbers each",
        {**_sheet(subject, found), **map_of_words(subject.task.net, subject.task.facts)},
        [],
        _figures(found),
        "Words with the smallest angle between their vectors and the one asked about, and its cosine; of an analogy "
        "those nearest to the sum, the words of the question left out. In the plane are frequent words that less than "
        "half of the texts have.",
        "A word lies near others that stand among the same words, which may as well be its opposite. The plane shows "
        "two directions of many, so that what lies together in it may be far apart.",
    )


def _sheet(subject: Subject, found: Sequence[Answer]) -> dict[str, Image]:
    """A row for each word or analogy that was asked about."""
    from cnnexp.visualize.words_sheet import WordsRow, words_image

    rows = [
        WordsRow(one.told, [(f"{word}  {cosine:.2f}", cosine) for word, cosine in one.found])
        for one in found
        if one.found
    ]
    return {"near": words_image(rows, f"{subject.name}: words by the angle of their vectors")} if rows else {}


def _figures(found: Sequence[Answer]) -> dict[str, Any]:
    return {kind: {one.asked: one.plain for one in found if one.kind == kind} for kind in ("near", "analogies")}


def _frequent(subject: Subject, vocabulary: Vocabulary) -> list[str]:
    """Frequent words that say something of a text."""
    from cnnexp.tasks.word_map import telling

    given: Any = subject.task.facts.input
    return [vocabulary.words[place] for place in telling(given, _SHOWN)]


def _rows(subject: Subject, tokens: Any, known: tuple[str, ...], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from cnnexp.visualize.words import loudest

    net: Any = subject.task.net
    texts = [[known[number] for number in row if number] for row in tokens.tolist()]
    groups = loudest(net.answers, tokens, [layer.kernel_size[0] for layer in net.filters])
    weight, classes, before, rows = net.linear.weight.detach().cpu(), subject.classes or (), 0, []
    for group in groups:
        for channel in group.choosiest(arguments.filters):
            of_classes = weight[:, before + channel]
            best = int(of_classes.argmax())
            rows.append(
                {
                    "window": group.window,
                    "filter": channel,
                    "class": classes[best] if best < len(classes) else str(best),
                    "weight": float(of_classes[best]),
                    "grams": group.best(channel, texts, arguments.grams),
                }
            )
        before += group.values.shape[1]
    return rows


def _told(row: dict[str, Any]) -> str:
    return f"{row['window']} words, {row['filter']}: {row['class']} {row['weight']:+.2f}"


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"{'words':<7}{'filter':<8}{'speaks for':<22}answer  words"]
    for row in rows:
        for place, (gram, value) in enumerate(row["grams"]):
            of = f"{row['window']:<7}{row['filter']:<8}{row['class'][:14]} {row['weight']:+.2f}" if place == 0 else ""
            lines.append(f"{of:<37}{value:>6.2f}  {gram}")
    return lines
