"""``cnnexp visualize saliency``: which pixels a score rests on, by eight methods and CAM, side by side."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.asking import LOOKED_THROUGH, NothingThere, add_asked, asked, refuse_mixtures
from cnnexp.commands.looking import Samples, Subject, add_subject, evenly, named_layer, open_subject, show
from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.commands.asking import Asked
    from cnnexp.visualize.saliency import Found, Settings
    from cnnexp.visualize.sanity import Sanity
    from cnnexp.visualize.section import Section

PLACE = 50
LINE = "which pixels an answer rests on: gradients, CAM, occlusion, side by side"
EXAMPLE = """cnnexp visualize saliency last
  cnnexp visualize saliency last --sample 7 --class 3 --methods gradient,cam
  cnnexp visualize saliency last --layer conv2 --channel 5 --unit 4,6
  cnnexp visualize saliency last --sanity
  cnnexp visualize saliency model=squeezenet1_0 model.weights=FILE photo.jpg"""
STAGES = 7
"""Looks of a sanity check, at the trained net and while its layers are shuffled."""
MOST_PIXELS = 4096
MOST_STEPS = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument("--sample", type=int, metavar="N", default=None, help="which one, from 0 [the first]")
    add_asked(parser)
    parser.add_argument("--methods", metavar="A,B,…", default=None, help="[all that suit the net]")
    parser.add_argument("--cam-layer", metavar="NAME", default=None, help="Grad-CAM's [the last one with maps]")
    parser.add_argument("--steps", type=int, metavar="N", default=32, help="of integrated gradients [32]")
    parser.add_argument("--baseline", choices=("mean", "black"), default="mean", help="what hides [mean colour]")
    parser.add_argument("--noisy", type=int, metavar="N", default=16, help="pictures of SmoothGrad [16]")
    parser.add_argument("--noise", type=float, metavar="X", default=0.15, help="deviation, of the range [0.15]")
    parser.add_argument("--patch", type=int, metavar="PX", default=None, help="that hides [a sixth of the side]")
    parser.add_argument("--sanity", action="store_true", help="shuffle the weights: do the maps fall apart?")
    parser.add_argument("--measure", type=int, metavar="N", default=0, help="on N pictures: is it where the box is?")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of noise and shuffling [0]")


def run(arguments: argparse.Namespace) -> int:
    _refuse(arguments)
    refuse_mixtures(arguments)
    return show(section(open_subject(arguments, "saliency"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """One picture of the subject by all methods, and what was asked for beside that."""
    from cnnexp.visualize.saliency import Look, look
    from cnnexp.visualize.saliency_image import saliency_image
    from cnnexp.visualize.section import Section

    subject.refuse_unpictured("a map of pixels")
    sample, what = _first(subject, arguments)
    settings = _settings(subject, sample, what, arguments)
    methods, left_out = _fitting(arguments, settings, what)
    one = Look(subject.task.net, what.score, sample.prepared(), settings)
    found = look(one, methods)
    if arguments.methods is None:
        methods, left_out = _without_relus(found, methods, left_out)
        found = {name: found[name] for name in methods}
    title = f"{subject.name}, {sample.names[0]}: what speaks for {what.words}?"
    (picture,) = sample.shown()
    images = {"saliency": saliency_image(picture, found, title, what.words, what.boxes)}
    lines, figures = _lines(found, what, left_out), _figures(found, what, sample)
    if arguments.measure:
        more, figures["measured"] = _measured(subject, arguments, methods)
        lines += ["", *more]
    if arguments.sanity:
        result, images["saliency_sanity"] = _sanity(one, methods, picture, title, arguments.seed)
        lines += ["", *_sanity_lines(result)]
        figures["sanity"] = _sanity_figures(result)
    seen = (
        "Where the picture would have to change for the score to change (gradients), what it owes each pixel less a "
        "baseline (integrated gradients), which places of the last maps speak for it (CAMs), and what it loses where a "
        "patch hides the picture (occlusion)."
    )
    beware = (
        "A map that looks right does not prove that the net is: guided backpropagation and the deconvnet draw edges of "
        "the picture whatever the weights are, which --sanity shows; and no map says which other pictures would do."
    )
    return Section(title, images, lines, figures, seen, beware)


def _refuse(arguments: argparse.Namespace) -> None:
    for name, least, most in (("steps", 1, MOST_STEPS), ("noisy", 1, MOST_STEPS), ("patch", 1, MOST_PIXELS)):
        value = getattr(arguments, name)
        if value is not None and not least <= value <= most:
            raise InputError(f"--{name} {value}: expected a number from {least} to {most}")
    if arguments.measure < 0 or arguments.seed < 0 or (arguments.sample or 0) < 0:
        raise InputError("--measure, --seed, --sample: expected numbers of at least 0")
    if not (math.isfinite(arguments.noise) and arguments.noise > 0):
        raise InputError(f"--noise {arguments.noise:g}: expected a number above 0, such as 0.15")


def _first(subject: Subject, arguments: argparse.Namespace) -> tuple[Samples, Asked]:
    """The picture that was chosen, or the first in which there is something to ask about."""
    if arguments.sample is not None:
        sample = subject.one(arguments.sample)
        return sample, asked(subject, sample, arguments)
    for place in range(min(LOOKED_THROUGH, subject.count)):
        sample = subject.one(place)
        try:
            return sample, asked(subject, sample, arguments)
        except NothingThere as error:
            nothing = error
    raise _unfitting(str(nothing))


def _unfitting(reason: str) -> Exception:
    from cnnexp.visualize.section import NotFitting

    return NotFitting(reason)


def _settings(subject: Subject, sample: Samples, what: Asked, arguments: argparse.Namespace) -> Settings:
    import torch

    from cnnexp.visualize.cams import last_maps, pooled
    from cnnexp.visualize.occlusion import usual_patch
    from cnnexp.visualize.saliency import Settings

    net, x = subject.task.net, sample.prepared()
    layer: str | None
    if arguments.cam_layer is not None:
        layer = named_layer([name for name, _ in net.named_modules() if name], arguments.cam_layer, "--cam-layer")
    else:
        layer = last_maps(net, what.score, x, what.layer)
    baseline = torch.zeros_like(x) if arguments.baseline == "mean" else _black(sample)
    patch = usual_patch(x.shape[-2], x.shape[-1]) if arguments.patch is None else arguments.patch
    if patch > min(x.shape[-2:]):
        raise InputError(f"--patch {patch}: the pictures have {x.shape[-2]}×{x.shape[-1]} pixels; take a smaller one")
    how = None if what.number is None else pooled(net, x)
    return Settings(
        arguments.noisy, arguments.noise, arguments.steps, patch, baseline, layer, how, what.number, arguments.seed
    )


def _black(sample: Samples) -> Any:
    """A black picture, or silence, as the net takes it."""
    return sample.of(sample.task.facts.input.blank(sample.stored))


def _fitting(arguments: argparse.Namespace, settings: Settings, what: Asked) -> tuple[list[str], list[str]]:
    """The methods that are named, or all that suit the net, and a line for each that does not."""
    from cnnexp.visualize.saliency import METHODS

    if arguments.methods is not None:
        methods = list(dict.fromkeys(arguments.methods.split(",")))
        unknown = [name for name in methods if name not in METHODS]
        if unknown:
            raise InputError(*(f"--methods {name}: no such method; {did_you_mean(name, METHODS)}" for name in unknown))
        return methods, []
    left_out = {}
    if settings.cam_layer is None:
        left_out["grad-cam"] = "no layer with maps lies before this score"
    if settings.how is None or settings.number is None:
        why = "is of a class" if settings.number is None else "the net does not average its last maps over all places"
        left_out["cam"] = why
    usual = [name for name in METHODS if name not in left_out and (name != "hirescam" or _of_a_place(what, settings))]
    return usual, [f"no {one}: {why}" for one, why in left_out.items()]


def _without_relus(
    found: Mapping[str, Found], methods: Sequence[str], left_out: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Leave out rules for ReLUs where none was met: they would be the gradient under other names."""
    same = [name for name in methods if (found[name].more or {}).get("relus") == 0]
    why = [f"no {name}: no ReLU was met, so it is the gradient" for name in same]
    return [name for name in methods if name not in same], [*left_out, *why]


