"""The weights of the paper, sizes, and that it begins with bicubic."""

from __future__ import annotations

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.bicubic import enlarged
from cnnexp.models.srcnn import SRCNN
from tests.models.made import learns, parameters
from tests.models.restoring import seen_px


@pytest.mark.parametrize(
    ("kernels", "weights"), [((9, 1, 5), 8_032), ((9, 3, 5), 24_416), ((9, 5, 5), 57_184)], ids=str
)
def test_it_has_the_weights_of_the_paper(kernels: tuple[int, ...], weights: int) -> None:
    """Dong et al. 2016, table 1 and section 4.2; biases come on top."""
    assert parameters(SRCNN(in_channels=1, kernels=kernels)) == weights + 64 + 32 + 1


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@torch.no_grad()
def test_any_size_is_enlarged_and_it_begins_with_bicubic(factor: int) -> None:
    picture = torch.rand(2, 3, 13, 10)
    answer = SRCNN(in_channels=3, factor=factor)(picture)
    assert answer.shape == (2, 3, 13 * factor, 10 * factor)
    assert (answer - enlarged(picture, factor)).abs().max() < 0.05
    bare = SRCNN(in_channels=3, factor=factor, residual=False)(picture)
    assert bare.abs().max() < 0.1


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_it_sees_as_far_as_it_says(factor: int) -> None:
    net = SRCNN(in_channels=1, factor=factor, widths=(3, 2), kernels=(5, 3, 5))
    assert net.reach - 1 <= seen_px(net) <= net.reach


def test_every_weight_learns() -> None:
    learns(SRCNN(in_channels=3, factor=2, widths=(4, 3)), torch.rand(2, 3, 9, 8))


@pytest.mark.parametrize(
    "wrong", [{"kernels": (9, 2, 5)}, {"kernels": (9, 5)}, {"widths": (64,)}, {"widths": (0, 2)}], ids=str
)
def test_what_is_no_srcnn_is_refused(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match=r"model\.widths|model\.kernels"):
        SRCNN(in_channels=1, **wrong)  # type: ignore[arg-type]
