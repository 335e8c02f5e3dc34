"""A loss of several parts, as the command line and files have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.builders.binding import bind_run
from cnnexp.config.compose import compose_run
from cnnexp.config.loss_parts import with_parts
from cnnexp.config.options import config_folders
from cnnexp.errors import InputError
from cnnexp.losses.combined import Combined

UNET = ("model=unet", "data=digit_scenes")


def test_each_part_has_the_keys_of_its_file_and_those_that_are_given() -> None:
    given = "loss.parts={pixel_cross_entropy:1,pixel_focal:{weight:0.5,gamma:1.0}}"
    parts = compose_run([*UNET, "loss=combined", given])["loss"]["parts"]
    assert parts["pixel_cross_entropy"] == {
        "weight": 1,
        "_target_": "cnnexp.losses.pixel_cross_entropy.PixelCrossEntropy",
    }
    assert (parts["pixel_focal"]["weight"], parts["pixel_focal"]["gamma"], parts["pixel_focal"]["alpha"]) == (
        0.5,
        1.0,
        None,
    )


def test_parts_that_are_named_are_all_of_it_and_the_net_has_its_own() -> None:
    assert {name: part["weight"] for name, part in compose_run(UNET)["loss"]["parts"].items()} == {
        "pixel_cross_entropy": 1,
        "dice": 1,
    }
    assert [*compose_run([*UNET, "loss.parts={pixel_focal:2}"])["loss"]["parts"]] == ["pixel_focal"]
    parts = compose_run([*UNET, "loss.parts.dice=3"])["loss"]["parts"]
    assert (parts["dice"]["weight"], parts["pixel_cross_entropy"]["weight"]) == (3, 1)
    assert compose_run([*UNET, "loss=dice"])["loss"] == {"_target_": "cnnexp.losses.dice.Dice", "squares": False}


def test_one_key_of_a_part_leaves_its_weight_and_the_other_parts() -> None:
    parts = compose_run([*UNET, "loss.parts.dice=3", "loss.parts.dice.squares=true"])["loss"]["parts"]
    assert (parts["dice"]["weight"], parts["dice"]["squares"], parts["pixel_cross_entropy"]["weight"]) == (3, True, 1)
    words = ["loss.parts={pixel_focal:2}", "+loss.parts.pixel_focal.gamma=1.0", "+loss.parts.pixel_focal.weight=5"]
    focal = compose_run([*UNET, *words])["loss"]["parts"]["pixel_focal"]
    assert (focal["weight"], focal["gamma"]) == (5, 1.0)
    with pytest.raises(InputError, match=r"^loss\.parts\.dice\.square: there is no such key; did you mean squares\?$"):
        compose_run([*UNET, "loss.parts.dice.square=true"])
    with pytest.raises(InputError, match=r"^loss\.parts\.dice\.squares=7: "):
        bind_run(compose_run([*UNET, "loss.parts.dice.squares=7"]))


def test_what_is_whole_stays_as_it_is() -> None:
    folders = config_folders()
    whole = with_parts({"parts": {"dice": 2}}, folders)
    assert with_parts(whole, folders) == whole
    assert with_parts({"gamma": 2.0}, folders) == {"gamma": 2.0}


def test_a_loss_of_ones_own_is_a_part(tmp_path: Path) -> None:
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "sharper.yaml").write_text(
        "# Focal loss, sharper\n_target_: cnnexp.losses.pixel_focal.PixelFocal\ngamma: 5.0\n"
    )
    config = compose_run([*UNET, "loss=combined", "loss.parts={sharper:1,dice:1}"], [str(tmp_path)])
    bound = bind_run(config).loss
    assert bound is not None
    made = bound(num_classes=11, label_smoothing=0.0, class_weights=None)
    assert isinstance(made, Combined) and made.losses["sharper"].gamma == 5.0
    assert made.term_names == ("focal", "dice_loss")


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ("{}", "loss.parts: names no loss; give 'loss.parts={pixel_cross_entropy:1,dice:{weight:1,squares:true}}'"),
        ("{dcie:1}", "loss.parts.dcie: there is no such loss; did you mean dice?"),
        ("{dice:0}", "loss.parts.dice: expected its weight, a number above 0"),
        ("{dice:true}", "loss.parts.dice: expected its weight"),
        ("{dice:{squares:true}}", "loss.parts.dice: expected its weight"),
        ("{dice:{weight:1,square:true}}", "loss.parts.dice.square: there is no such key; did you mean squares?"),
        ("{combined:1}", "loss.parts.combined: has parts itself"),
        ("{dice:{weight:1,_target_:os.system}}", "loss.parts.dice._target_: choose another class by another loss"),
    ],
)
def test_what_is_no_part(parts: str, line: str) -> None:
    with pytest.raises(InputError) as error:
        compose_run([*UNET, "loss=combined", f"loss.parts={parts}"])
    assert len(error.value.lines) == 1 and error.value.lines[0].startswith(line)


def test_keys_of_parts_are_bound_to_their_classes() -> None:
    words = [*UNET, "loss=combined", "loss.parts={dice:{weight:1,squares:7},pixel_focal:{weight:1,gamma:[1]}}"]
    with pytest.raises(InputError) as error:
        bind_run(compose_run(words))
    assert [line.split(":")[0] for line in error.value.lines] == [
        "loss.parts.dice.squares=7",
        "loss.parts.pixel_focal.gamma=[1]",
    ]
