"""Words that other programs have for what has another name here: Keras, torchvision, timm, Ultralytics, Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.options import GROUPS, option_files

VALUE = "{value}"


@dataclass(frozen=True)
class Ours:
    """What a word of another program is here.

    Args:
        words: as they are typed, with blanks between them; ``{value}`` stands for what the person gave.
        example: a value, where the person's own does not fit. note: a clause that says more.
    """

    words: str
    example: str = ""
    note: str = ""

    def hint(self, value: Any, folders: Sequence[Path]) -> str:
        """The words with the person's value in them where it may stand there, and the note."""
        words = " ".join(self._filled(word, value, folders) for word in self.words.split())
        return f"here it is {words}" + (f"; {self.note}" if self.note else "")

    def _filled(self, word: str, value: Any, folders: Sequence[Path]) -> str:
        group = word.partition("=")[0]
        own = str(value)
        fits = isinstance(value, (int, float, str)) and not isinstance(value, bool) and own and " " not in own
        if group in GROUPS:
            fits = own in option_files(group, folders)
        elif isinstance(value, str):  # where a number is wanted, a word is no value
            fits = fits and not self.example.replace(".", "").isdigit()
        return word.replace(VALUE, own if fits else self.example)


_RATE = Ours("optimizer.lr={value}", "0.01")
_SIZE = Ours("data.image_size=[{value},{value}]", "32", "height and width")
_BATCH = Ours("batch_size={value}", "64")
_WORKERS = Ours("data.workers={value}", "2")
_KERAS_DECAY = Ours(
    "scheduler=inverse_time scheduler.decay={value}",
    "0.001",
    "Keras' decay lowers the learning rate with every update; the decay of weights is optimizer.weight_decay",
)
_WEIGHT_DECAY = Ours("optimizer.weight_decay={value}", "0.0005")
_PUBLISHED = Ours(
    "model.weights=torchvision",
    note="timm for a net of timm, a FILE or run:ID for other weights; see cnnexp list model",
)
_HALF = Ours("hardware.precision=bf16", note="fp16, bf16, fp32 or fp64")
_DEVICE = Ours("hardware=gpu", note="or hardware=cpu; hardware.devices says how many")
_OPTIMIZER = Ours("optimizer={value}", "sgd", "cnnexp list optimizer shows all")
_SCHEDULER = Ours("scheduler={value}", "cosine", "cnnexp list scheduler shows all")
_CLASSES = Ours("data=image_folder data.root=photos", note="the data says how many classes there are, a folder each")
_DROPOUT = Ours("regularization.dropout={value}", "0.5")
_CLIP = Ours("regularization.gradient_clip_norm={value}", "1.0")
_OUTPUTS = Ours("outputs={value}", "outputs", "the folder in which each run makes its own")
_NET = Ours("model={value}", "resnet18", "cnnexp list model shows all")
_FOLDER = Ours("data=image_folder data.root={value}", "photos")
_ACTIVATION = Ours("model.activation={value}", "relu")
_MIRROR = Ours("augmentation=flip augmentation.mirror.horizontal={value}", "0.5")
_EMA = Ours("regularization.ema_decay=0.999")

