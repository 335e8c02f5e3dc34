"""Which number of a size is the channels."""

from __future__ import annotations

import pytest

from cnnexp.cli import main
from cnnexp.commands.picture_size import channels_first, channels_last
from cnnexp.errors import InputError


@pytest.mark.parametrize(
    ("text", "channels", "sides"),
    [
        ("32x32x1", 1, (32, 32)),
        ("1x32x32", 1, (32, 32)),
        ("3x227x227", 3, (227, 227)),
        ("227X227×3", 3, (227, 227)),
        ("480x640x3", 3, (480, 640)),
        ("3x480x640", 3, (480, 640)),
        ("96x55x55", 96, (55, 55)),
        ("55x55x96", 96, (55, 55)),
        ("3x3x1", 1, (3, 3)),
        ("4x2x2", 4, (2, 2)),
        ("3x3x3", 3, (3, 3)),
        ("12x15x32:hwc", 32, (12, 15)),
        ("12x15x32:CHW", 12, (15, 32)),
    ],
)
def test_both_orders_are_understood_alike(text: str, channels: int, sides: tuple[int, int]) -> None:
    assert channels_first(text)[0] == (channels, *sides)
    assert channels_last(text)[0] == (*sides, channels)


def test_an_order_that_was_turned_is_told_in_a_line() -> None:
    assert channels_first("32x32x1")[1] == (
        "--input 32x32x1: read as height x width x channels, 1 channel of 32x32 pixels"
    )
    assert channels_last("3x227x227")[1] == (
        "--input 3x227x227: read as channels x height x width, 3 channels of 227x227 pixels"
    )
    assert [channels_first(text)[1] for text in ("1x32x32", "3x3x3", "32x32x1:hwc")] == [None, None, None]
    assert channels_last("32x32x1")[1] is None


@pytest.mark.parametrize("text", ["12x15x32", "3x224x3", "64x32x64"])
def test_what_nobody_can_tell_is_refused_with_both_readings(text: str) -> None:
    first, middle, last = text.split("x")
    for read in (channels_first, channels_last):
        with pytest.raises(InputError) as refused:
            read(text)
        line = str(refused.value)
        assert f" {first} channels of {middle}x{last} pixels" in line
        assert f" {last} channels of {first}x{middle} pixels" in line
        assert line.endswith(f"say which with --input {text}:chw or --input {text}:hwc")


def test_maps_of_a_layer_are_the_usual_order_of_their_command() -> None:
    assert channels_last("3x3x512") == ((3, 3, 512), None)
    assert channels_first("512x3x3") == ((512, 3, 3), None)
    with pytest.raises(InputError, match="may be 3 channels of 3x512 pixels, or 512 channels of 3x3 pixels"):
        channels_first("3x3x512")


@pytest.mark.integration
def test_both_commands_take_both(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for text in ("32x32x1", "1x32x32"):
        assert main(["summary", "model=lenet5", "--input", text, "--csv"]) == 0
        printed.append(capsys.readouterr())
    assert printed[0].out == printed[1].out and "6x28x28" in printed[0].out
    assert printed[0].err.strip().endswith("1 channel of 32x32 pixels") and printed[1].err == ""
    for text in ("227x227x3", "3x227x227"):
        assert main(["layer", "conv", "--input", text, "--filters", "96", "--kernel", "11", "--stride", "4"]) == 0
        printed.append(capsys.readouterr())
    assert printed[2].out == printed[3].out and "55×55×96" in printed[2].out
    assert main(["layer", "pool", "--input", "12x15x32", "--kernel", "2"]) == 2
    assert "--input 12x15x32:hwc" in capsys.readouterr().err
