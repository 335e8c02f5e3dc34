"""``cnnexp visualize embedding``: samples as points in the plane, by what a net makes of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import Samples, Subject, add_subject, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from cnnexp.visualize.embedding import Plane
    from cnnexp.visualize.section import Section

LINE = "features or codes of many samples as points in the plane, by PCA and t-SNE"
EXAMPLE = """cnnexp visualize embedding last
  cnnexp visualize embedding last --samples 2000 --layer conv2
  cnnexp visualize embedding last --pixels
  cnnexp visualize embedding model=squeezenet1_0 model.weights=FILE photos"""
PLACE = 35
SPLITS = ("train", "val", "test")
METHODS = ("both", "pca", "tsne")
MOST_SAMPLES = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument("--samples", type=int, metavar="N", default=300, help="that lie evenly over the split [300]")
    parser.add_argument("--split", choices=SPLITS, default="test", help="[test]")
    parser.add_argument("--layer", metavar="NAME", default=None, help="whose answer is shown [the head's input]")
    parser.add_argument("--pixels", action="store_true", help="the samples themselves, to compare with")
    parser.add_argument("--method", choices=METHODS, default="both", help="[both]")
    parser.add_argument("--perplexity", type=float, metavar="P", default=30.0, help="of t-SNE: neighbours [30]")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of t-SNE [0]")


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.visualize.embedding import LEAST_SAMPLES

    problems = []
    if not LEAST_SAMPLES <= arguments.samples <= MOST_SAMPLES:
        problems.append(f"--samples {arguments.samples}: expected {LEAST_SAMPLES} to {MOST_SAMPLES:,}")
    if not 1 <= arguments.perplexity <= 1000:
        problems.append(f"--perplexity {arguments.perplexity:g}: expected 1 to 1000, usually 5 to 50")
    if not 0 <= arguments.seed < 2**32:
        problems.append(f"--seed {arguments.seed}: expected a whole number from 0 to {2**32 - 1}")
    if arguments.pixels and arguments.layer is not None:
        problems.append(f"--layer {arguments.layer}: --pixels shows the samples themselves; take one of them")
    if problems:
        raise InputError(*problems)
    return show(section(open_subject(arguments, "embedding"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Samples in the plane, as a chart, as pictures, and as a page to hover over."""
    from cnnexp.commands.spaces import as_they_are, features
    from cnnexp.visualize.canvas import to_image
    from cnnexp.visualize.embedding import LEAST_SAMPLES, pca, tsne
    from cnnexp.visualize.embedding_chart import pictures_image, planes_image
    from cnnexp.visualize.section import NotFitting, Section

    samples = subject.take(arguments.samples, arguments.split)
    if len(samples) < LEAST_SAMPLES:
        raise NotFitting(f"{subject.with_count(samples)}: a map of points needs {LEAST_SAMPLES} at least")
    if arguments.pixels:
        rows, what = as_they_are(samples), "the samples themselves"
    else:
        found = features(subject, samples, arguments.layer)
        rows, what = found.values.numpy(), found.what
    if rows.shape[1] < 2:
        raise NotFitting(f"{what} is a single number for each sample, which makes no plane")
    if (rows == rows[0]).all():
        raise NotFitting(f"{what} is the same for every sample, which makes no plane")
    planes = [] if arguments.method == "tsne" else [pca(rows)]
    planes += [] if arguments.method == "pca" else [tsne(rows, arguments.seed, arguments.perplexity)]
    labels = None if samples.labels is None else samples.labels.cpu().numpy()
    names = () if labels is None else subject.task.facts.label_names
    title = f"{subject.with_count(samples)}: {what}"
    pictures = [to_image(one) for one in samples.shown()]
    seen = "Points that lie together are samples of which the net makes much the same."
    if labels is not None:
        seen += (
            " Colours are classes: clean islands are classes that are easy to tell apart, and a point of another "
            "colour among them is a likely mistake."
        )
    beware = (
        "t-SNE keeps who is near whom, and nothing else: the size of an island, its shape and the gaps between islands "
        "mean nothing. PCA keeps distances, but only those along two of many directions."
    )
    notes = [_line(plane, arguments.perplexity) for plane in planes]
    return Section(
        title,
        {
            "embedding": planes_image(planes, labels, names, title),
            "embedding_pictures": pictures_image(planes[-1], pictures, labels, title),
        },
        [f"{rows.shape[1]:,} numbers for each of {len(rows):,} samples", *notes],
        {
            "of": what,
            "size": rows.shape[1],
            **{plane.method: _figures(plane) for plane in planes},
            "samples": list(samples.names),
        },
        seen,
        beware,
        {"embedding": _page(planes, samples, pictures, names, title, [*notes, seen, beware])},
    )


def _figures(plane: Plane) -> dict[str, Any]:
    found = {
        "trustworthiness": plane.trustworthiness,
        "explained": plane.explained,
        "perplexity": plane.perplexity,
        "points": plane.points.tolist(),
    }
    return {name: value for name, value in found.items() if value is not None}


def _line(plane: Plane, perplexity: float) -> str:
    explained = "" if plane.explained is None else f", {sum(plane.explained):.0%} of the variance"
    lowered = plane.perplexity is not None and plane.perplexity < perplexity
    fewer = f", perplexity {plane.perplexity:.3g} of so few samples" if lowered else ""
    return f"{plane.method + ':':<7} trustworthiness {plane.trustworthiness:.3f}{explained}{fewer}"


def _page(
    planes: Sequence[Plane],
    samples: Samples,
    pictures: Sequence[Image],
    names: Sequence[str],
    title: str,
    notes: Sequence[str],
) -> str:
    from cnnexp.report.page.map import page_of_map
    from cnnexp.report.page.write import page_text

    labels = None if samples.labels is None else samples.labels.tolist()
    views = {plane.method: plane.points.tolist() for plane in reversed(planes)}
    return page_text(page_of_map(views, pictures, samples.names, labels, names, title=title, notes=notes))
