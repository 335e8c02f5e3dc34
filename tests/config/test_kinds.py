"""Whose nets take the samples of a data set, told from the source of its kind of input."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.kinds import class_of_input, kind_of_nets
from cnnexp.config.options import config_folders, data_with, option_files
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from cnnexp.inputs.sounds import Sounds


def test_sounds_are_for_the_nets_that_their_features_say() -> None:
    assert kind_of_nets({"input": "sounds", "features": "mfcc"}) == "pictures"
    assert kind_of_nets({"input": "sounds"}) == "pictures"
    assert kind_of_nets({"input": "sounds", "features": "waveform"}) == "signals"
    assert Sounds.becomes == ("features", {"waveform": "signals"}, "pictures") and Pictures.becomes is None


def test_others_are_for_nets_of_their_own() -> None:
    assert kind_of_nets({"input": "signals"}) == "signals"
    assert kind_of_nets({"input": "mine.waves.Waves"}) == "mine.waves.Waves"
    assert kind_of_nets({}) is None
    assert class_of_input("sounds") == "cnnexp.inputs.sounds.Sounds" and class_of_input("a.B") == "a.B"


def test_data_for_nets_of_pictures_has_sounds_among_it() -> None:
    folders = config_folders()
    assert "fsdd" in data_with("label", folders, "pictures") and "fsdd" not in data_with("label", folders, "signals")
    assert "fsdd" in option_files("data", folders)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["model=resnet20", "data.features=waveform"],
            "holds sounds, which become signals here; for those .*ecg_resnet",
        ),
        (["model=fcn_1d"], "takes signals .*, and data=fsdd holds sounds, which become pictures here"),
        (["model=resnet20", "augmentation=flip"], "augmentation=flip: is for pictures, and data=fsdd holds sounds"),
        (["model=resnet20", "data.image_size=[4]"], "data.image_size=.4.: expected a list of 2 values"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        compose_run(["data=fsdd", *words])


def test_what_fits_is_taken() -> None:
    compose_run(["data=fsdd", "model=resnet20", "augmentation=sounds"])
    compose_run(["data=fsdd", "model=fcn_1d", "data.features=waveform"])


def test_a_size_may_be_open_where_the_input_has_one_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.image_size=null: expected a list of 2 values"):
        compose_run(["data=mnist5k", "data.image_size=null"])