def _of_a_place(what: Asked, settings: Settings) -> bool:
    """Whether the score is of a box or of some pixels, and not of the whole picture."""
    return what.layer is None and what.number is None and settings.cam_layer is not None


def _lines(found: Mapping[str, Found], what: Asked, left_out: Sequence[str]) -> list[str]:
    from cnnexp.visualize.saliency import energy, half_within

    head = f"{'method':<16}{'half within':>12}"
    if what.region is not None:
        head += f"{f'in {what.place}':>20}{'by chance':>11}"
    lines = [head]
    for name, one in found.items():
        line = f"{name:<16}{_percent(half_within(one.values)):>12}"
        if what.region is not None:
            line += f"{_percent(energy(one.values, what.region)):>20}{_percent(float(what.region.mean())):>11}"
        lines.append(line)
    lines += ["", "half within: the smallest part of the picture with half of what speaks for it."]
    for name, one in found.items():
        lines += f"{name}: {one.note}".split("\n") if one.note is not None else []
    return [*lines, *left_out]


def _percent(part: float) -> str:
    return "-" if math.isnan(part) else f"{part:.1%}"


def _figures(found: Mapping[str, Found], what: Asked, sample: Samples) -> dict[str, Any]:
    from cnnexp.visualize.saliency import energy, half_within

    methods: dict[str, Any] = {}
    for name, one in found.items():
        methods[name] = {"half_within": _plain(half_within(one.values)), **(one.more or {})}
        if what.region is not None:
            methods[name]["energy_inside"] = _plain(energy(one.values, what.region))
    score = float(what.score(sample.prepared()).item())
    chance = None if what.region is None else float(what.region.mean())
    return {"of": what.words, "score": score, "chance": chance, "methods": methods}


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _measured(
    subject: Subject, arguments: argparse.Namespace, methods: Sequence[str]
) -> tuple[list[str], dict[str, Any]]:
    """The part of what speaks for the answer that lies where it should, over several pictures."""
    import numpy as np

    from cnnexp.visualize.saliency import Look, energy, look

    places = evenly(range(subject.count), arguments.measure)
    inside: dict[str, list[float]] = {name: [] for name in methods}
    chances, where = [], ""
    for place in places:
        sample = subject.one(place)
        try:
            what = asked(subject, sample, arguments)
        except NothingThere:
            continue
        if what.region is None:
            continue
        settings = _settings(subject, sample, what, arguments)
        found = look(Look(subject.task.net, what.score, sample.prepared(), settings), methods)
        chances.append(float(what.region.mean()))
        where = what.place
        for name, one in found.items():
            inside[name].append(energy(one.values, what.region))
    if not chances:
        raise InputError("--measure: needs pictures whose boxes are known, or a net that finds places")
    chance = float(np.mean(chances))
    parts = {name: float(np.mean(np.nan_to_num(values))) for name, values in inside.items()}
    lines = [f"{len(chances)} pictures of {len(places)} have what is asked about: {where} is {chance:.1%} of them"]
    lines += [f"{name:<16}{part:>12.1%} in it,{part / chance:>6.1f} times chance" for name, part in parts.items()]
    times = {name: part / chance for name, part in parts.items()}
    return lines, {"pictures": len(chances), "chance": chance, "energy_inside": parts, "times_chance": times}


