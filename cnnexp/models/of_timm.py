"""Any classifier of timm, by its name there."""

from __future__ import annotations

import logging
from typing import Any

import timm
from timm.data import ImageNetInfo
from torch import Tensor, nn

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.imagenet import THOUSAND, imagenet_names
from cnnexp.models.published import Published
from cnnexp.models.stem import StemChoice, choose_stem, shrink_stem

DEFAULT = "timm"
"""The word for the weights that timm itself takes first."""


def timm_net(
    *,
    name: str,
    in_channels: int,
    num_classes: int,
    image_size: tuple[int, int],
    stem: StemChoice = "imagenet",
    stem_layers: tuple[str, ...] = (),
    dropout: float | None = None,
) -> nn.Module:
    """A classifier of timm with fresh weights; its parameters have timm's names.

    Args:
        name: as in ``timm.list_models()``, without the name of weights after a dot.
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels; only ``stem="auto"`` looks at it.
        stem, stem_layers: as for ``torchvision_net``.
        dropout: probability in [0, 1) before the last layer; None leaves timm's.

    Raises:
        InputError: there is no such net, or it cannot be made so.
    """
    given: dict[str, Any] = {} if dropout is None else {"drop_rate": dropout}
    try:
        net = timm.create_model(_known(name), pretrained=False, in_chans=in_channels, num_classes=num_classes, **given)
    except (TypeError, RuntimeError, AssertionError) as error:
        raise InputError(f"model.name={name}: timm cannot make it so ({error})") from error
    if stem == "small" or (stem == "auto" and choose_stem(image_size) == "small"):
        shrink_stem(net, stem_layers)
    return net


def published(weights: str | None, *, name: str) -> Published:
    """What timm says of weights of a net, by their tag; None and ``timm`` are the default ones.

    Raises:
        InputError: there is no such net, or there are no such weights.
    """
    tags = [full.partition(".")[2] for full in timm.list_pretrained(f"{_known(name)}.*")]
    if not tags:
        raise InputError(f"model.name={name}: timm has no weights for it; give a file")
    if weights not in (None, DEFAULT, *tags):
        raise InputError(
            f"model.weights={weights}: no file, and timm has no such weights for {name}; "
            f"{did_you_mean(str(weights), [*tags, DEFAULT])}"
        )
    full = name if weights in (None, DEFAULT) else f"{name}.{weights}"
    how = timm.get_pretrained_cfg(full)
    assert how is not None
    crop_px = int(how.input_size[-1])

    def load() -> dict[str, Tensor]:
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of each of its tries; the last is ours
        try:
            return dict(timm.create_model(full, pretrained=True).state_dict())
        except Exception as error:  # the hub's own errors are of many kinds, and none of them is ours
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"model.weights={weights}: timm could not get {full} from {how.hf_hub_id or how.url} ({reason}); "
                "download it elsewhere and give model.weights=FILE"
            ) from error

    return Published(
        source=f"timm's {name}.{how.tag}",
        mean=tuple(how.mean),
        std=tuple(how.std),
        resize_px=round(crop_px / how.crop_pct),
        crop_px=crop_px,
        interpolation=how.interpolation,
        classes=_classes(how.num_classes),
        load=load,
        further=imagenet_names if how.num_classes == THOUSAND else tuple,
    )


def _classes(count: int) -> tuple[str, ...]:
    if count != THOUSAND:
        return tuple(str(number) for number in range(count))
    info = ImageNetInfo()
    return tuple(info.index_to_description(number).partition(",")[0] for number in range(count))


def _known(name: str) -> str:
    if timm.is_model(name):
        return name
    hint = did_you_mean(name, timm.list_models()) or "timm.list_models() names all of them"
    raise InputError(f"model.name={name}: timm has no such classifier; {hint}")
