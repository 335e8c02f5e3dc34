"""What every key of a configuration may hold. Defaults live in YAML, once; here every key is required.

Nothing is coerced: a number where a switch is expected is an error, an integer may stand for a float, and ``nan`` and
``inf`` are no values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnexp.config.nearest import any_of, did_you_mean

LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Number:
    """A finite number between two bounds, which belong to the range unless ``above`` or ``below`` says otherwise."""

    low: float | None = None
    high: float | None = None
    whole: bool = False
    nullable: bool = False
    above: bool = False
    below: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        good = isinstance(value, int) if self.whole else isinstance(value, (int, float))
        if not good or isinstance(value, bool) or not math.isfinite(value) or not self._inside(value):
            return f"expected {self.described()}"
        return None

    def _inside(self, value: float) -> bool:
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or not (value > self.high or (self.below and value == self.high))

    def described(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = None if self.low is None else f"{'above' if self.above else 'of at least'} {_bound(self.low)}"
        high = None if self.high is None else f"{'below' if self.below else 'at most'} {_bound(self.high)}"
        text = " and ".join(part for part in (low, high) if part)
        return f"{kind} {text}".strip() + (", or null" if self.nullable else "")


def _bound(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True)
class Text:
    """A word, one of ``choices`` where there are any."""

    choices: tuple[str, ...] = ()
    nullable: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        if isinstance(value, str) and value and (not self.choices or value in self.choices):
            return None
        expected = any_of(self.choices) if self.choices else "a word"
        return f"expected {expected}" + (", or null" if self.nullable else "")


@dataclass(frozen=True)
class Switch:
    """true or false; ``words`` may stand beside them (``auto``)."""

    words: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        if isinstance(value, bool) or (isinstance(value, str) and value in self.words):
            return None
        return f"expected {any_of(['true', 'false', *self.words])}"


@dataclass(frozen=True)
class Items:
    """A list of values of one kind, of a length where one is given."""

    of: Rule
    length: int | None = None
    nullable: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        if not isinstance(value, (list, tuple)) or (self.length is not None and len(value) != self.length):
            return f"expected a list of {self.length} values" if self.length else "expected a list"
        return next((f"item {i + 1}: {p}" for i, item in enumerate(value) if (p := self.of.problem(item))), None)


@dataclass(frozen=True)
class Span:
    """Two numbers that each satisfy a rule, the smaller one first."""

    of: Number

    def problem(self, value: Any) -> str | None:
        if problem := Items(self.of, length=2).problem(value):
            return problem
        return "expected the smaller number first" if value[0] > value[1] else None


@dataclass(frozen=True)
class Either:
    """A value that satisfies one of several rules."""

    rules: tuple[Rule, ...]

    def problem(self, value: Any) -> str | None:
        problems = [rule.problem(value) for rule in self.rules]
        if None in problems:
            return None
        return "expected " + ", or ".join(p.removeprefix("expected ") for p in problems if p)


@dataclass(frozen=True)
class Free:
    """Anything: bound to a signature later."""

    def problem(self, value: Any) -> str | None:
        return None


Rule = Number | Text | Switch | Items | Span | Either | Free


@dataclass(frozen=True)
class Group:
    """Named keys, all of them required but the ``optional`` ones.

    An open group may hold further keys, which go to the class that it names.
    """

    keys: Mapping[str, Rule | Group]
    optional: Mapping[str, Rule | Group] = field(default_factory=dict)
    open: bool = False


def problems_of(config: Any, group: Group, prefix: str = "") -> list[str]:
    """Every problem of a configuration, a line each: keys that are missing, unknown, or hold what they must not."""
    if not isinstance(config, Mapping):
        return [f"{prefix.rstrip('.') or 'configuration'}: expected a group of keys"]
    known = {**group.optional, **group.keys}
    found = [f"{prefix}{key}: missing from the configuration" for key in group.keys if key not in config]
    for key, value in config.items():
        if key in known:
            found.extend(_problems_of_key(value, known[key], f"{prefix}{key}"))
        elif not group.open:
            found.append(f"{prefix}{key}: there is no such key; {did_you_mean(str(key), known)}")
        elif not _is_finite(value):
            found.append(f"{prefix}{key}={_shown(value)}: not a finite number")
    return found


def _problems_of_key(value: Any, rule: Rule | Group, name: str) -> list[str]:
    if isinstance(rule, Group):
        return problems_of(value, rule, f"{name}.")
    problem = rule.problem(value)
    return [f"{name}={_shown(value)}: {problem}"] if problem else []


def _is_finite(value: Any) -> bool:
    """Whether all numbers in a value are finite, at every depth."""
    if isinstance(value, Mapping):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _shown(value: Any) -> str:
    """A value as one would type it, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    text = "null" if value is None else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


