"""``cnnexp visualize words``: which words fire a filter most, a row a filter, and words of like vectors."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import Subject, add_subject, open_subject, show
from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.visualize.section import Section

LINE = "groups of words that fire a filter most, and words whose vectors lie near one"
EXAMPLE = """cnnexp visualize words last
  cnnexp visualize words last --filters 8 --grams 3 --split train
  cnnexp visualize words last --near city --near film"""
PLACE = 45
MOST = {"samples": 20_000, "filters": 100, "grams": 12, "neighbours": 50}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "texts, or folders [those of the test]")
    parser.add_argument("--samples", type=int, metavar="N", default=2000, help="texts that are searched [2000]")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="that they are of [test]")
    parser.add_argument("--filters", type=int, metavar="N", default=4, help="of each width, the choosiest [4]")
    parser.add_argument("--grams", type=int, metavar="N", default=5, help="groups of words of each [5]")
    parser.add_argument("--near", action="append", metavar="WORD", help="words near this one too; again for more")
    parser.add_argument("--neighbours", type=int, metavar="N", default=8, help="of each such word [8]")


def run(arguments: argparse.Namespace) -> int:
    wrong = [name for name, most in MOST.items() if not 1 <= getattr(arguments, name) <= most]
    if wrong:
        raise InputError(
            *(f"--{name} {getattr(arguments, name)}: expected a number from 1 to {MOST[name]}" for name in wrong)
        )
    return show(section(open_subject(arguments, "words"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Texts searched for what fires some filters of each width most; and the neighbours of words."""
    from cnnexp.visualize.section import NotFitting, Section
    from cnnexp.visualize.words_sheet import WordsRow, words_image

    net, given = subject.task.net, subject.task.facts.input
    if not hasattr(net, "word_embeddings") or not hasattr(net, "filters"):
        raise NotFitting(f"{subject.name}: has no filters over words, as model=kim_cnn has")
    known = ("", "□", *given.learnt()["words"])
    near = {word: _near(subject, known, word, arguments.neighbours) for word in arguments.near or ()}
    samples = subject.take(arguments.samples, arguments.split)
    rows = _rows(subject, samples.prepared(), known, arguments)
    title = f"{subject.with_count(samples)}: the words that fire a filter most"
    return Section(
        title,
        {"words": words_image([WordsRow(_told(row), row["grams"]) for row in rows], title)},
        [*_lines(rows), *_near_lines(near)],
        {
            "filters": [{**row, "grams": [{"words": gram, "answer": v} for gram, v in row["grams"]]} for row in rows],
            "near": {word: [{"word": other, "cosine": c} for other, c in found] for word, found in near.items()},
        },
        "Each row is a filter: the groups of words that it answers most, one of a text, and the class that its answer "
        "speaks for most in the last layer. □ is a word that has no number.",
        "The filters are those that stand out most on these texts. A class is decided by all of them together, and "
        "what fires one most is no proof of what it is for.",
    )


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


def _near(subject: Subject, known: tuple[str, ...], word: str, count: int) -> list[tuple[str, float]]:
    from cnnexp.visualize.words import nearest_words

    first, net = 2, subject.task.net
    if word.lower() not in known[first:]:
        raise InputError(f"--near {word}: no word of this run; {did_you_mean(word.lower(), known[first:])}")
    (weight, *_) = [layer.weight for layer in net.word_embeddings()]  # type: ignore[operator]
    found = nearest_words(weight, known.index(word.lower(), first), first, count)
    return [(known[number], cosine) for number, cosine in found]


def _told(row: dict[str, Any]) -> str:
    return f"{row['window']} words, {row['filter']}: {row['class']} {row['weight']:+.2f}"


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"{'words':<7}{'filter':<8}{'speaks for':<22}answer  words"]
    for row in rows:
        for place, (gram, value) in enumerate(row["grams"]):
            of = f"{row['window']:<7}{row['filter']:<8}{row['class'][:14]} {row['weight']:+.2f}" if place == 0 else ""
            lines.append(f"{of:<37}{value:>6.2f}  {gram}")
    return lines


def _near_lines(near: dict[str, list[tuple[str, float]]]) -> list[str]:
    return [
        line
        for word, found in near.items()
        for line in ("", f"near {word}", *(f"  {other:<20}{cosine:.3f}" for other, cosine in found))
    ]
