"""The parameters of the paper's baseline, sizes, and that it begins with bicubic."""

from __future__ import annotations

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.bicubic import enlarged
from cnnexp.models.edsr_small import EDSRSmall
from tests.models.made import counted, learns
from tests.models.restoring import seen_px


@pytest.mark.parametrize(("factor", "parameters"), [(2, 1_369_859), (3, 1_554_499), (4, 1_517_571)])
def test_it_has_the_parameters_of_the_baseline(factor: int, parameters: int) -> None:
    """The authors' EDSR-baseline less the two layers that subtract and add a mean colour, which do not learn."""
    assert counted(lambda: EDSRSmall(in_channels=3, factor=factor, width=64, blocks=16)) == parameters


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@torch.no_grad()
def test_any_size_is_enlarged_and_it_begins_with_bicubic(factor: int) -> None:
    torch.manual_seed(0)
    picture, own = torch.rand(2, 3, 13, 10), {"in_channels": 3, "factor": factor, "width": 6, "blocks": 2}
    answer = EDSRSmall(**own)(picture)  # type: ignore[arg-type]
    assert answer.shape == (2, 3, 13 * factor, 10 * factor)
    assert (answer - enlarged(picture, factor)).abs().max() < 0.2
    assert EDSRSmall(**own, residual=False)(picture).abs().max() < 0.2  # type: ignore[arg-type]


@pytest.mark.parametrize(("factor", "blocks"), [(1, 1), (2, 2), (3, 3), (4, 1)])
def test_it_sees_as_far_as_it_says(factor: int, blocks: int) -> None:
    net = EDSRSmall(in_channels=1, factor=factor, width=2, blocks=blocks)
    assert net.reach - 2 <= seen_px(net) <= net.reach


@torch.no_grad()
def test_a_block_is_added_by_its_scale() -> None:
    net = EDSRSmall(in_channels=1, factor=2, width=3, blocks=1, scale=0.5)
    block, x = net.body[0], torch.rand(1, 3, 5, 5)
    torch.nn.init.normal_(block.second.weight)
    assert torch.allclose(block(x), x + 0.5 * block.second(block.first(x).relu()))


def test_every_weight_learns() -> None:
    net = EDSRSmall(in_channels=3, factor=2, width=4, blocks=1)
    torch.nn.init.normal_(net.body[0].second.weight)  # begins at 0, where nothing comes through to the first
    learns(net, torch.rand(2, 3, 9, 8))


@pytest.mark.parametrize("wrong", [{"factor": 5}, {"width": 0}, {"blocks": 0}], ids=str)
def test_what_is_no_edsr_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"2, 3 or 4|at least 1"):
        EDSRSmall(**({"in_channels": 1, "width": 2, "blocks": 1} | wrong))  # type: ignore[arg-type]