ELSEWHERE: dict[str, Ours] = {
    **dict.fromkeys(("lr", "lr0", "learning_rate", "optimizer.learning_rate", "optimizer.lr0"), _RATE),
    "lrf": Ours("scheduler=cosine scheduler.final={value}", "0.01", "the last rate as a part of the first"),
    **dict.fromkeys(("imgsz", "img_size", "image_size", "input_size", "input_shape", "resolution"), _SIZE),
    **dict.fromkeys(("batch", "bs", "batchsize", "train_batch_size"), _BATCH),
    **dict.fromkeys(("workers", "num_workers"), _WORKERS),
    **dict.fromkeys(("decay", "optimizer.decay"), _KERAS_DECAY),
    **dict.fromkeys(("weight_decay", "wd", "optimizer.wd"), _WEIGHT_DECAY),
    **dict.fromkeys(("pretrained", "model.pretrained"), _PUBLISHED),
    "weights": Ours(
        "model.weights={value}", "torchvision", "a FILE, run:ID, or torchvision or timm for published ones"
    ),
    **dict.fromkeys(("amp", "half", "mixed_precision", "fp16"), _HALF),
    **dict.fromkeys(("device", "gpu", "gpus", "cuda"), _DEVICE),
    **dict.fromkeys(("opt", "optim"), _OPTIMIZER),
    **dict.fromkeys(("sched", "lr_scheduler", "lr_schedule"), _SCHEDULER),
    "cos_lr": Ours("scheduler=cosine"),
    "momentum": Ours("optimizer=sgd optimizer.momentum={value}", "0.9"),
    "nesterov": Ours("optimizer=sgd optimizer.nesterov=true"),
    **dict.fromkeys(
        ("label_smoothing", "smoothing", "loss.label_smoothing"), Ours("regularization.label_smoothing={value}", "0.1")
    ),
    **dict.fromkeys(("class_weight", "class_weights"), Ours("regularization.class_weights=balanced")),
    **dict.fromkeys(("dropout", "drop", "drop_rate"), _DROPOUT),
    **dict.fromkeys(
        ("drop_path", "drop_path_rate"), Ours("model=resnet20 regularization.stochastic_depth={value}", "0.1")
    ),
    **dict.fromkeys(("clip_grad", "clip_grad_norm", "clipnorm", "gradient_clip_val"), _CLIP),
    **dict.fromkeys(("ema", "model_ema"), _EMA),
    **dict.fromkeys(("accumulate_grad_batches", "grad_accum_steps"), Ours("accumulate={value}", "2")),
    **dict.fromkeys(("patience", "early_stopping_patience"), Ours("early_stopping.patience={value}", "5")),
    **dict.fromkeys(("mixup", "augmentation.mixup"), Ours("augmentation=mix augmentation.mixup.alpha={value}", "0.2")),
    **dict.fromkeys(
        ("cutmix", "augmentation.cutmix"), Ours("augmentation=mix augmentation.cutmix.alpha={value}", "1.0")
    ),
    **dict.fromkeys(("fliplr", "hflip", "horizontal_flip"), _MIRROR),
    **dict.fromkeys(
        ("degrees", "rotation_range"), Ours("augmentation=geometric augmentation.rotate.degrees={value}", "15")
    ),
    **dict.fromkeys(("augment", "augmentations", "aa", "auto_augment"), Ours("augmentation=strong")),
    **dict.fromkeys(("num_classes", "nc", "classes"), _CLASSES),
    **dict.fromkeys(("output", "output_dir", "project", "save_dir", "logdir"), _OUTPUTS),
    **dict.fromkeys(("arch", "net", "backbone"), _NET),
    **dict.fromkeys(("data_path", "data_dir", "root", "train_dir"), _FOLDER),
    **dict.fromkeys(("activation", "act"), _ACTIVATION),
    **dict.fromkeys(("steps", "max_iter", "limit_train_batches"), Ours("max_steps={value}", "10", "for trying")),
    **dict.fromkeys(("epoch", "num_epochs", "max_epochs", "n_epochs"), Ours("epochs={value}", "10")),
    "random_state": Ours("seed={value}", "0"),
    "freeze": Ours("transfer=feature_extractor model.weights=run:last", note="cnnexp list transfer shows all ways"),
    "cache": Ours("data.in_memory=true"),
    **dict.fromkeys(("distributed", "ddp"), Ours("hardware=ddp")),
}
"""A key as it is typed there; each entry is composed by a test."""


def hint_for(key: str, value: Any, folders: Sequence[Path]) -> str:
    """A clause that says what a word of another program is here; empty for a word that is not known.

    Args:
        key: as typed, such as ``imgsz`` or ``optimizer.decay``. value: what it was set to.
    """
    known = ELSEWHERE.get(key.replace("-", "_"))
    return known.hint(value, folders) if known is not None else ""
