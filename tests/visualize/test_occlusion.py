from __future__ import annotations

import torch

from cnnexp.visualize.occlusion import occlusion, usual_patch


def test_by_hand() -> None:
    """A row of 4 pixels, patches of 2 at every pixel, from one before the row: {0}, {0,1}, {1,2}, {2,3}, {3}.

    The score is x0 + 10 x2 with ones: hiding costs 1, 1, 10, 10, 0; pixel 0 is hidden by the first two, 1 by the second
    and third, and so on.
    """
    x = torch.ones(1, 1, 1, 4)
    found = occlusion(lambda x: x[:, 0, 0, 0] + 10 * x[:, 0, 0, 2], x, 2, torch.zeros_like(x))
    assert found.tolist() == [[1, 5.5, 10, 5]]


def test_against_one_patch_at_a_time() -> None:
    torch.manual_seed(0)
    x, fill, weights = torch.randn(1, 2, 11, 9), torch.randn(1, 2, 11, 9), torch.randn(2, 11, 9)
    score = lambda x: (x * weights).sum((1, 2, 3)).square()  # noqa: E731
    total, count = torch.zeros(11, 9, dtype=torch.float64), torch.zeros(11, 9)
    for top in range(-2, 11, 2):
        for left in range(-2, 9, 2):
            hides = torch.zeros(11, 9, dtype=torch.bool)
            hides[max(0, top) : top + 4, max(0, left) : left + 4] = True
            total[hides] += float(score(x) - score(torch.where(hides, fill, x)))
            count[hides] += 1
    assert int(count.min()) == int(count[5, 5]) == 4
    torch.testing.assert_close(occlusion(score, x, 4, fill), total / count, rtol=1e-4, atol=1e-3)


def test_the_usual_patch_is_a_sixth() -> None:
    assert [usual_patch(side, side) for side in (3, 28, 32, 224)] == [1, 6, 6, 38]