COUNT = Number(1, whole=True)
UNIT = Number(0, 1)
SIZE = Items(COUNT, length=2)
TARGET: dict[str, Rule | Group] = {"_target_": Text()}


def _open(**keys: Rule | Group) -> Group:
    return Group(TARGET, optional=keys, open=True)


def _open_with(required: Mapping[str, Rule], **keys: Rule) -> Group:
    return Group({**TARGET, **required}, optional=keys, open=True)


AUTO_COUNT = Either((COUNT, Text(("auto",))))

FACTOR = Span(Number(0, above=True))
AREA = Span(Number(0, 1, above=True))
ANGLE = Number(0, 180)
SLANT = Number(0, 90, below=True)
AUGMENTATION: dict[str, Rule | Group] = {
    "random_resized_crop": Group({"probability": UNIT, "area": AREA, "ratio": FACTOR}),
    "crop": Group({"padding": Number(0, whole=True)}),
    "mirror": Group({"horizontal": UNIT, "vertical": UNIT}),
    "quarter_turn": Group({"probability": UNIT}),
    "scale": Group({"factor": FACTOR, "probability": UNIT}),
    "pad": Group({"fraction": UNIT, "probability": UNIT}),
    "translate": Group({"fraction": UNIT, "probability": UNIT}),
    "rotate": Group({"degrees": ANGLE, "probability": UNIT}),
    "shear": Group({"horizontal": SLANT, "vertical": SLANT, "probability": UNIT}),
    "affine": Group({"degrees": ANGLE, "translate": UNIT, "scale": FACTOR, "shear": SLANT, "probability": UNIT}),
    "elastic": Group({"strength": UNIT, "points": Number(2, 8, whole=True), "probability": UNIT}),
    "brightness": Group({"amount": UNIT, "probability": UNIT}),
    "contrast": Group({"amount": UNIT, "probability": UNIT}),
    "saturation": Group({"amount": UNIT, "probability": UNIT}),
    "hue": Group({"degrees": ANGLE, "probability": UNIT}),
    "greyscale": Group({"probability": UNIT}),
    "rgb_shift": Group({"amount": UNIT, "probability": UNIT}),
    "pca": Group({"sigma": Number(0), "of": Text(("data", "imagenet")), "probability": UNIT}),
    "noise": Group({"sigma": UNIT, "probability": UNIT}),
    "cutout": Group({"size": UNIT, "probability": UNIT}),
    "erasing": Group({"probability": UNIT, "area": AREA, "ratio": FACTOR}),
    "mixup": Group({"alpha": Number(0), "probability": UNIT}),
    "cutmix": Group({"alpha": Number(0), "probability": UNIT}),
}
"""In the order in which they are applied; each operation's first key is its switch, 0 is off."""

