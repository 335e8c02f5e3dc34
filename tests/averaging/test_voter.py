"""Averages of a tiny net over views, worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnexp.averaging.views import FLIP, multi_scale, ten_crop
from cnnexp.averaging.voter import Voter, parameter_count, weight_bytes, weighted_mean
from cnnexp.tasks.base import Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.segmentation import Segmentation
from tests.tasks import tiny

CPU = torch.device("cpu")


def classifier() -> Task:
    return tiny.task(Classification, tiny.linear_net())


def labeller(net: nn.Module | None = None) -> Task:
    return tiny.task(Segmentation, net or tiny.pixel_net())


def by_hand(task: Task, image: Tensor) -> Tensor:
    """Softmax of the net's answer to uint8 pictures, normalised as the facts of ``tiny`` say."""
    with torch.no_grad():
        return task.net((image.float() / 255 - 0.4) / 0.2).softmax(1)


def test_without_views_it_is_the_softmax_of_the_net() -> None:
    task, batch = classifier(), tiny.batch(6)
    torch.testing.assert_close(Voter(task, (), CPU, "fp32")(batch), by_hand(task, batch["image"]))


def test_a_mirrored_picture_is_averaged_in_probabilities_and_not_in_logits() -> None:
    task, batch = classifier(), tiny.batch(6)
    found = Voter(task, FLIP, CPU, "fp32")(batch)
    expected = (by_hand(task, batch["image"]) + by_hand(task, batch["image"].flip(-1))) / 2
    torch.testing.assert_close(found, expected)
    logits = sum(task.net((one.float() / 255 - 0.4) / 0.2) for one in (batch["image"], batch["image"].flip(-1)))
    assert (found - (logits / 2).softmax(1)).abs().max() > 1e-4


def test_a_picture_that_is_its_own_mirror_image_is_answered_as_without_views() -> None:
    task, batch = classifier(), tiny.batch(6)
    half = batch["image"][..., :4]
    batch["image"] = torch.cat([half, half.flip(-1)], -1)
    torch.testing.assert_close(Voter(task, FLIP, CPU, "fp32")(batch), Voter(task, (), CPU, "fp32")(batch))


def test_ten_crops_of_a_picture_that_is_stored_larger() -> None:
    task = classifier()
    image = torch.randint(256, (3, 1, 12, 12), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    corners = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]
    crops = [one[..., y : y + 8, x : x + 8] for one in (image, image.flip(-1)) for y, x in corners]
    expected = torch.stack([by_hand(task, crop) for crop in crops]).mean(0)
    batch = {"image": image, "index": torch.arange(3)}
    torch.testing.assert_close(Voter(task, ten_crop(), CPU, "fp32")(batch), expected)


def test_maps_are_turned_back_before_they_are_averaged() -> None:
    """A net that looks at single pixels answers the same whichever way round, so nothing may change."""
    task, batch = labeller(nn.Conv2d(1, 3, 1)), tiny.batch(4)
    single = Voter(task, (), CPU, "fp32")(batch)
    assert single.shape == (4, 3, 8, 8)
    torch.testing.assert_close(Voter(task, FLIP, CPU, "fp32")(batch), single)
    for views in (multi_scale((0.5, 1.0, 2.0)), ten_crop(0.5)):
        flat = {**batch, "image": torch.full_like(batch["image"], 77)}
        averaged = Voter(task, views, CPU, "fp32")(flat)
        torch.testing.assert_close(averaged, Voter(task, (), CPU, "fp32")(flat))


def test_maps_of_a_net_that_sees_its_neighbours() -> None:
    task, batch = labeller(), tiny.batch(4)
    expected = (by_hand(task, batch["image"]) + by_hand(task, batch["image"].flip(-1)).flip(-1)) / 2
    torch.testing.assert_close(Voter(task, FLIP, CPU, "fp32")(batch), expected)


def test_of_pictures_that_are_stored_larger_the_middle_is_judged() -> None:
    task = tiny.task(Segmentation, nn.Conv2d(1, 3, 1), facts=tiny.facts(decode_size=(12, 14)))
    generator = torch.Generator().manual_seed(2)
    image, mask = (torch.randint(high, (2, 12, 14), generator=generator).to(torch.uint8) for high in (256, 3))
    batch = {"image": image[:, None], "mask": mask, "index": torch.arange(2)}
    expected = by_hand(task, image[:, None, 2:10, 3:11])
    for views in ((), FLIP, ten_crop(), multi_scale((1.0,))):
        voter = Voter(task, views, CPU, "fp32")
        torch.testing.assert_close(voter(batch), expected)
        assert torch.equal(voter.truth(batch)["mask"], mask[:, 2:10, 3:11])


def test_answers_add_up_to_one_in_every_precision() -> None:
    for precision, kind in (("fp64", torch.float64), ("bf16", torch.float32), ("fp32", torch.float32)):
        for task in (classifier(), labeller()):
            found = Voter(task, ten_crop(), CPU, precision)(tiny.batch(3))
            assert found.dtype == kind
            torch.testing.assert_close(found.sum(1), torch.ones_like(found.sum(1)))


def test_the_batch_is_left_as_it_is() -> None:
    task, batch = classifier(), tiny.batch(3)
    before = batch["image"].clone()
    Voter(task, FLIP, CPU, "fp32")(batch)
    assert torch.equal(batch["image"], before)


def test_the_weighted_mean() -> None:
    one, two = torch.tensor([[0.2, 0.8]]), torch.tensor([[0.6, 0.4]])
    torch.testing.assert_close(weighted_mean([one, two], [3, 1]), torch.tensor([[0.3, 0.7]]))
    large, small = torch.full((1, 2, 4, 4), 0.5), torch.tensor([0.9, 0.1]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    mean = weighted_mean([large, small], [1, 1])
    torch.testing.assert_close(mean, torch.tensor([0.7, 0.3]).view(1, 2, 1, 1).expand(1, 2, 4, 4))


def test_what_a_net_weighs() -> None:
    task = classifier()
    assert parameter_count(task) == 64 * 3 + 3
    assert weight_bytes(task) == 4 * (64 * 3 + 3)
