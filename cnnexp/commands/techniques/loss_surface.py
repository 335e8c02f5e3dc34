"""``cnnexp visualize loss-surface``: the loss around a net's weights, along random directions of its filters."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import folder_of
from cnnexp.commands.looking import Samples, Subject, add_subject, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.inputs.base import Batch
    from cnnexp.tasks.base import Task
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.surface_points import Point, SurfacePoints

LINE = "the loss around the trained weights: a valley, and how wide a one?"
EXAMPLE = """cnnexp visualize loss-surface last
  cnnexp visualize loss-surface last --points 9 --samples 200 --reach 0.5
  cnnexp visualize loss-surface last --one-dimension --seed 3
  cnnexp visualize loss-surface last --split test"""
PLACE = 80
SPLITS = ("train", "val", "test")
POINTS, LINE_POINTS, SAMPLES = 19, 51, 1000
PAGE_POINTS, PAGE_SAMPLES, PAGE_S = (9, 7, 5), 200, 20.0
"""On a page of all techniques: as many points along a side as come out in so many seconds."""
_AT_ONCE = 100
_TIMED = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "none: it takes samples whose truth is known")
    parser.add_argument("--points", type=int, metavar="N", default=None, help="along a side, an odd number [19]")
    parser.add_argument("--samples", type=int, metavar="N", default=None, help="that the loss is a mean of [1000]")
    parser.add_argument("--reach", type=float, metavar="R", default=1.0, help="to each side, in filter lengths [1]")
    parser.add_argument("--one-dimension", action="store_true", help="along a single direction, 51 points")
    parser.add_argument("--split", choices=SPLITS, default="train", help="[train, not augmented]")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of the directions [0]")
    parser.set_defaults(keep=False)


def run(arguments: argparse.Namespace) -> int:
    problems = []
    if arguments.points is not None and not (3 <= arguments.points <= 201 and arguments.points % 2):
        problems.append(f"--points {arguments.points}: expected an odd number from 3 to 201, so that one is the centre")
    if arguments.samples is not None and arguments.samples < 1:
        problems.append(f"--samples {arguments.samples}: expected a number of at least 1")
    if not 0 < arguments.reach <= 100:
        problems.append(f"--reach {arguments.reach:g}: expected a number above 0, up to 100")
    if not 0 <= arguments.seed < 2**31:
        problems.append(f"--seed {arguments.seed}: expected a whole number from 0 to {2**31 - 1}")
    if problems:
        raise InputError(*problems)
    subject = open_subject(arguments, "loss-surface")
    if subject.given is not None:
        raise InputError(f"{subject.given.names[0]}: nobody knows its truth; leave files out")
    arguments.keep = True
    return show(section(subject, arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """The surface, or the line; the weights are as they were when it is done."""
    import numpy as np

    from cnnexp.visualize.loss_surface import axis_of, filter_normalised, moving, points_of
    from cnnexp.visualize.loss_surface_chart import line_image, surface_image
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.surface_points import SurfacePoints

    task = subject.task
    _refuse_without_loss(subject)
    samples = _samples(subject, arguments.samples or (SAMPLES if arguments.keep else PAGE_SAMPLES), arguments.split)
    batches = [_batch(samples, start) for start in range(0, len(samples), _AT_ONCE)]
    dimensions = 1 if arguments.one_dimension else 2
    folder = folder_of(arguments) if arguments.keep else None
    points = SurfacePoints(folder, _bound(subject, batches, arguments.seed, dimensions))
    directions = filter_normalised(task.net, arguments.seed, dimensions)
    with moving(task.net, directions) as moved:
        centre = (0.0,) * dimensions
        count = arguments.points or (LINE_POINTS if dimensions == 1 else POINTS)
        if not arguments.keep and arguments.points is None:
            count = _fitting(_seconds(task, batches[0]) * len(samples), dimensions)
        _measure(task, batches, moved, points, points_of(arguments.reach, count, dimensions))

    axis = axis_of(arguments.reach, count)
    title = f"{subject.with_count(samples)}: the loss around the trained weights"
    if dimensions == 1:
        losses = np.array([points[(a,)] for a in axis])
        image = line_image(axis, losses, title)
    else:
        losses = np.array([[points[a, b] for a in axis] for b in axis])
        image = surface_image(axis, losses, title)
    low, high = float(np.nanmin(losses)), float(np.nanmax(losses))
    inside = float(np.mean(losses <= 2 * points[centre]))
    size = "×".join([str(count)] * dimensions)
    return Section(
        title,
        {"loss_surface": image},
        [
            f"{size} points, to {arguments.reach:g} filter lengths on each side",
            f"loss of the trained weights  {points[centre]:.6g}",
            f"lowest                       {low:.6g}",
            f"highest                      {high:.6g}",
            f"up to twice the trained one  {inside:.0%} of the points",
            *([f"points kept in {points.path.name}"] if points.path is not None else []),
        ],
        {
            "axis": axis,
            "losses": [[_plain(value) for value in row] for row in np.atleast_2d(losses)],
            "centre": points[centre],
            "up_to_twice": inside,
            "split": arguments.split,
            "samples": len(samples),
        },
        "Where the trained weights lie in the loss: in a wide valley a net stays nearly as good when its weights "
        "are disturbed, in a narrow one it does not. Two nets compare, as steps are measured in filters.",
        "Two random directions of very many: what is a valley here may have a way out in another one, and with another "
        "seed the picture is another. It is the loss without augmentation, with the norms as they were trained.",
    )


def _seconds(task: Task, batch: Batch) -> float:
    """What a sample's loss takes, by a few of them."""
    few = {key: value[:_TIMED] for key, value in batch.items()}
    _loss(task, [few])
    began = time.perf_counter()
    _loss(task, [few])
    return (time.perf_counter() - began) / len(few["index"])


