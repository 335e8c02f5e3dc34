"""The table: every line with its cells and its target."""

from __future__ import annotations

from typing import Literal

from cnnexp.bench.cells import Cell, Peer, Row, Transform, Variant, with_workers

LIBRARIES = {"plain": "PyTorch loop", "lightning": "Lightning", "timm": "timm's loader"}


# What torchvision's second transforms do in ``pictures.py``, in cnnexp's words; a hue of 0.1 turns there is 36 degrees.
EVERYTHING = (
    "augmentation.mirror.horizontal=0.5",
    "augmentation.affine.degrees=15",
    "augmentation.affine.translate=0.1",
    "augmentation.affine.scale=[0.9,1.1]",
    "augmentation.affine.shear=5",
    "augmentation.brightness.amount=0.4",
    "augmentation.contrast.amount=0.4",
    "augmentation.saturation.amount=0.4",
    "augmentation.hue.degrees=36",
    "augmentation.erasing.probability=0.5",
)


def all_rows(device: Literal["cpu", "gpu"], cores: int) -> tuple[Row, ...]:
    """Every row, with as many pictures as keep this kind of device busy for some seconds.

    Args:
        cores: of the machine; a GPU's peers are tried with more loader processes where there are cores for them.
    """
    counts = (0, 1, 2) if device == "cpu" else tuple(dict.fromkeys((2, min(8, cores), cores)))
    cifar = ("data=synthetic", f"data.count={5120 if device == 'cpu' else 51200}", "batch_size=128")
    return (
        _lenet5(counts),
        _resnet20("fp32", 1.3, cifar, counts),
        _resnet20("bf16", 1.25, cifar, counts),
        _resnet18(device),
        _synthetic_bound(cifar),
        _crop_flip(cifar),
        _everything(cifar),
        _overhead(),
        _trials(),
    )


def _lenet5(counts: tuple[int, ...]) -> Row:
    # its own augmentation: shifts of up to two pixels
    words = ("model=lenet5", "data=mnist5k", "hardware.precision=fp32")
    return Row(
        "lenet5",
        "LeNet-5, MNIST-sized, fp32",
        (
            Variant("everything on", Cell("train", words, loop="lightning", epochs=12), 3.3),
            Variant("fast path", Cell("train", words, loop="direct", epochs=12), 3.5),
        ),
        _peers(words, "shift", counts),
    )


def _resnet20(
    precision: Literal["fp32", "bf16"], target: float, cifar: tuple[str, ...], counts: tuple[int, ...]
) -> Row:
    words = ("model=resnet20", *cifar, "augmentation=crop_flip", f"hardware.precision={precision}")
    words += ("hardware.channels_last=true",)
    return Row(
        f"resnet20_{precision}",
        f"ResNet-20, CIFAR-sized, {precision}, channels-last",
        (Variant("cnnexp", Cell("train", words), target),),
        _peers(words, "crop_flip", counts),
    )


def _resnet18(device: Literal["cpu", "gpu"]) -> Row:
    size = ("data.count=256", "batch_size=64") if device == "cpu" else ("data.count=51200", "batch_size=128")
    words = ("model=resnet18", "data=synthetic", *size, "augmentation=none", "hardware.precision=fp32")
    return Row(
        "resnet18",
        "ResNet-18, CIFAR-sized, fp32, no augmentation",
        (Variant("cnnexp", Cell("train", words, epochs=3), 0.98),),
        (Peer("bare loop", (Cell("bare", words, seconds=6.0),)),),
    )


def _synthetic_bound(cifar: tuple[str, ...]) -> Row:
    words = ("model=resnet20", *cifar, "augmentation=crop_flip", "hardware.precision=fp32")
    return Row(
        "synthetic_bound",
        "ResNet-20 with crops and flips, fp32",
        (Variant("cnnexp", Cell("train", words), 0.95),),
        (Peer("prepared batches", (Cell("bare", words),)),),
    )


def _crop_flip(cifar: tuple[str, ...]) -> Row:
    words = ("model=linear", *cifar, "augmentation=crop_flip", "hardware.channels_last=false")  # as the peer gives them
    return Row(
        "crop_flip",
        "crop + flip + normalise, 128 pictures of 32x32",
        (
            Variant("eager", Cell("prepare", words), 12.0),
            Variant("compiled", Cell("prepare", words, compiled=True), 40.0),
        ),
        (Peer("torchvision on PIL", (Cell("load", words, transform="crop_flip", workers=2),)),),
    )


def _everything(cifar: tuple[str, ...]) -> Row:
    words = ("model=linear", *cifar, "augmentation=none", *EVERYTHING, "hardware.channels_last=false")
    return Row(
        "everything",
        "affine + colour + cutout, 128 pictures of 32x32",
        (Variant("eager", Cell("prepare", words), 8.0),),
        (Peer("torchvision v2", (Cell("load", words, transform="everything", workers=2),)),),
    )


def _overhead() -> Row:
    words = ("model=linear", "data=mnist5k", "augmentation=none", "scheduler=constant", "hardware.precision=fp32")
    return Row(
        "overhead",
        "overhead a step, one-layer net, 64 digits a batch",
        (
            Variant("everything on", Cell("train", words, loop="lightning", epochs=40), 350.0),
            Variant("fast path", Cell("train", words, loop="direct", epochs=40), 100.0),
        ),
        (Peer("bare loop", (Cell("bare_loading", words),)),),
        figure="overhead",
    )


def _trials() -> Row:
    words = ("model=lenet5", "data=mnist5k", "data.fraction=0.25", "hardware=cpu")
    return Row(
        "trials",
        "trials of a sweep, from start to end: LeNet-5, 2 epochs of 1,000 digits",
        (Variant("forked", Cell("forked", words), 2.0),),
        (Peer("fresh interpreters", (Cell("fresh", words),)),),
    )


def _peers(words: tuple[str, ...], transform: Transform, counts: tuple[int, ...]) -> tuple[Peer, ...]:
    programs: tuple[Literal["plain", "lightning", "timm"], ...] = ("plain", "lightning", "timm")
    return tuple(Peer(LIBRARIES[one], with_workers(Cell(one, words, transform=transform), counts)) for one in programs)
