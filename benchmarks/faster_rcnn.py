"""A training step of Faster R-CNN: ours, and torchvision's class in its reference loop, interleaved in one process.

    OMP_NUM_THREADS=1 python benchmarks/faster_rcnn.py

Both have the same backbone, heads, sizes, batch, precision and optimizer, and the same scenes. Ours draws its samples
from a key of each picture and says counts beside its means.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable

import torch
from interleaved import interleaved, ratio
from torch import Tensor
from torchvision.models.detection import FasterRCNN as Theirs
from torchvision.ops import MultiScaleRoIAlign

from cnnexp.answers.boxes import unpadded
from cnnexp.builders.build import build
from cnnexp.config.compose import compose_run
from cnnexp.models.faster_rcnn import FasterRCNN
from cnnexp.tasks.base import Task

BATCH, REPEATS = 16, 20


def as_theirs(net: FasterRCNN, size: int) -> Theirs:
    """torchvision's class around copies of the same modules."""
    rpn, heads = net.rpn, net.roi_heads
    pool = heads.box_roi_pool
    return Theirs(
        copy.deepcopy(net.backbone),
        min_size=size,
        max_size=size,
        image_mean=[0.0],
        image_std=[1.0],
        rpn_anchor_generator=rpn.anchor_generator,
        rpn_head=copy.deepcopy(rpn.head),
        rpn_pre_nms_top_n_train=rpn._pre_nms_top_n["training"],
        rpn_post_nms_top_n_train=rpn._post_nms_top_n["training"],
        rpn_nms_thresh=rpn.nms_thresh,
        rpn_batch_size_per_image=rpn.fg_bg_sampler.batch_size_per_image,
        box_roi_pool=MultiScaleRoIAlign(pool.featmap_names, net.pooled_size, 2, canonical_scale=pool.canonical_scale),
        box_head=copy.deepcopy(heads.box_head),
        box_predictor=copy.deepcopy(heads.box_predictor),
        box_batch_size_per_image=heads.fg_bg_sampler.batch_size_per_image,
        box_positive_fraction=heads.fg_bg_sampler.positive_fraction,
        size_divisible=net.sized.multiple,
    )


def our_step(task: Task, batch: dict[str, Tensor]) -> Callable[[], None]:
    optimizer = torch.optim.Adam(task.net.parameters(), lr=1e-4)

    def step() -> None:
        output = task.step(task.prepare(batch, train=True), "train")
        optimizer.zero_grad()
        output.learnt.backward()
        optimizer.step()

    return step


def their_step(net: Theirs, pictures: Tensor, batch: dict[str, Tensor]) -> Callable[[], None]:
    """The body of ``references/detection/engine.py``: lists of pictures and of truth, the sum of a dict of losses."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    truth = [{"boxes": one["boxes"], "labels": one["labels"] + 1} for one in unpadded(batch)]

    def step() -> None:
        loss = sum(net(list(pictures), truth).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    torch.manual_seed(0)
    experiment = build(compose_run(["model=faster_rcnn", "data=digit_scenes", f"batch_size={BATCH}"]))
    task = experiment.task.train()
    net, batch = task.net, experiment.data.split("train").batch(torch.arange(BATCH))
    assert isinstance(net, FasterRCNN)
    pictures = task.prepare(batch, train=False)["image"]
    theirs = as_theirs(net, pictures.shape[-1]).train()
    ours, others = interleaved(our_step(task, batch), their_step(theirs, pictures, batch), REPEATS)
    print(
        f"{BATCH} scenes of {pictures.shape[-1]} pixels, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print(f"a step: ours {statistics.median(ours):.3f} s, torchvision's {statistics.median(others):.3f} s")
    print(f"{ratio(ours, others):.2f} times as fast")


if __name__ == "__main__":
    main()
