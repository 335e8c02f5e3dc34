"""``cnnexp visualize neighbours``: which samples are nearest to one, in pixels and in what a net makes of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import Samples, Subject, add_subject, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnexp.visualize.neighbours_chart import Shown
    from cnnexp.visualize.section import Section

LINE = "the pictures nearest to one, in pixels and in what a net makes of them"
EXAMPLE = """cnnexp visualize neighbours last
  cnnexp visualize neighbours last --queries 3,17 --layer conv2
  cnnexp visualize neighbours last photo.jpg
  cnnexp visualize neighbours model=squeezenet1_0 model.weights=FILE photos"""
PLACE = 30
SPLITS = ("train", "val", "test")
MOST_SAMPLES = 5000
_QUERIES, _MOST_QUERIES, _MOST_COUNT = 6, 40, 12
_FEATURES = "features"
_NEAR = {
    "pixels": "What is near in pixels has the same light and dark in the same places",
    "words": "What is near in words has the same words, in whatever order",
}
_WHATEVER = {"pixels": "wherever it lies and whatever colour it has", "words": "in whatever words it is said"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "pictures to look for, or folders [some test samples]")
    parser.add_argument("--queries", metavar="N,N,…", default=None, help="places of samples to look for [of 6 classes]")
    parser.add_argument("--count", type=int, metavar="N", default=6, help="neighbours of each [6]")
    parser.add_argument("--samples", type=int, metavar="N", default=200, help="to look among, evenly over [200]")
    parser.add_argument("--split", choices=SPLITS, default="test", help="[test]")
    parser.add_argument("--layer", metavar="NAME", default=None, help="whose answer are features [the head's input]")
    parser.add_argument("--distance", choices=("euclidean", "cosine"), default="euclidean", help="[euclidean]")


def run(arguments: argparse.Namespace) -> int:
    problems = []
    if not 1 <= arguments.count <= _MOST_COUNT:
        problems.append(f"--count {arguments.count}: expected 1 to {_MOST_COUNT} neighbours")
    if not 2 <= arguments.samples <= MOST_SAMPLES:
        problems.append(f"--samples {arguments.samples}: expected 2 to {MOST_SAMPLES:,}")
    if arguments.queries is not None and not _numbers(arguments.queries):
        problems.append(f"--queries {arguments.queries}: expected up to {_MOST_QUERIES} whole numbers, such as 3,17")
    if problems:
        raise InputError(*problems)
    return show(section(open_subject(arguments, "neighbours"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """The neighbours of some samples in both spaces, and how often the nearest has the same class."""
    import numpy as np

    from cnnexp.visualize.neighbours import agreement, by_chance, distances, nearest
    from cnnexp.visualize.neighbours_chart import neighbours_image
    from cnnexp.visualize.section import Section

    gallery, queries, own = _asked(subject, arguments)
    rows, what = _rows(subject, gallery, queries, arguments)
    apart = {space: distances(asked, among) for space, (among, asked) in rows.items()}
    near = {space: nearest(apart[space], own, arguments.count) for space in rows}

    labels = None if gallery.labels is None else gallery.labels.cpu().numpy()
    agreeing = {}
    if labels is not None:
        agreeing = {space: agreement(distances(among, among), labels) for space, (among, _) in rows.items()}
        agreeing["chance"] = by_chance(labels)
    told = [_Told(subject, queries, place) for place in range(len(queries))]
    found = {space: [[_Told(subject, gallery, int(place)) for place in row] for row in near[space]] for space in rows}
    as_given = next(iter(rows))
    title = f"{subject.with_count(gallery)}: nearest in {as_given} and in features"
    blocks = [
        [_shown(gallery.some(near[space][place]), found[space][place], one) for space in rows]
        for place, one in enumerate(told)
    ]
    spaces = [f"in {space}" for space in rows]
    return Section(
        title,
        {"neighbours": neighbours_image(_shown(queries, told), blocks, spaces, title)},
        _lines(told, found, agreeing, what, arguments.distance),
        {
            "features": what,
            "size": {space: rows[space][0].shape[1] for space in rows},
            "same_class": agreeing,
            "queries": _figures(
                told, found, {space: np.take_along_axis(apart[space], near[space], 1) for space in rows}
            ),
        },
        f"{_NEAR[as_given]}; what is near in features is what the net takes for alike, {_WHATEVER[as_given]}.",
        "A classifier was taught to bring classes together, so that it does so is no discovery; and nearness does not "
        "say by what two are alike: it may be the background.",
    )


def _rows(
    subject: Subject, gallery: Samples, queries: Samples, arguments: argparse.Namespace
) -> tuple[dict[str, tuple[NDArray[Any], NDArray[Any]]], str]:
    """In each space a row for each sample to look among, and for each query; and what the features are, in words."""
    from cnnexp.commands.spaces import as_they_are, features
    from cnnexp.visualize.neighbours import directions

    among, asked = (features(subject, one, arguments.layer) for one in (gallery, queries))
    rows = {
        subject.task.facts.input.compared_in: (as_they_are(gallery), as_they_are(queries)),
        _FEATURES: (among.values.numpy(), asked.values.numpy()),
    }
    if arguments.distance == "cosine":
        rows = {space: (directions(first), directions(second)) for space, (first, second) in rows.items()}
    return rows, among.what


class _Told:
    """A sample's name and class."""

    def __init__(self, subject: Subject, samples: Samples, place: int) -> None:
        self.name = samples.names[place]
        self.label = None if samples.labels is None else int(samples.labels[place])
        names = subject.task.facts.label_names if self.label is not None else ()
        self.of = names[self.label] if self.label is not None and self.label < len(names) else None

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "class": self.of}