RUN = Group(
    {
        "seed": Number(0, 2**32 - 1, whole=True),
        "epochs": COUNT,
        "batch_size": COUNT,
        "accumulate": COUNT,
        "max_steps": Number(1, whole=True, nullable=True),
        "outputs": Text(),
        "name": Text(nullable=True),
        "log_every_steps": COUNT,
        "early_stopping": Group({"patience": Number(1, whole=True, nullable=True), "min_delta": Number(0)}),
        "checkpoint": Group({"every_steps": Number(1, whole=True, nullable=True)}),
        "task": Group(
            TARGET
            | {
                "name": Text(),
                "target": Text(("label", "mask", "boxes"), nullable=True),
                "monitor": Text(nullable=True),
                "mode": Text(("max", "min")),
            }
        ),
        "model": Group(
            TARGET
            | {
                "weights": Text(nullable=True),
                "weights_sha256": Text(nullable=True),
                "normalisation": Text(("auto", "data", "imagenet")),
                "match": Text(("names", "stages")),
            },
            optional={"in_channels": COUNT, "name": Text()},
            open=True,
        ),
        "data": Group(
            TARGET
            | {
                "targets": Items(Text(("label", "mask", "boxes"))),
                "channels": COUNT,
                "image_size": SIZE,
                "decode_size": Either((SIZE, Number(1, 8, nullable=True))),
                "classes": Items(Text(), nullable=True),
                "mean": Items(Number(), nullable=True),
                "std": Items(Number(0, above=True), nullable=True),
                "fraction": Number(0, 1, above=True),
                "workers": Number(0, whole=True),
                "in_memory": Switch(("auto",)),
            },
            optional={"mask_classes": Items(Text(), nullable=True)},
            open=True,
        ),
        "optimizer": _open_with(
            {"stage_rates": Either((Number(0, nullable=True), Items(Number(0))))},
            lr=Number(0, above=True),
            momentum=Number(0, 1, below=True),
            weight_decay=Number(0),
            nesterov=Switch(),
            eps=Number(0),
            alpha=UNIT,
            betas=Items(Number(0, 1, below=True), length=2),
            rho=Number(0, 1, below=True),
        ),
        "scheduler": _open_with(
            {"warmup_epochs": Number(0)},
            milestones=Items(COUNT),
            decay=Number(0),
            gamma=Number(0, above=True),
            every_epochs=COUNT,
            final=UNIT,
            start=UNIT,
            rise=Number(0, 1, above=True, below=True),
            factor=Number(0, 1, above=True, below=True),
            patience=Number(0, whole=True),
            min_delta=Number(0),
            minimum=UNIT,
        ),
        "regularization": Group(
            {
                "l1": Number(0),
                "l2": Number(0),
                "dropout": Number(0, 1, below=True, nullable=True),
                "stochastic_depth": Number(0, 1, below=True, nullable=True),
                "label_smoothing": Number(0, 1, below=True),
                "class_weights": Either((Text(("balanced",), nullable=True), Items(Number(0)))),
                "gradient_clip_norm": Number(0, above=True, nullable=True),
                "max_norm": Number(0, above=True, nullable=True),
                "ema_decay": Number(0, 1, above=True, below=True, nullable=True),
                "include_biases_and_norms": Switch(),
                "if_unsupported": Text(("error", "ignore")),
            }
        ),
        "augmentation": _open(**AUGMENTATION),
        "transfer": _open(
            stages=COUNT,
            rate_decay=Number(0, 1, above=True),
            head_epochs=COUNT,
            rate=Number(0, above=True),
            cache=Switch(("auto",)),
        ),
        "hardware": Group(
            {
                "accelerator": Text(("auto", "cpu", "gpu")),
                "devices": AUTO_COUNT,
                "nodes": AUTO_COUNT,
                "strategy": Text(("auto", "ddp")),
                "precision": Text(("fp64", "fp32", "bf16", "fp16")),
                "compile": Switch(),
                "loop": Text(("direct", "lightning")),
                "channels_last": Switch(),
                "threads": Number(1, whole=True, nullable=True),
                "deterministic": Switch(),
            }
        ),
        "logger": Group(
            {
                "kind": Text(("none", "tensorboard", "wandb")),
                "gradients": Either((Switch(), Number(1, whole=True, nullable=True))),
            },
            optional={"mode": Text(("offline", "online"))},
            open=True,
        ),
        "choices": Group({"model": Text(), "data": Text()}, open=True),
    }
)
