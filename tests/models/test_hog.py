"""Histograms of oriented gradients, held to scikit-image's and to pictures worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.models.hog import HOG


@pytest.mark.parametrize(("shape", "cell", "block"), [((1, 28, 28), 7, 2), ((3, 40, 33), 8, 3), ((1, 9, 16), 4, 1)])
@pytest.mark.parametrize("orientations", [9, 4])
def test_it_is_scikit_images(shape: tuple[int, int, int], cell: int, block: int, orientations: int) -> None:
    feature = pytest.importorskip("skimage.feature")
    pictures = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.float64)
    hog = HOG(orientations=orientations, cell=cell, block=block)
    found = hog(torch.from_numpy(pictures))
    for picture, features in zip(pictures, found, strict=True):
        given = picture[0] if shape[0] == 1 else picture.transpose(1, 2, 0)
        expected = feature.hog(
            given,
            orientations=orientations,
            pixels_per_cell=(cell, cell),
            cells_per_block=(block, block),
            channel_axis=None if shape[0] == 1 else 2,
            feature_vector=False,
        )
        rows, columns = expected.shape[:2]
        assert features.shape == (orientations * block**2, rows, columns) == hog.shape(*shape[1:])
        # theirs is (row, column, row in the block, column in the block, direction), ours has the direction outside
        ours = features.view(orientations, block, block, rows, columns).permute(3, 4, 1, 2, 0)
        np.testing.assert_allclose(ours.numpy(), expected, atol=1e-6)


def test_a_slope_votes_for_its_direction_alone() -> None:
    """I(x, y) = 2 x: the differences of neighbours are 4 across and 0 down, so all votes are for 0 degrees."""
    picture = (2.0 * torch.arange(8)).expand(1, 1, 8, 8)
    votes = HOG(orientations=9, cell=4, block=2).votes(picture)
    assert votes[0, 1:].abs().max() == 0
    assert torch.equal(votes[0, 0, :, 1:-1], torch.full((8, 6), 4.0))
    assert votes[0, 0, :, 0].abs().max() == 0 == votes[0, 0, :, -1].abs().max(), "there is no neighbour at the border"
    turned = HOG(orientations=9, cell=4, block=2).votes(picture.transpose(2, 3))
    assert turned[0, 4, 1:-1].min() == 4.0, "90 degrees are in the fifth of nine parts of 20 degrees"


def test_the_sign_and_the_scale_of_a_picture_do_not_matter() -> None:
    hog, picture = HOG(orientations=9, cell=7, block=2), torch.rand(2, 3, 28, 28, dtype=torch.float64)
    torch.testing.assert_close(hog(5 - 3 * picture), hog(picture), atol=1e-5, rtol=0)


def test_a_picture_of_one_colour_has_no_features() -> None:
    assert HOG(orientations=9, cell=7, block=2)(torch.ones(1, 1, 28, 28)).abs().max() == 0


def test_a_block_is_clipped() -> None:
    """One direction only: its share of 1 in each of four cells is 0.5 each, clipped to 0.2 and normalised to 0.5."""
    picture = (2.0 * torch.arange(30)).expand(1, 1, 30, 30)[..., 1:29, 1:29]
    found = HOG(orientations=9, cell=7, block=2)(picture)[0, :4, 1, 1]
    torch.testing.assert_close(found, torch.full((4,), 0.5))