def _sanity(one: Any, methods: Sequence[str], picture: Any, title: str, seed: int) -> tuple[Sanity, Any]:
    from cnnexp.visualize.saliency import look
    from cnnexp.visualize.saliency_image import sanity_image
    from cnnexp.visualize.sanity import sanity

    seen: list[Mapping[str, Found]] = []

    def values() -> dict[str, Any]:
        seen.append(look(one, methods))
        return {name: found.values for name, found in seen[-1].items()}

    result = sanity(one.net, lambda: one.score(one.x), values, STAGES, seed)
    return result, sanity_image(picture, result, seen, f"{title} — and with shuffled weights?")


def _sanity_lines(result: Sanity) -> list[str]:
    head = f"{'layers shuffled':<16}" + "".join(f"{count:>7}" for count in result.layers)
    lines = [head]
    for method, values in result.correlations.items():
        verdict = {True: "passes", False: "FAILS", None: "empty"}[result.passes(method)]
        cells = "".join(f"{'-' if math.isnan(value) else f'{value:.2f}':>7}" for value in values)
        lines.append(f"{method:<16}{cells}  {verdict}")
    at = result.layers[result.verdict_at]
    lines += ["", "Spearman's correlation of absolute maps with the trained net's, while so many"]
    lines += [f"layers, from the top, have their weights shuffled. What at {at}, half of them, has"]
    lines += ["not made two thirds of its fall does not depend on what they had learnt."]
    failed = [method for method in result.correlations if result.passes(method) is False]
    lines.append(f"do not pass: {', '.join(failed)}" if failed else "none fails")
    return lines


def _sanity_figures(result: Sanity) -> dict[str, Any]:
    return {
        "layers": list(result.layers),
        "down_to": list(result.names),
        "correlations": {name: [_plain(one) for one in values] for name, values in result.correlations.items()},
        "passes": {name: result.passes(name) for name in result.correlations},
    }