def _fitting(each_s: float, dimensions: int) -> int:
    """The most points along a side for which there is time on a page, of so many seconds each."""
    from cnnexp.visualize.section import NotFitting

    for count in PAGE_POINTS:
        if count**dimensions * each_s <= PAGE_S:
            return count
    least = PAGE_POINTS[-1] ** dimensions * each_s
    raise NotFitting(f"a small surface would take {least:.0f} s; cnnexp visualize loss-surface takes its time")


def _plain(value: float) -> float | None:
    return None if value != value else float(value)


def _refuse_without_loss(subject: Subject) -> None:
    from cnnexp.visualize.section import NotFitting

    if subject.data is None:
        raise NotFitting(f"{subject.name}: a loss needs samples whose truth is known; add data=NAME")
    if len(subject.task.turns) > 1:
        raise NotFitting(f"{subject.name}: its parts learn against each other, and have no loss in common")
    if not subject.task.evaluates_loss:
        raise NotFitting(f"{subject.name}: this net tells its loss in training only")
    if not any(one.ndim > 1 for one in subject.task.net.parameters()):
        raise NotFitting(f"{subject.name}: has no filters")


def _samples(subject: Subject, count: int, split: Any) -> Samples:
    """Evenly over the split; of the training split over the samples that took part."""
    import numpy as np

    from cnnexp.commands.spaces import at

    assert subject.data is not None
    positions = subject.data.train_positions() if split == "train" else np.arange(len(subject.data.split(split)))
    places = np.linspace(0, len(positions) - 1, min(count, len(positions))).round().astype(np.int64)
    return at(subject, positions[places].tolist(), split)


def _batch(samples: Samples, start: int) -> Batch:
    stored = {key: value[start : start + _AT_ONCE] for key, value in samples.stored.items()}
    return samples.task.prepare(stored, train=False)


def _bound(subject: Subject, batches: list[Batch], seed: int, dimensions: int) -> dict[str, Any]:
    """What a point is a loss of, and by which settings: a run's weights may be asked about with another loss."""
    import torch

    from cnnexp.visualize.surface_points import digest_of

    task, config = subject.task, subject.config
    weights = config["regularization"]["class_weights"]
    held = {f"{place}.{key}": value for place, batch in enumerate(batches) for key, value in batch.items()}
    return {
        "weights": digest_of(task.state_dict()),
        "loss": {"loss": config["loss"], "task": config["task"], "model": config["model"], "class_weights": weights},
        "samples": digest_of(held),
        "seed": seed,
        "dimensions": dimensions,
        "torch": torch.__version__,
        "device": task.device.type,
    }


def _measure(task: Task, batches: list[Batch], moved: Any, points: SurfacePoints, wanted: list[Point]) -> None:
    """The points that are not known yet, with a bar on a terminal."""
    from cnnexp.commands.watching import watched

    missing = [point for point in wanted if point not in points]
    for point in watched(missing, len(missing), "points"):
        moved.to(point)
        points.add(point, _loss(task, batches))


def _loss(task: Task, batches: list[Batch]) -> float:
    """The mean over all samples, each term by the count behind it, as an evaluation has it."""
    import torch

    from cnnexp.tasks.means import LossMeans

    means = LossMeans(task.term_names)
    with torch.no_grad():
        for batch in batches:
            means.update([term for term in task.step(batch, "val").terms if term.judged])
    return float(means.compute()["loss"])
