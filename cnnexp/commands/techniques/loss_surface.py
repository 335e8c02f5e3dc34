"""``cnnexp visualize loss-surface``: the loss around a net's weights, along random directions of its filters, or where
its training went."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import folder_of
from cnnexp.commands.looking import Samples, Subject, add_subject, open_subject, show
from cnnexp.commands.surface_losses import batches_of, bound, channels_last, loss_of, measure, samples_of, seconds
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnexp.commands.weight_way import Way
    from cnnexp.inputs.base import Batch
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.surface_points import SurfacePoints

LINE = "the loss around the trained weights: a valley, and how wide a one?"
EXAMPLE = """cnnexp visualize loss-surface last
  cnnexp visualize loss-surface last --points 9 --samples 200 --reach 0.5
  cnnexp visualize loss-surface last --one-dimension --seed 3
  cnnexp visualize loss-surface last --split test
  cnnexp train model=lenet5 checkpoint.keep=epochs
  cnnexp visualize loss-surface last --path"""
PLACE = 80
SPLITS = ("train", "val", "test")
POINTS, LINE_POINTS, SAMPLES, REACH = 19, 51, 1000, 1.0
PAGE_POINTS, PAGE_SAMPLES, PAGE_S = (9, 7, 5), 200, 20.0
"""On a page of all techniques: as many points along a side as come out in so many seconds."""
_EPOCHS_TOLD = 9
_NOT_OF_A_PATH = {
    "one-dimension": "a path lies in a plane",
    "reach": "the surface goes as far as the path",
    "seed": "its directions are the path's own",
    "checkpoint": "it ends in the weights after the last epoch",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "none: it takes samples whose truth is known")
    parser.add_argument("--points", type=int, metavar="N", default=None, help="along a side, an odd number [19]")
    parser.add_argument("--samples", type=int, metavar="N", default=None, help="that the loss is a mean of [1000]")
    parser.add_argument("--reach", type=float, metavar="R", default=None, help="to each side, in filter lengths [1]")
    parser.add_argument("--one-dimension", action="store_true", help="along a single direction, 51 points")
    parser.add_argument(
        "--path", action="store_true", help="of a training with checkpoint.keep=epochs, in its own plane"
    )
    parser.add_argument("--split", choices=SPLITS, default="train", help="[train, not augmented]")
    parser.add_argument("--seed", type=int, metavar="N", default=None, help="of the directions [0]")
    parser.set_defaults(keep=False)


def run(arguments: argparse.Namespace) -> int:
    problems = []
    if arguments.points is not None and not (3 <= arguments.points <= 201 and arguments.points % 2):
        problems.append(f"--points {arguments.points}: expected an odd number from 3 to 201, so that one is the centre")
    if arguments.samples is not None and arguments.samples < 1:
        problems.append(f"--samples {arguments.samples}: expected a number of at least 1")
    if arguments.reach is not None and not 0 < arguments.reach <= 100:
        problems.append(f"--reach {arguments.reach:g}: expected a number above 0, up to 100")
    if arguments.seed is not None and not 0 <= arguments.seed < 2**31:
        problems.append(f"--seed {arguments.seed}: expected a whole number from 0 to {2**31 - 1}")
    if arguments.path:
        problems.extend(
            f"--path: {why}; leave --{option} out"
            for option, why in _NOT_OF_A_PATH.items()
            if getattr(arguments, option.replace("-", "_")) not in (None, False)
        )
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

    from cnnexp.commands.weight_way import way_of
    from cnnexp.visualize.loss_surface import axis_of, filter_normalised, moving, points_of
    from cnnexp.visualize.section import NotFitting
    from cnnexp.visualize.surface_points import SurfacePoints
    from cnnexp.visualize.weight_path import axis_over

    _refuse_without_loss(subject)
    way = way_of(subject, arguments.trust) if arguments.path else None
    subject = way.subject if way is not None else subject
    task = subject.task
    samples = samples_of(subject, arguments.samples or (SAMPLES if arguments.keep else PAGE_SAMPLES), arguments.split)
    batches = batches_of(samples, subject.config["batch_size"])
    dimensions = 1 if arguments.one_dimension else 2
    seed = arguments.seed or 0
    directions = way.directions if way is not None else filter_normalised(task.net, seed, dimensions)
    of = {"seed": seed, "dimensions": dimensions} if way is None else {"path": dict(way.digests)}
    points = SurfacePoints(folder_of(arguments) if arguments.keep else None, bound(subject, batches) | of)
    with channels_last(subject), moving(task.net, directions) as moved:
        count = arguments.points or (LINE_POINTS if dimensions == 1 else POINTS)
        if not arguments.keep and arguments.points is None:
            count = _fitting(seconds(task, batches[0]) * len(samples), dimensions)
        if way is not None:
            axes = [axis_over(way.along(which), count) for which in range(dimensions)]
        else:
            axes = [axis_of(arguments.reach or REACH, count)] * dimensions
        measure(task, batches, moved, points, points_of(axes))
    if not np.isfinite(points[(0.0,) * dimensions]):
        raise NotFitting(f"{subject.name}: the loss of its weights is not finite, so there is nothing to see around it")

    grid = [points[place[::-1]] for place in product(*reversed(axes))]
    losses = np.array(grid).reshape(-1, len(axes[0]))  # rows along the second direction
    if way is not None:
        return _along(way, samples, batches, axes, losses, points, arguments)
    return _around(subject, samples, axes, losses, points, arguments)


def _around(
    subject: Subject,
    samples: Samples,
    axes: Sequence[Sequence[float]],
    losses: NDArray[Any],
    points: SurfacePoints,
    arguments: argparse.Namespace,
) -> Section:
    """The surface along random directions, or the line."""
    from cnnexp.visualize.loss_surface_chart import line_image, surface_image
    from cnnexp.visualize.section import Section

    title = f"{subject.with_count(samples)}: the loss around the trained weights"
    line = len(axes) == 1
    return Section(
        title,
        {"loss_surface": line_image(axes[0], losses[0], title) if line else surface_image(axes, losses, title)},
        [
            f"{_size(axes)} points, to {axes[0][-1]:g} filter lengths on each side",
            *_levels(losses, points, "trained", len(axes)),
        ],
        {"axis": list(axes[0]), **_figures(losses, points, samples, arguments.split, len(axes))},
        "Where the trained weights lie in the loss: in a wide valley a net stays nearly as good when its weights "
        "are disturbed, in a narrow one it does not. Two nets compare, as steps are measured in filters.",
        "Two random directions of very many: what is a valley here may have a way out in another one, and with another "
        "seed the picture is another. It is the loss without augmentation, with the norms as they were trained.",
    )


def _along(
    way: Way,
    samples: Samples,
    batches: list[Batch],
    axes: Sequence[Sequence[float]],
    losses: NDArray[Any],
    points: SurfacePoints,
    arguments: argparse.Namespace,
) -> Section:
    """The surface in the plane of a training, and the way in it."""
    from cnnexp.commands.epochs import spread_over
    from cnnexp.visualize.loss_surface_chart import surface_image
    from cnnexp.visualize.section import Section

    title = f"{way.subject.with_count(samples)}: where its training went"
    epochs, last = list(way.at), max(way.at)
    own = {
        epoch: loss_of(way.after(epoch, arguments.trust).task, batches) for epoch in spread_over(epochs, _EPOCHS_TOLD)
    }
    labels = [
        f"{which} principal component ({part:.1%} of the variance)"
        for which, part in zip(("first", "second"), way.explained, strict=True)
    ]
    path = {epoch: steps for epoch, (steps, _) in way.at.items()}
    image = surface_image(axes, losses, title, path, labels, f"the weights after epoch {last}")
    left_out = "" if len(epochs) == len(way.kept) + 1 else f" ({len(epochs)} of {len(way.kept) + 1} taken)"
    return Section(
        title,
        {"loss_surface_path": image},
        [
            f"epochs 0 to {last}{left_out}, {_size(axes)} points",
            f"variance explained           {way.explained[0]:.1%} and {way.explained[1]:.1%}",
            *_levels(losses, points, "last", 2),
            "",
            f"{'epoch':>5}{'first':>10}{'second':>10}{'in the plane':>15}{'its own loss':>15}",
            *(
                f"{epoch:>5}{way.at[epoch][0][0]:>10.3f}{way.at[epoch][0][1]:>10.3f}"
                f"{way.at[epoch][1]:>15.0%}{loss:>15.6g}"
                for epoch, loss in own.items()
            ),
            "",
            "first, second: the way from the last weights, in length of all weights;",
            "not filter-normalised. in the plane: part of its square that is seen.",
        ],
        {
            "axes": [list(axis) for axis in axes],
            **_figures(losses, points, samples, arguments.split, 2),
            "explained": list(way.explained),
            "path": [
                {"epoch": epoch, "steps": list(steps), "in_the_plane": held} for epoch, (steps, held) in way.at.items()
            ],
            "own_losses": {str(epoch): loss for epoch, loss in own.items()},
        },
        "Where the training came from and how it went down, in the plane in which its way is widest: the principal "
        "components of the weights' differences to the last ones. The loss under a point is that of the plane.",
        "What is not in the plane is not seen: weights have another loss than the point below them, the more so the "
        "less of their way the plane holds, and norms have the statistics of the last epoch everywhere. Any way looks "
        "smooth between its epochs. Steps are no filter lengths, so two nets do not compare.",
    )


def _size(axes: Sequence[Sequence[float]]) -> str:
    return "×".join(str(len(axis)) for axis in axes)


def _levels(losses: NDArray[Any], points: SurfacePoints, centre: str, dimensions: int) -> list[str]:
    import numpy as np

    at = points[(0.0,) * dimensions]
    rows = {
        f"loss of the {centre} weights": f"{at:.6g}",
        "lowest": f"{np.nanmin(losses):.6g}",
        "highest": f"{np.nanmax(losses):.6g}",
        f"up to twice the {centre} one": f"{np.mean(losses <= 2 * at):.0%} of the points",
    }
    kept = [f"points kept in {points.path.name}"] if points.path is not None else []
    return [*(f"{name:<29}{value}" for name, value in rows.items()), *kept]


def _figures(
    losses: NDArray[Any], points: SurfacePoints, samples: Samples, split: str, dimensions: int
) -> dict[str, Any]:
    import numpy as np

    centre = points[(0.0,) * dimensions]
    return {
        "losses": [[_plain(value) for value in row] for row in losses],
        "centre": centre,
        "up_to_twice": float(np.mean(losses <= 2 * centre)),
        "split": split,
        "samples": len(samples),
    }


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
