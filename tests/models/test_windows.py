"""Windows drawn from keys, cut out as the whole picture is resized, and what they are to learn, by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnexp.models.windows import NO_OBJECT, UNSAID, Rule, cut, draw, learnt

RULE = Rule(near=0.1, far=0.25, fill=(0.5, 0.9), slack=1.25)
BOXES = torch.tensor([[[10.0, 10.0, 20.0, 30.0], [40.0, 40.0, 56.0, 52.0], [0.0, 0.0, 0.0, 0.0]]])
CLASSES = torch.tensor([[4, 7, -1]])
SIDES = (28.0, 20.0, 14.0)


def drawn(draws: Tensor, boxes: Tensor = BOXES, classes: Tensor = CLASSES) -> Tensor:
    count = len(draws)
    return draw(draws, boxes.expand(count, -1, -1), classes.expand(count, -1), (64, 64), SIDES, 3, 8, RULE)


def test_what_windows_are_to_learn() -> None:
    """The first object is 20 pixels high around (15, 20), the second 16 wide around (48, 46)."""
    windows = {
        (15.0, 20.0, 25.0): (4, [0.5, 0.5, 10 / 25, 20 / 25]),
        (17.0, 20.0, 25.0): (4, [0.5 - 2 / 25, 0.5, 10 / 25, 20 / 25]),  # shifted by 0.08 of its side
        (48.0, 46.0, 20.0): (7, [0.5, 0.5, 16 / 20, 12 / 20]),
        (19.0, 20.0, 25.0): (UNSAID, [0.0] * 4),  # by 0.16
        (22.0, 20.0, 25.0): (NO_OBJECT, [0.0] * 4),  # by 0.28
        (15.0, 20.0, 45.0): (UNSAID, [0.0] * 4),  # it fills 0.44
        (15.0, 20.0, 60.0): (NO_OBJECT, [0.0] * 4),  # 0.33, less than 0.5 / 1.25
        (15.0, 20.0, 17.0): (NO_OBJECT, [0.0] * 4),  # it reaches over the edge
        (32.0, 60.0, 20.0): (NO_OBJECT, [0.0] * 4),
        (0.0, 0.0, 0.0): (UNSAID, [0.0] * 4),  # padding
    }
    found = learnt(torch.tensor([list(windows)]), BOXES, CLASSES, RULE)
    assert found.classes[0].tolist() == [label for label, _ in windows.values()]
    torch.testing.assert_close(found.boxes[0], torch.tensor([box for _, box in windows.values()]))


def test_of_two_objects_the_nearer_one_is_learnt() -> None:
    boxes = torch.tensor([[[10.0, 10.0, 30.0, 30.0], [11.0, 10.0, 31.0, 30.0]]])
    windows = torch.tensor([[[20.2, 20.0, 30.0], [20.8, 20.0, 30.0]]])
    assert learnt(windows, boxes, torch.tensor([[1, 2]]), RULE).classes.tolist() == [[1, 2]]


def test_windows_around_objects_show_them_and_padding_has_none() -> None:
    windows = drawn(torch.arange(200))
    assert windows.shape == (200, 3 * 3 + 8, 3)
    around = windows[:, :9].view(200, 3, 3, 3)
    found = learnt(around[:, :2].flatten(1, 2), BOXES.expand(200, -1, -1), CLASSES.expand(200, -1), RULE)
    assert (found.classes.view(200, 2, 3) == torch.tensor([4, 7])[:, None]).all()
    assert (around[:, 2] == 0).all()
    shift = (around[:, 0, :, :2] - torch.tensor([15.0, 20.0])) / around[:, 0, :, 2:]
    assert 0.095 < shift.abs().max() <= 0.1001 and shift.mean().abs() < 0.01
    fill = 20 / around[:, 0, :, 2]
    assert fill.min() >= 0.4999 and fill.max() <= 0.9001 and fill.std() > 0.1
    assert set(windows[:, 9:, 2].unique().tolist()) == set(SIDES)


def test_a_picture_has_its_windows_in_any_batch() -> None:
    """Whatever else is in it, and however many boxes its rows are filled up to."""
    boxes, classes = F.pad(BOXES, (0, 0, 0, 2)), F.pad(CLASSES, (0, 2), value=-1)
    keys = torch.tensor([5, 6, 7])
    many = drawn(keys, boxes, classes)
    for place, key in enumerate(keys):
        alone = drawn(key[None], BOXES[:, :2], CLASSES[:, :2])[0]
        assert torch.equal(many[place, :6], alone[:6]) and torch.equal(many[place, -8:], alone[-8:])
    assert not torch.equal(many[0], many[1])


def test_pictures_without_objects_have_windows() -> None:
    none = torch.full((2, 3), -1)
    windows = drawn(torch.arange(2), torch.zeros(2, 3, 4), none)
    assert (windows[:, :9, 2] == 0).all() and (windows[:, 9:, 2] > 0).all()
    found = learnt(windows, torch.zeros(2, 3, 4), none, RULE)
    assert (found.classes[:, 9:] == NO_OBJECT).all()
    empty = draw(torch.arange(2), torch.zeros(2, 0, 4), none[:, :0], (64, 64), SIDES, 3, 8, RULE)
    assert empty.shape == (2, 8, 3)
    assert (learnt(empty, torch.zeros(2, 0, 4), none[:, :0], RULE).classes == NO_OBJECT).all()


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_a_cut_window_is_a_part_of_the_resized_picture(scale: float) -> None:
    """Of 14 pixels, from (6, 10) of the resized picture on; and 3 beyond its corner, where edges are repeated."""
    x = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    resized = F.interpolate(x, (round(32 * scale), round(40 * scale)), mode="bilinear", align_corners=False)
    inside = torch.tensor([(6 + 7) / scale, (10 + 7) / scale, 14 / scale])
    beyond = torch.tensor([(-3 + 7) / scale, (-3 + 7) / scale, 14 / scale])
    found = cut(x, torch.stack([inside, beyond]).expand(2, -1, -1), 14)
    torch.testing.assert_close(found[:, 0], resized[:, :, 10:24, 6:20], atol=1e-5, rtol=0)
    padded = F.pad(resized, (3, 0, 3, 0), mode="replicate")
    torch.testing.assert_close(found[:, 1], padded[:, :, :14, :14], atol=1e-5, rtol=0)
