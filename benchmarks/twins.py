"""Forward and backward of nets beside their twins in torchvision and timm, interleaved in one process.

    python benchmarks/twins.py [NET ...]

Below 1 the net of `conf/model/` is slower than the library's own.
"""

from __future__ import annotations

import statistics
import sys

import timm
import torch
from interleaved import forward_and_backward, interleaved, ratio
from torch import Tensor, nn
from torchvision import models

from cnnexp.anatomy.subject import find_subject
from cnnexp.config.compose import compose_run

BATCH = 2
REPEATS = 9
CLASSES = 10

PICTURE_PX = {"inception_v3": 299, "inception_v4": 299, "inception_resnet_v2": 299, "xception": 299}
TORCHVISIONS = ("vgg11", "vgg16", "vgg16_bn", "resnet18", "resnet50", "wide_resnet50_2", "densenet121", "googlenet")
TIMMS = {
    "resnetv2_50": "resnetv2_50",
    "seresnet50": "seresnet50",
    "xception": "legacy_xception",
    "inception_v4": "inception_v4",
    "inception_resnet_v2": "inception_resnet_v2",
}
UNUSUAL = {"googlenet": {"aux_logits": False, "init_weights": False}}
"""Arguments of a twin, so that both do the same work."""


class WithoutHeads(nn.Module):
    """A net's logits alone."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        out = self.net(x)
        return out if isinstance(out, Tensor) else out[0]


def ours(name: str, side: int) -> nn.Module:
    words = [f"model={name}", "data=imagenette"]
    if name in UNUSUAL:
        words.append("model.auxiliary_heads=false")
    return find_subject(compose_run(words), size=(3, side, side), classes=CLASSES).make()


def theirs(name: str) -> nn.Module:
    if name in TIMMS:
        return timm.create_model(TIMMS[name], num_classes=CLASSES)
    return models.get_model(name, weights=None, num_classes=CLASSES, **UNUSUAL.get(name, {}))


def row(name: str) -> str:
    side = PICTURE_PX.get(name, 224)
    picture = torch.randn(BATCH, 3, side, side)
    twin = theirs(name).train()
    net = ours(name, side).train()
    net.load_state_dict(twin.state_dict())
    times = interleaved(*(forward_and_backward(WithoutHeads(one), picture) for one in (net, twin)), REPEATS)
    milliseconds = "".join(f"{1000 * statistics.median(one):9.0f}" for one in times)
    return f"{name:<24}{side:>8}{milliseconds}{ratio(*times):8.3f}"


def main() -> None:
    torch.manual_seed(0)
    print(f"batch {BATCH}, {torch.get_num_threads()} threads, torch {torch.__version__}; milliseconds, medians")
    print(f"{'':<24}{'pixels':>8}{'ours':>9}{'theirs':>9}{'ratio':>8}")
    for name in sys.argv[1:] or (*TORCHVISIONS, *TIMMS):
        print(row(name), flush=True)


if __name__ == "__main__":
    main()
