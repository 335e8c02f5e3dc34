"""Published figures: of nets that there are, and within what can be."""

from __future__ import annotations

from cnnexp.config.options import option_files
from cnnexp.paths import config_folder
from cnnexp.report.imagenet import ALSO, PEOPLE, TOP5, WINNERS


def test_every_figure_is_of_a_net_that_can_be_named() -> None:
    """A net that was renamed would lose its figure without a word."""
    assert len(TOP5) > 20
    assert set(TOP5) - set(option_files("model", [config_folder()])) == set()


def test_errors_are_in_per_cent_and_from_the_years_of_the_challenge() -> None:
    for name, one in TOP5.items():
        assert 1 < one.error < 30 and 2012 <= one.year <= 2017, name
        assert one.paper and any(word in one.how for word in ("crop", "scale")), name


def test_since_2015_nets_are_better_than_a_person() -> None:
    better = [one.year for one in WINNERS if one.error < PEOPLE.error]
    assert better == [2015, 2016, 2017]
    assert all(one.layers is None for one in WINNERS if one.year < 2012)
    assert {one.year for one in ALSO} <= {one.year for one in WINNERS}


def test_residual_nets_are_of_the_option_that_they_have_here() -> None:
    """He 2015, table 3: A 7.76, B 7.46, C 7.40; projections stand where the size changes, which is B."""
    assert TOP5["resnet34"].error == 7.46 and "option B" in TOP5["resnet34"].how
