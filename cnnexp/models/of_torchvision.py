"""Any classifier of torchvision, by its name there."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.auxiliary import USUAL_WEIGHT
from cnnexp.models.imagenet import THOUSAND, imagenet_names
from cnnexp.models.published import Published
from cnnexp.models.stem import StemChoice, choose_stem, remade, replace, shrink_stem

DEFAULT = ("torchvision", "DEFAULT")
"""Words for the weights that torchvision itself takes first."""

OLD = ("googlenet", "inception_v3")
"""Nets with auxiliary heads, which torchvision has from elsewhere; it would initialise them for minutes."""
AUXILIARY = ("aux1", "aux2", "AuxLogits")
"""What the heads are called in them."""
TENSORFLOW = (0.5, 0.5, 0.5)
"""Mean and deviation of the pictures that the weights of those were trained on. torchvision's own transform normalises
by ImageNet's figures, and its nets then turn that into this when they are made with weights (``transform_input``)."""


def torchvision_net(
    *,
    name: str,
    in_channels: int,
    num_classes: int,
    image_size: tuple[int, int],
    stem: StemChoice = "imagenet",
    stem_layers: tuple[str, ...] = (),
    auxiliary_heads: bool = False,
    dropout: float | None = None,
) -> nn.Module:
    """A classifier of torchvision with fresh weights; its parameters have torchvision's names.

    Args:
        name: as in ``torchvision.models`` (resnet50, mobilenet_v3_large, ...).
        in_channels: channels of a picture; for other than three the first convolution is made anew.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels; only ``stem="auto"`` looks at it.
        stem: ``imagenet`` leaves the net as it is, ``small`` changes the ``stem_layers``; ``auto`` takes the small one
            when the shorter side has at most 64 pixels.
        stem_layers: the first convolution and the pool behind it, by name: see ``shrink_stem``.
        auxiliary_heads: further classifiers half way up, whose losses are learnt with weight 0.3 (GoogLeNet and
            Inception v3 have them).
        dropout: probability in [0, 1) for every dropout of the net; None leaves those that it has.

    Raises:
        InputError: there is no such net, or it has no place for dropout, auxiliary heads or a stem.
    """
    net: nn.Module = models.get_model(
        _known(name), weights=None, num_classes=num_classes, **_arguments(name, auxiliary_heads)
    )
    if auxiliary_heads:
        net.auxiliary_weight = USUAL_WEIGHT  # type: ignore[assignment]
        net.auxiliary_parts = tuple(one for one, _ in net.named_children() if one in AUXILIARY)  # type: ignore[assignment]
    if in_channels != 3:
        take_channels(net, in_channels)
    if stem == "small" or (stem == "auto" and choose_stem(image_size) == "small"):
        shrink_stem(net, stem_layers)
    if dropout is not None:
        set_dropout(net, dropout, name)
    return net


def published(weights: str | None, *, name: str) -> Published:
    """What torchvision says of weights of a net, by their name there; None and ``torchvision`` are the default ones.

    Raises:
        InputError: there is no such net, or there are no such weights.
    """
    known = models.get_model_weights(_known(name))
    names = list(known.__members__)
    if not names:
        raise InputError(f"model.name={name}: torchvision has no weights for it; give a file")
    if weights not in (None, *DEFAULT, *names):
        raise InputError(
            f"model.weights={weights}: no file, and torchvision has no such weights for {name}; "
            f"{did_you_mean(str(weights), [*names, 'torchvision'])}"
        )
    chosen = known["DEFAULT"] if weights in (None, *DEFAULT) and "DEFAULT" in names else known[weights or names[0]]
    how = chosen.transforms()

    return Published(
        source=f"torchvision's {chosen}",
        mean=TENSORFLOW if name in OLD else tuple(how.mean),
        std=TENSORFLOW if name in OLD else tuple(how.std),
        resize_px=how.resize_size[0],
        crop_px=how.crop_size[0],
        interpolation=how.interpolation.value,
        classes=tuple(chosen.meta["categories"]),
        load=lambda: state_of(chosen, weights),
        further=imagenet_names if len(chosen.meta["categories"]) == THOUSAND else tuple,
    )


def set_dropout(net: nn.Module, probability: float, name: str) -> None:
    """Give every dropout of a net this probability.

    Raises:
        InputError: it has none.
    """
    found = [one for one in net.modules() if isinstance(one, (nn.Dropout, nn.Dropout2d))]
    if not found:
        raise InputError(f"regularization.dropout={probability}: {name} has no place for dropout; leave it null")
    for one in found:
        one.p = probability


def take_channels(net: nn.Module, in_channels: int) -> None:
    """Make the first convolution anew, for other than three channels."""
    name, first = next((name, one) for name, one in net.named_modules() if isinstance(one, nn.Conv2d))
    replace(net, name, remade(first, in_channels=in_channels))


def _known(name: str) -> str:
    names = models.list_models(module=models)
    if name in names:
        return name
    hint = did_you_mean(name, names) or "torchvision.models.list_models() names all of them"
    raise InputError(f"model.name={name}: torchvision has no such classifier; {hint}")


def _arguments(name: str, auxiliary_heads: bool) -> dict[str, Any]:
    """Arguments that only some nets take."""
    if name in OLD:
        return {"aux_logits": auxiliary_heads, "init_weights": False}
    if auxiliary_heads:
        raise InputError(f"model.auxiliary_heads=true: {name} has none ({' and '.join(OLD)} have); leave it false")
    return {}


def state_of(chosen: WeightsEnum, weights: str | None) -> dict[str, Tensor]:
    """The state dict of weights that torchvision publishes, held to the hash in their name.

    Args:
        weights: what they were called, for the error.

    Raises:
        InputError: they could not be downloaded, or are not what they should be.
    """
    try:
        return dict(chosen.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"model.weights={weights}: {chosen.url} could not be had ({error}); "
            "download it elsewhere and give model.weights=FILE"
        ) from error