def _numbers(text: str) -> list[int]:
    """Whole numbers; none where the text is something else."""
    parts = text.split(",")
    good = all(part.strip().isdecimal() for part in parts) and len(parts) <= _MOST_QUERIES
    return [int(part) for part in parts] if good else []


def _asked(subject: Subject, arguments: argparse.Namespace) -> tuple[Samples, Samples, NDArray[np.int64]]:
    """The samples to look among, those that are looked for, and the place of each of these among the former or -1."""
    import numpy as np

    from cnnexp.visualize.section import NotFitting

    if subject.data is None:
        gallery = subject.take(arguments.samples)
        if len(gallery) < 3:
            raise NotFitting(f"{subject.name}: needs data=NAME to look among, or three pictures at least")
        chosen = _within(arguments.queries, len(gallery)) or range(min(_QUERIES, len(gallery)))
        return gallery, gallery.some(chosen), np.array(chosen)
    if subject.given is not None and arguments.queries is not None:
        raise InputError(f"--queries {arguments.queries}: or {subject.given.names[0]}; look for samples, or for files")
    gallery = subject.of_split(arguments.samples, arguments.split)
    if subject.given is not None:
        return gallery, subject.given, np.full(len(subject.given), -1)
    places = _within(arguments.queries, len(subject.data.split(arguments.split)))
    if places:
        queries = subject.at(places, arguments.split)
        own = [gallery.names.index(name) if name in gallery.names else -1 for name in queries.names]
        return gallery, queries, np.array(own)
    chosen = _usual(gallery)
    return gallery, gallery.some(chosen), np.array(chosen)


def _within(text: str | None, count: int) -> list[int]:
    numbers = [] if text is None else _numbers(text)
    for number in numbers:
        if number >= count:
            raise InputError(f"--queries {number}: there are {count:,}; take 0 to {count - 1:,}")
    return numbers


def _usual(samples: Samples) -> list[int]:
    """The first of each of some classes; without classes, some that lie evenly."""
    import numpy as np

    if samples.labels is None:
        return np.unique(np.linspace(0, len(samples) - 1, _QUERIES).round().astype(int)).tolist()
    firsts = np.sort(np.unique(samples.labels.cpu().numpy(), return_index=True)[1])
    return firsts[:_QUERIES].tolist()


def _shown(samples: Samples, told: Sequence[_Told], query: _Told | None = None) -> list[Shown]:
    from cnnexp.visualize.neighbours_chart import Shown

    other = [query is not None and query.label is not None and one.label != query.label for one in told]
    pictures = zip(samples.shown(), told, other, strict=True)
    return [Shown(picture, one.of or one.name, different) for picture, one, different in pictures]


def _figures(
    told: Sequence[_Told], found: dict[str, list[list[_Told]]], apart: dict[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """Each query with its neighbours in both spaces, and how far these are."""
    return [
        {
            **one.plain(),
            **{
                space: [
                    {**other.plain(), "distance": float(distance)}
                    for other, distance in zip(found[space][place], apart[space][place], strict=True)
                ]
                for space in apart
            },
        }
        for place, one in enumerate(told)
    ]


def _lines(
    told: Sequence[_Told],
    found: dict[str, list[list[_Told]]],
    agreeing: dict[str, float],
    what: str,
    distance: str,
) -> list[str]:
    lines = [f"features: {what}; {distance} distances"]
    if agreeing:
        lines += ["", "the nearest other one is of the same class"]
        lines += [f"  in {space:<10}{agreeing[space]:.3f}" for space in found]
        lines += [f"  {'by chance':<13}{agreeing['chance']:.3f}"]
    lines += ["", f"{'query':<34}" + "".join(f"{f'nearest in {space}':<23}" for space in found).rstrip()]
    for place, one in enumerate(told):
        cells = [_cell(one, found[space][place]) for space in found]
        lines.append(f"{_cut(' '.join(filter(None, (one.name, one.of))), 32):<34}{cells[0]:<23}{cells[1]}".rstrip())
    return lines


def _cell(query: _Told, row: Sequence[_Told]) -> str:
    """Of how many of the neighbours the class is the query's; where it is not known, the nearest one's name."""
    if query.label is None:
        return _cut(row[0].of or row[0].name, 21)
    return f"{sum(one.label == query.label for one in row)} of {len(row)} of its class"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
