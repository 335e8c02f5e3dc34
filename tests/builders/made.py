"""A whole configuration by hand, for tests that build from one without composing it."""

from __future__ import annotations

from typing import Any

CLASSES = ("ant", "bee", "cat")


def configuration(**changes: Any) -> dict[str, Any]:
    """Softmax regression on forty random pictures 3×8×8 with three classes.

    ``changes`` are keys of a group (``data={"workers": 2}``) or other values of the configuration's own keys.
    """
    made: dict[str, Any] = {
        "seed": 0,
        "epochs": 3,
        "batch_size": 8,
        "accumulate": 1,
        "max_steps": None,
        "outputs": "outputs",
        "name": None,
        "log_every_steps": 50,
        "model": {
            "_target_": "cnnexp.models.linear.Linear",
            "input": "pictures",
            "weights": None,
            "weights_sha256": None,
            "normalisation": "auto",
            "match": "names",
        },
        "data": {
            "_target_": "cnnexp.data.synthetic.Synthetic",
            "input": "pictures",
            "input_sha256": None,
            "targets": ["label"],
            "classes": list(CLASSES),
            "channels": 3,
            "image_size": [8, 8],
            "decode_size": None,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.25, 0.25, 0.25],
            "count": 40,
            "fraction": 1.0,
            "labels_per_class": None,
            "workers": 0,
            "in_memory": "auto",
            "fingerprint": "auto",
            "unreadable": "fail",
            "split": {"folds": None, "fold": None, "group": None},
        },
        "task": {
            "_target_": "cnnexp.tasks.classification.Classification",
            "name": "classification",
            "target": "label",
            "monitor": "val/accuracy",
            "mode": "max",
        },
        "loss": {"_target_": "cnnexp.losses.cross_entropy.CrossEntropy"},
        "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.1, "of": {}, "stage_rates": None},
        "scheduler": {"_target_": "cnnexp.training.schedules.Constant", "warmup_epochs": 0.0},
        "regularization": {
            "l1": 0.0,
            "l2": 0.0,
            "include_biases_and_norms": False,
            "dropout": None,
            "stochastic_depth": None,
            "sparsity": None,
            "sparsity_weight": 0.008,
            "label_smoothing": 0.0,
            "class_weights": None,
            "gradient_clip_norm": None,
            "max_norm": None,
            "max_norm_of": "all",
            "ema_decay": None,
            "if_unsupported": "error",
        },
        "augmentation": {"_target_": None, "input": None},
        "sampling": {"_target_": "cnnexp.sampling.shuffled.Shuffled"},
        "transfer": {"_target_": "cnnexp.training.transfer.Transfer"},
        "checkpoint": {"every_steps": None, "keep": None},
        "early_stopping": {"patience": None, "min_delta": 0.0},
        "logger": {"kind": "none", "gradients": None},
        "hardware": {
            "accelerator": "cpu",
            "devices": 1,
            "nodes": 1,
            "strategy": "auto",
            "precision": "fp32",
            "compile": False,
            "loop": "direct",
            "channels_last": False,
            "threads": 1,
            "deterministic": True,
        },
        "choices": {
            "model": "linear",
            "data": "synthetic",
            "optimizer": "sgd",
            "scheduler": "constant",
            "regularization": "none",
            "augmentation": "none",
            "sampling": "shuffled",
            "loss": "cross_entropy",
            "transfer": "none",
            "hardware": "cpu",
            "task": "classification",
            "logger": "csv",
            "experiment": None,
        },
    }
    for key, value in changes.items():
        made[key] = {**made[key], **value} if isinstance(value, dict) else value
    return made
