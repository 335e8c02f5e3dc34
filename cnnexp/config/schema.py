"""What every key of a configuration may hold. Defaults live in YAML, once; here every key is required."""

from __future__ import annotations

from collections.abc import Mapping

from cnnexp.config.rules import Each, Either, Group, Items, Number, Rule, Span, Switch, Text

COUNT = Number(1, whole=True)
UNIT = Number(0, 1)
SIZE = Items(COUNT, length=2)
TARGET: dict[str, Rule | Group] = {"_target_": Text()}


def _open(**keys: Rule | Group) -> Group:
    return Group(TARGET, optional=keys, open=True)


def _open_with(required: Mapping[str, Rule | Group], **keys: Rule) -> Group:
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

OPTIMIZER: dict[str, Rule] = {
    "lr": Number(0, above=True),
    "momentum": Number(0, 1, below=True),
    "weight_decay": Number(0),
    "nesterov": Switch(),
    "eps": Number(0),
    "alpha": UNIT,
    "betas": Items(Number(0, 1, below=True), length=2),
    "rho": Number(0, 1, below=True),
}

INPUT: dict[str, Rule] = {
    "channels": COUNT,
    "image_size": Items(Number(1, whole=True), length=2, nullable=True),
    "decode_size": Either((SIZE, Number(1, 8, nullable=True))),
    "frames": COUNT,
    "length": COUNT,
    "range": Items(Number(), length=2, nullable=True),
    "background": Text(nullable=True),
    "mean": Items(Number(), nullable=True),
    "std": Items(Number(0, above=True), nullable=True),
    "vocabulary_size": COUNT,
    "at_least": COUNT,
    "padding": Text(("length", "longest")),
    "unit": Text(("word", "word_or_sign", "letter")),
    "words": Items(Text(), nullable=True),
}
"""Of kinds of input: bound to their classes later, which say what is missing."""

TASK: dict[str, Rule] = {
    "noise": Either((Number(0, 1, above=True, nullable=True), Span(Number(0, 1, above=True)))),
    "mask": Number(0, 1, above=True, below=True, nullable=True),
    "beta": Number(0),
    "judge": Text(nullable=True),
    "peak": Either((Number(1), Span(Number(1)))),
    "crop": Either((Text(("auto",)), Number(1, whole=True))),
    "boundary_tolerance": Number(0, nullable=True),
    "embedding": Number(2, whole=True),
    "false_accepts": Number(0, 1, below=True, nullable=True),
}
"""Of tasks: bound to their classes later, which say what is missing."""

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
        "checkpoint": Group(
            {"every_steps": Number(1, whole=True, nullable=True), "keep": Text(("epochs",), nullable=True)}
        ),
        "task": Group(
            TARGET
            | {
                "name": Text(),
                "target": Text(nullable=True),
                "monitor": Text(nullable=True),
                "mode": Text(("max", "min")),
            },
            optional={"accepts": Items(Text()), "nets": Text(), **TASK},
            open=True,
        ),
        "loss": Group({"_target_": Text(nullable=True)}, open=True),
        "sampling": _open(samples=Number(2, whole=True), batches_sorted=Number(1, whole=True)),
        "model": Group(
            TARGET
            | {
                "input": Text(nullable=True),
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
                "input": Text(),
                "input_sha256": Text(nullable=True),
                "targets": Items(Text()),
                "classes": Either((Items(Text(), nullable=True), Each(Items(Text(), nullable=True)))),
                "fraction": Number(0, 1, above=True),
                "labels_per_class": Number(1, whole=True, nullable=True),
                "workers": Number(0, whole=True),
                "in_memory": Switch(("auto",)),
                "unreadable": Text(("fail", "skip")),
                "fingerprint": Text(("auto", "contents", "names")),
                "split": Group(
                    {
                        "folds": Number(2, whole=True, nullable=True),
                        "fold": Number(0, whole=True, nullable=True),
                        "group": Text(nullable=True),
                    }
                ),
            },
            optional={
                **INPUT,
                "root": Text(nullable=True),
                "parts": Each(Group({"input": Text()}, optional=INPUT, open=True)),
                "alike": Items(Text()),
            },
            open=True,
        ),
        "optimizer": _open_with(
            {
                "stage_rates": Either((Number(0, nullable=True), Items(Number(0)))),
                "of": Each(Group({}, optional=OPTIMIZER, open=True)),
            },
            **OPTIMIZER,
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
                "sparsity": Number(0, 1, above=True, below=True, nullable=True),
                "sparsity_weight": Number(0, above=True),
                "label_smoothing": Number(0, 1, below=True),
                "class_weights": Either((Text(("balanced",), nullable=True), Items(Number(0)))),
                "gradient_clip_norm": Number(0, above=True, nullable=True),
                "max_norm": Number(0, above=True, nullable=True),
                "max_norm_of": Text(("all", "head")),
                "ema_decay": Number(0, 1, above=True, below=True, nullable=True),
                "include_biases_and_norms": Switch(),
                "if_unsupported": Text(("error", "ignore")),
            }
        ),
        "augmentation": Group(
            {"_target_": Text(nullable=True), "input": Text(nullable=True)},
            optional=AUGMENTATION,
            only_where=("input", ("pictures", "clips")),
            open=True,
        ),
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


def rule_of(key: str) -> Rule | Group | None:
    """What a dotted key may hold; None where nothing is said of it here."""
    node: Rule | Group | None = RUN
    for part in key.split("."):
        node = {**node.optional, **node.keys}.get(part) if isinstance(node, Group) else None
    return node
