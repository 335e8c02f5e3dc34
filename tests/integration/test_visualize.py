"""``cnnexp visualize`` through the real command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.commands.visualize import TECHNIQUES
from tests.integration.conftest import CommandLine, command_line
from tests.integration.refusing import Case, assert_refused, case

pytestmark = pytest.mark.integration

COURSE_PICTURE = (
    "[[2,3,7,4,6,2,9],[6,6,9,8,7,4,3],[3,4,8,3,8,9,7],[7,8,3,6,6,3,4],[4,2,1,8,3,4,6],[3,2,4,1,9,8,3],[0,1,3,9,2,1,4]]"
)
TRAINED = {
    "plain": (),
    "recorded": ("logger.gradients=true", "epochs=2", "name=relu"),
    "sigmoid": ("logger.gradients=2", "model.activation=sigmoid", "name=sigmoid"),
    "dropped": ("model=mlp", "regularization.dropout=0.5"),
    "windows": ("model=window_lenet", "data=digit_scenes", "data.fraction=0.02"),
    "codes": ("model=dense_autoencoder",),
    "scenes": ("model=unet", "data=digit_scenes", "model.width=2", "model.depth=1", "data.fraction=0.02"),
}


@pytest.fixture(scope="session")
def runs(server: object, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a tiny run by its name above, trained when it is first asked for."""
    made: dict[str, str] = {}

    def folder(name: str) -> str:
        if name not in made:
            place = tmp_path_factory.mktemp(name)
            words = ("data.fraction=0.05", "epochs=1", "hardware.threads=1", *TRAINED[name])
            done = command_line(server, place)("train", *words, figures=True)  # type: ignore[arg-type]
            assert done.status == 0, done.err
            (run,) = (place / "outputs").iterdir()
            made[name] = str(run)
        return made[name]

    return folder


@pytest.fixture
def photo(work: Path) -> str:
    """A picture of 60×80 with something in it."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((80, 60)).save(work / "photo.png")
    return "photo.png"


def drawn(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    assert min(image.size) > 80
    colours = image.convert("RGB").getcolors(1 << 24)
    assert colours is not None and len(colours) > 20
    return image


def test_techniques_are_listed(cnnexp: CommandLine) -> None:
    done = cnnexp("visualize", "--list")
    assert done.status == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines() if re.match(r"  \w", line)] == sorted(TECHNIQUES)
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.strip("\n") in cnnexp("visualize", "--help").out


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_each_technique_has_help_with_an_example(technique: str, cnnexp: CommandLine) -> None:
    done = cnnexp("visualize", technique, "--help")
    assert done.status == 0, done.err
    assert f"usage: cnnexp visualize {technique}" in done.out
    assert "example:\n" in done.out and f"cnnexp visualize {technique}" in done.out.split("example:")[1]
    assert max(map(len, done.out.splitlines())) <= 80


def test_backprop(cnnexp: CommandLine, work: Path) -> None:
    done = cnnexp("visualize", "backprop", "--activation", "tanh", "--seed", "4", cwd=work)
    assert done.status == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    found = re.findall(r"Autograd agrees: of all (\d+) values the largest difference is (\S+)\.", done.out)
    assert [int(count) for count, _ in found] == [80, 43]
    assert all(float(difference) < 1e-13 for _, difference in found)
    assert (work / "visualize" / "backprop.txt").read_text().strip() in done.out
    drawn(work / "visualize" / "backprop_net.png")
    drawn(work / "visualize" / "backprop_conv.png")


def test_backprop_of_a_thinned_net(here: CommandLine, work: Path) -> None:
    done = here("visualize", "backprop", "--dropout", "0.5", "--mask", "1011,0110", "--out", "thin", cwd=work)
    assert done.status == 0, done.err
    assert "m1 = 1  0  1  1   dropped: 2" in done.out
    assert "h1 = m1·a1 / (1 − p) = 1.0649       0  0.5905  1.0549" in done.out
    assert "of all 96 values" in done.out
    by_seed = here("visualize", "backprop", "--dropout", "0.5", "--seed", "1", "--out", "thin", cwd=work)
    assert by_seed.out.count("dropped: ") == 2


def test_kernels_on_a_picture(cnnexp: CommandLine, work: Path, photo: str) -> None:
    done = cnnexp("visualize", "kernels", photo, "--template", "10,20,12", "--out", "made", cwd=work)
    assert done.status == 0, done.err
    assert next(line for line in done.out.splitlines() if line.startswith("template matching")).split()[-1] == "1"
    assert "58×78" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    drawn(work / "made" / "kernels.png")


def test_the_example_of_courses_from_the_command_line(cnnexp: CommandLine, work: Path) -> None:
    words = ("--kernel", "[[3,4,4],[1,0,2],[-1,0,3]]", "--stride", "2")
    done = cnnexp("visualize", "kernels", COURSE_PICTURE, *words, cwd=work)
    assert done.status == 0, done.err
    assert "   91 100  88\n   69  91 117\n   44  72  74\n" in done.out
    assert "a sum of products" in done.out and "not turned around" in done.out


def test_a_picture_that_is_shrunk_says_so(cnnexp: CommandLine, work: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 500, 3)).astype(np.uint8)).save(work / "large.png")
    for technique in ("kernels", "pooling", "stride"):
        done = cnnexp("visualize", technique, "large.png", cwd=work)
        assert done.status == 0, done.err
        assert "large.png: 300×500 is shrunk to 240×400 first" in done.out.splitlines(), technique
        drawn(work / "visualize" / f"{technique}.png")


MATRIX = "[[1,3,2,1],[2,9,1,1],[1,3,2,3],[5,6,1,2]]"


def for_people(cnnexp: CommandLine, work: Path, *words: str) -> list[str]:
    """The lines that a technique prints, after it drew its picture."""
    done = cnnexp("visualize", *words, cwd=work)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    drawn(work / lines[-1])
    return lines


def as_json(cnnexp: CommandLine, work: Path, *words: str) -> dict[str, Any]:
    done = cnnexp("visualize", *words, "--json", cwd=work)
    assert done.status == 0, done.err
    content: dict[str, Any] = json.loads(done.out)
    drawn(work / content["picture"])
    return content


def test_pooling_of_a_matrix(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "pooling", MATRIX)
    assert "   2 [9]| 1  1" in lines
    assert "1-2     1-2                9      3.75     9.747       4.873" in lines  # √95 and √(95/4)
    place = lines.index("max: the largest")
    assert lines[place + 1 : place + 3] == ["  9 2", "  6 3"]
    content = as_json(cnnexp, work, "pooling", MATRIX, "--kind", "max", "--kernel", "3", "--stride", "1")
    assert content["max"] == [[9, 9], [9, 9]] and "l2" not in content


def test_pooling_says_what_no_window_reaches(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "pooling", "[[1,2,3,4,5],[1,2,3,4,5]]")
    assert "The last column lies in no whole window." in lines
    assert as_json(cnnexp, work, "pooling", "[[1,2,3,4,5],[1,2,3,4,5]]")["max"] == [[2, 4]]


def test_pooling_of_the_book_s_row(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "pooling", "[0.1,1,0.2,0.1]", "--kind", "max")
    assert "  moved right by 1: 4 of 4 detectors changed, 2 of 4 pooled values" in lines
    (row,) = as_json(cnnexp, work, "pooling", "[0.1,1,0.2,0.1]", "--kind", "max")["rows"]
    assert row["after"] == {"detectors": [0.3, 0.1, 1, 0.2], "pooled": [0.3, 1, 1, 1]}
    moved = as_json(cnnexp, work, "pooling", "[1,2,3,4]", "--shift", "2", "--entering", "7,8", "--stride", "2")
    assert moved["rows"][0]["after"] == {"detectors": [7, 8, 1, 2], "pooled": [8, 8]}


def test_pooling_of_a_picture(cnnexp: CommandLine, work: Path, photo: str) -> None:
    lines = for_people(cnnexp, work, "pooling", photo, "--kernel", "3", "--stride", "2")
    assert any(line.split()[:2] == ["average", "29×39"] for line in lines)
    content = as_json(cnnexp, work, "pooling", photo, "--grey")
    assert content["max"]["output"] == [1, 30, 40]
    assert content["max"]["largest"] >= content["average"]["largest"]


def test_rotation(cnnexp: CommandLine, work: Path) -> None:
    content = as_json(cnnexp, work, "rotation", "--filters", "3", "--step", "30")
    assert content["filter_degrees"] == [-30, 0, 30] and content["pictures"] == 50
    single, largest = (dict(zip(content["degrees"], content[name], strict=True)) for name in ("single", "largest"))
    assert all(largest[angle] >= single[angle] for angle in single)
    assert single[30] < 0.85 * single[0] and largest[30] > 0.95 * largest[0]
    assert content["others_largest"] > content["others_single"]
    lines = for_people(cnnexp, work, "rotation", "--digit", "3")
    assert any(line.startswith("largest of 5") for line in lines)


def test_activation_functions(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "activation-functions")
    assert any(line.split()[:5] == ["sigmoid", "0.25", "0.25", "0.25", "0.25"] for line in lines)
    assert sum(line.startswith("maxout ") for line in lines) == 2
    (leaky,) = as_json(cnnexp, work, "activation-functions", "leaky_relu", "--leaky-slope", "0.1")["activations"]
    assert (leaky["left"], leaky["right"], leaky["flat_left"]) == (0.1, 1, None)


def test_stride(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "stride")
    place = lines.index("stride 2, 3×3:")
    assert lines[place + 1 : place + 4] == ["   91 100  88", "   69  91 117", "   44  72  74"]
    assert "that is 36.0% of the work: 1/2² is 25.0%, and 3·3 of 5·5 places 36.0%" in lines
    content = as_json(cnnexp, work, "stride", MATRIX, "--kernel", "[[1]]", "--stride", "2")
    assert content["part"] == 0.25 and content["largest_difference"] == 0
    assert (content["dense_multiply_adds"], content["strided_multiply_adds"]) == (16, 4)


def test_padding(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "padding")
    assert [line.split()[-3:] for line in lines[3:6]] == [["1", "3", "9"], ["4", "6", "9"], ["9", "9", "9"]]
    content = as_json(cnnexp, work, "padding", "--input", "5x4", "--kernel", "2", "--stride", "2")
    assert content["padding"][0]["counts"] == [[1] * 4] * 4 + [[0] * 4]


def test_receptive_field_of_a_row(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "receptive-field", "--depth", "2", "--width", "5")
    assert [line.split() for line in lines[3:5]] == [
        ["h1", "5", "3:", "x2", "to", "x4", "3·5", "−", "2", "=", "13", "5·5", "=", "25"],
        ["h2", "5", "5:", "x1", "to", "x5", "3·5", "−", "2", "=", "13", "5·5", "=", "25"],
    ]
    assert "weights: 50 fully connected, 26 sparse, 6 shared." in lines
    content = as_json(cnnexp, work, "receptive-field", "--kernel", "2", "--dilation", "1,2,4")
    assert [len(layer["sees"]) for layer in content["layers"]] == [2, 4, 8]


def test_receptive_field_of_a_net(cnnexp: CommandLine, work: Path) -> None:
    lines = for_people(cnnexp, work, "receptive-field", "model=lenet5", "--layers", "conv2,pool2")
    assert [line.split() for line in lines[3:5]] == [
        ["conv2", "10×10", "14×14", "8-21", "8-21", "196"],
        ["pool2", "5×5", "16×16", "6-21", "6-21", "256"],
    ]
    content = as_json(cnnexp, work, "receptive-field", "model=vgg11", "--input", "3x64x64")
    assert content["layers"][0]["size"] == [3, 3]
    lines = for_people(cnnexp, work, "receptive-field", "model=fcn_1d")
    assert lines[3].split() == ["features.0", "96", "8", "45-52", "8"]


def test_shift_of_a_run(cnnexp: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = cnnexp("visualize", "shift", runs("plain"), "--samples", "20", "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert content["strides"] == {"conv1": 1, "pool1": 2, "conv2": 2, "pool2": 4}
    assert content["shifts"] == list(range(9))
    for name, stride in content["strides"].items():
        for shift, value in zip(content["shifts"], content["differences"][name], strict=True):
            if value is not None:
                assert (value < 1e-4) == (shift % stride == 0), (name, shift)
    assert content["agreement"][0] == 1
    drawn(work / "visualize" / "shift.png")


def test_shift_for_people(cnnexp: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--samples", "9", "--direction", "down", "--shifts", "4,0,20", "--layers", "pool2,conv1")
    done = cnnexp("visualize", "shift", runs("plain"), *words, cwd=work)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "lenet5 on 9 test pictures of mnist5k, moved down"
    assert [line.split()[0] for line in lines[2:5]] == ["shift", "pool2", "conv1"]
    assert lines[2].split()[-3:] == ["0", "4", "20"]
    assert max(map(len, lines)) <= 80


def test_dropout_is_an_average_of_thinned_nets(cnnexp: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = cnnexp("visualize", "dropout", runs("dropped"), "--nets", "4", "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert (content["counts"], content["groups"], content["samples"]) == ([1, 2, 3, 4], [4, 2, 1, 1], 500)
    tested = json.loads(cnnexp("test", runs("dropped"), "--json").out)["metrics"]
    assert content["scaled_error"] == pytest.approx(1 - tested["test/accuracy"])
    assert content["scaled_loss"] == pytest.approx(tested["test/loss"], rel=1e-4)
    assert content["loss"][0] > content["loss"][3]
    drawn(work / "visualize" / "dropout.png")
    lines = cnnexp("visualize", "dropout", runs("dropped"), "--nets", "2", cwd=work).out.splitlines()
    assert lines[0] == "mlp on 500 test samples of mnist5k" and max(map(len, lines)) <= 80


def test_gradients_recorded_and_compared(cnnexp: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    run = Path(runs("recorded"))
    rows = (run / "gradients.csv").read_text().splitlines()
    assert rows[0] == "epoch,step,layer/conv1,layer/conv2,layer/fc1,layer/fc2,layer/fc3,total"
    assert len(rows) == 3
    summary = json.loads((run / "summary.json").read_text())["gradients"]
    assert summary["first"]["layer"] == "conv1"
    assert summary["first"]["norm"] == pytest.approx(float(rows[-1].split(",")[2]))
    drawn(run / "pictures" / "gradients.png")
    done = cnnexp("visualize", "gradients", str(run), runs("sigmoid"), cwd=work)
    assert done.status == 0, done.err
    assert [line for line in done.out.splitlines() if not line.startswith(" ")][:2] == ["relu", "sigmoid"]
    drawn(work / "visualize" / "gradients.png")


def test_nothing_is_recorded_unless_asked(runs: Callable[[str], str]) -> None:
    run = Path(runs("plain"))
    assert not (run / "gradients.csv").exists()
    assert "gradients" not in json.loads((run / "summary.json").read_text())


def test_a_run_that_stops_and_goes_on_records_what_one_that_does_not_stops_records(
    cnnexp: CommandLine, work: Path
) -> None:
    words = ("data.fraction=0.05", "epochs=2", "batch_size=32", "hardware.threads=1", "logger.gradients=true")
    assert cnnexp("train", *words, "outputs=whole", cwd=work).status == 0
    assert cnnexp("train", *words, "outputs=parts", "max_steps=4", cwd=work).status == 0
    ((parts,), (whole,)) = (list((work / name).iterdir()) for name in ("parts", "whole"))
    assert len((parts / "gradients.csv").read_text().splitlines()) == 2
    done = cnnexp("resume", str(parts), "max_steps=null", cwd=work)
    assert done.status == 0, done.err
    assert (parts / "gradients.csv").read_text() == (whole / "gradients.csv").read_text()


@pytest.mark.parametrize("more", [(), ("--backward",)])
def test_fft_is_timed(more: tuple[str, ...], cnnexp: CommandLine, work: Path) -> None:
    words = ("--kernels", "3,9", "--sizes", "8,16", "--channels", "2", "--seconds", "0.01", *more)
    done = cnnexp("visualize", "fft", *words, "--json", cwd=work)
    assert done.status == 0, done.err
    rows = json.loads(done.out)["cases"]
    assert [(row["kernel"], row["size"]) for row in rows] == [(3, 8), (3, 16), (9, 16)]
    assert all(row["direct_s"] > 0 and row["fft_s"] > 0 and row["largest_difference"] < 1e-4 for row in rows)
    drawn(work / "visualize" / "fft.png")


REFUSED = {
    "no technique": case("visualize", "TECHNIQUE", "kernels", "shift"),
    "no such technique": case("visualize shfit last", "shfit", "did you mean shift?"),
    "an option before the technique": case("visualize --out x shift", "--out", "the technique comes first"),
    "no picture": case("visualize kernels", "IMAGE", "--help"),
    "no such picture": case("visualize kernels nothere.png", "nothere.png", "no such file"),
    "not a picture": case("visualize kernels text.png", "text.png", "not a readable picture"),
    "a kernel that is no matrix": case("visualize kernels photo.png --kernel 3x3", "--kernel 3x3", "[[0,-1,0]"),
    "a kernel of one row": case("visualize kernels photo.png --kernel [1,2]", "--kernel [1,2]", "a matrix of numbers"),
    "a kernel with words": case('visualize kernels photo.png --kernel [["a"]]', '[["a"]]', "a matrix of numbers"),
    "a kernel with NaN": case("visualize kernels photo.png --kernel [[NaN]]", "[[NaN]]", "a matrix of numbers"),
    "a ragged kernel": case("visualize kernels photo.png --kernel [[1,2],[3]]", "2, 1 numbers"),
    "an empty kernel": case("visualize kernels photo.png --kernel [[]]", "[[]]", "a matrix of numbers"),
    "a net without dropout": case("visualize dropout {plain}", "nothing in this net is dropped", "dropout=0.5"),
    "thinned nets of another task": case("visualize dropout {scenes}", "classification alone"),
    "one thinned net": case("visualize dropout {plain} --nets 1", "--nets 1", "from 2 to 500"),
    "a kernel larger than the picture": case(
        "visualize kernels [[1,2],[3,4]]", "3×3", "larger than the picture of 2×2"
    ),
    "no stride": case("visualize kernels photo.png --stride 0", "--stride 0", "from 1"),
    "a negative padding": case("visualize kernels photo.png --padding -1", "--padding -1", "from 0"),
    "a template outside": case("visualize kernels photo.png --template 50,0,30", "--template", "60×80"),
    "a template that is none": case("visualize kernels photo.png --template 5", "--template 5", "row, column and side"),
    "a file for the folder": case("visualize kernels photo.png --out text.png", "text.png", "--out DIR"),
    "a shift larger than the picture": case("visualize shift {plain} --shifts 0,28", "--shifts 28", "28 pixels"),
    "shifts that are none": case("visualize shift {plain} --shifts 1.5", "--shifts 1.5", "whole numbers"),
    "no samples": case("visualize shift {plain} --samples 0", "--samples 0", "at least 1"),
    "no such layer": case("visualize shift {plain} --layers cov1", "--layers cov1", "did you mean conv1?"),
    "a direction that is none": case("visualize shift {plain} --direction up", "--direction", "up"),
    "a run that is no classifier": case("visualize shift {scenes}", "segmentation", "classification"),
    "files beside a run": case("visualize shift {plain} photo.png", "photo.png", "test data"),
    "no such run": case("visualize shift nothere", "nothere"),
    "a net without weights": case("visualize shift model=squeezenet1_0 photo.png", "model.weights"),
    "a net without pictures": case("visualize shift model=squeezenet1_0 model.weights=x.pth", "FILE"),
    "settings that are not the net's": case("visualize shift model=resnet18 epochs=3 photo.png", "epochs=3", "model="),
    "a run without gradients": case("visualize gradients {plain}", "logger.gradients=true"),
    "gradients that are no choice": case("train logger.gradients=often", "logger.gradients=often", "true or false"),
    "sides that are none": case("visualize fft --kernels 3,x", "--kernels 3,x", "whole numbers"),
    "a side too large": case("visualize fft --sizes 99999", "--sizes 99999", "2048"),
    "kernels larger than all pictures": case("visualize fft --kernels 31 --sizes 16", "--kernels 31", "--sizes"),
    "too many maps": case("visualize fft --channels 4096", "--channels 4096", "GB"),
    "several mistakes": Case("visualize fft --batch 0 --seconds 0", (("--batch 0",), ("--seconds 0",))),
    "an average pooling": case("visualize pooling photo.png --kind mean", "--kind mean", "max, average or l2"),
    "no window": case("visualize pooling photo.png --kernel 0 --stride 2", "--kernel 0", "from 1"),
    "a window larger than the matrix": case("visualize pooling [[1,2],[3,4]] --kernel 3", "--kernel 3", "2×2"),
    "a matrix that moves": case("visualize pooling [[1,2],[3,4]] --shift 1", "--shift", "[0.1,1,0.2,0.1]"),
    "a row that moves too far": case("visualize pooling [1,2,3] --shift 3", "--shift 3", "1 to 2"),
    "too many values": case("visualize pooling [1,2,3] --entering 1,2", "--entering 1,2", "give one, or 1"),
    "too long a row": case("visualize pooling [1,2,3,4,5,6,7,8,9]", "9 numbers", "at most 8"),
    "a digit that is none": case("visualize rotation --digit 10", "--digit 10", "0 to 9"),
    "more than a turn": case("visualize rotation --filters 19 --step 20", "--filters 19", "at most 18"),
    "an activation of other nets": case("visualize activation-functions rulu", "rulu", "did you mean relu"),
    "a slope that is none": case("visualize activation-functions --leaky-slope 2", "--leaky-slope 2", "below 1"),
    "a stride of nothing": case("visualize stride --stride 0", "--stride 0", "from 1"),
    "a kernel larger than the matrix": case("visualize stride [[1,2],[3,4]]", "3×3", "2×2"),
    "a picture of no size": case("visualize padding --input 7x", "--input 7x", "7x9"),
    "a kernel larger than all": case("visualize padding --kernel 5 --dilation 2", "covers 9×9", "7x7"),
    "a row too wide": case("visualize receptive-field --depth 8 --kernel 9", "sees 65", "fewer layers"),
    "dilations of other layers": case("visualize receptive-field --dilation 1,2", "--dilation 1,2", "--depth 3"),
    "a row's option beside a net": case("visualize receptive-field model=lenet5 --depth 2", "--depth", "model="),
    "a net's option beside a row": case("visualize receptive-field --layers conv1", "--layers", "model=lenet5"),
    "no such layer of the net": case(
        "visualize receptive-field model=lenet5 --layers cov1", "cov1", "did you mean conv1?"
    ),
    "a picture too small": case("visualize receptive-field model=alexnet --input 3x8x8", "alexnet", "8"),
    "a seed that is none": case("visualize backprop --seed -1", "--seed -1", "0 to"),
    "dropout of everything": case("visualize backprop --dropout 1", "--dropout 1", "below 1"),
    "a mask of other units": case("visualize backprop --dropout 0.5 --mask 101,0110", "--mask 101,0110", "1011,0110"),
    "a mask without dropout": case("visualize backprop --mask 1011,0110", "--mask", "add --dropout 0.5"),
    "a rate that is none": case("visualize backprop --lr nan", "--lr nan", "above 0"),
    "an activation that is none": case("visualize backprop --activation gelu", "gelu", "sigmoid"),
    "a method of saliency that is none": case(
        "visualize saliency {plain} --methods gradcam", "--methods gradcam", "did you mean grad-cam?"
    ),
    "CAM behind dense layers": case("visualize saliency {plain} --methods cam", "cam", "averages its last maps"),
    "Grad-CAM without maps": case("visualize saliency {plain} --methods grad-cam --cam-layer fc1", "fc1 has no maps"),
    "a layer asked about that is none": case("visualize saliency {plain} --layer cov1", "cov1", "did you mean conv1?"),
    "a channel beyond": case("visualize saliency {plain} --layer conv1 --channel 5000", "5000", "channels 0 to 5"),
    "a unit beyond": case(
        "visualize saliency {plain} --layer conv2 --channel 0 --unit 10,0", "10,0", "10×10", "rows are 0 to 9"
    ),
    "a unit of no map": case("visualize saliency {plain} --layer fc1 --channel 0 --unit 0,0", "fc1 has no maps"),
    "a unit of no channel": case("visualize saliency {plain} --layer conv1 --unit 1,2", "--unit 1,2", "--channel"),
    "a class and a layer": case("visualize saliency {plain} --layer conv1 --class 3", "--layer", "in place of"),
    "a class that is none": case("visualize saliency {plain} --class ten", "--class ten", "no class"),
    "a box of a classifier": case("visualize saliency {plain} --box 1", "--box 1", "finds no boxes"),
    "a picture beyond the test": case("visualize saliency {plain} --picture 500", "--picture 500", "0 to 499"),
    "a patch beyond the picture": case("visualize saliency {plain} --patch 29", "--patch 29", "28×28"),
    "no steps": case("visualize saliency {plain} --steps 0", "--steps 0", "from 1"),
    "an unreadable picture": case("visualize saliency {plain} text.png", "text.png", "not a readable picture"),
    "boxes that nobody knows": case(
        "visualize saliency {plain} --methods gradient --measure 2", "--measure", "boxes are known"
    ),
    "a class that is nowhere": case("visualize saliency {scenes} --picture 0 --class 3", "no pixel", "background"),
}


@pytest.mark.parametrize("one", REFUSED.values(), ids=REFUSED.keys())
def test_refused(one: Case, runs: Callable[[str], str], here: CommandLine, work: Path, photo: str) -> None:
    (work / "text.png").write_text("no picture")
    argv = [re.sub(r"^\{(\w+)\}$", lambda found: runs(found[1]), word) for word in one.argv]
    assert_refused(lambda: here(*argv, cwd=work), argv[0], one.lines, work)


def test_windows(here: CommandLine, runs: Callable[[str], str], work: Path, photo: str) -> None:
    """1,496 windows: (64 + 14 - 28) / 4 + 1 = 13.5 along a side at scale 1, and a margin that makes it 14."""
    done = here("visualize", "windows", runs("windows"), "--sample", "3", "--score", "0.05", cwd=work)
    assert done.status == 0, done.err
    counts = [int(line.split()[2].replace(",", "")) for line in done.out.splitlines() if line.startswith("scale")]
    assert counts == [14**2, 20**2, 30**2]
    drawn(work / "visualize" / "windows.png")
    assert here("visualize", "windows", runs("windows"), photo, "--out", "mine", cwd=work).status == 0
    drawn(work / "mine" / "windows.png")


def test_windows_of_what_slides_none(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    for run, words, says in (
        ("plain", (), "windows are slid by model=window_lenet, which is for detection"),
        ("windows", ("--sample", "500"), "the test has pictures 0 to 499"),
        ("windows", ("--score", "2"), "--score 2: expected a number from 0 to 1"),
    ):
        done = here("visualize", "windows", runs(run), *words, cwd=work)
        assert done.status == 2 and says in done.err, done.err


def test_saliency_of_a_class(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "saliency", runs("plain"), "--class", "3", "--noisy", "4", "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert content["of"].startswith("3 (logit ") and "cam" not in content["methods"]
    whole = content["methods"]["integrated"]
    assert abs(whole["sum"] - whole["score_less_baseline"]) < 0.2
    assert content["methods"]["grad-cam"]["layer"] == "pool2"
    assert content["methods"]["guided"]["relus"] == 4
    drawn(work / "visualize" / "saliency.png")


def test_saliency_of_a_unit_and_its_sanity(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--layer", "conv2", "--channel", "3", "--unit", "4,5", "--methods", "gradient,grad-cam", "--sanity")
    done = here("visualize", "saliency", runs("plain"), "--picture", "2", *words, cwd=work)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("lenet5 on mnist5k, test 2: what speaks for conv2, channel 3, unit 4,5")
    assert max(map(len, lines[1:])) <= 80
    assert "grad-cam: 14×14 maps of pool1" in lines
    assert next(line for line in lines if line.startswith("layers shuffled")).split()[2:] == ["0", "1", "2"]
    drawn(work / "visualize" / "saliency_sanity.png")


def test_saliency_of_pixels(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--class", "background", "--methods", "gradient,guided,hirescam", "--measure", "2", "--json")
    done = here("visualize", "saliency", runs("scenes"), *words, cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    pixels = int(content["of"].split("(")[1].split()[0].replace(",", ""))
    assert content["chance"] == pixels / 64**2 and content["measured"]["pictures"] >= 1
    assert set(content["methods"]) == {"gradient", "guided", "hirescam"}


def test_saliency_of_nets_that_tell_no_classes(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "saliency", runs("codes"), cwd=work)
    assert done.status == 2 and "tells no classes apart; ask about a layer" in done.err, done.err
    words = ("--layer", "encoder", "--channel", "1", "--methods", "gradient,occlusion")
    done = here("visualize", "saliency", runs("codes"), *words, cwd=work)
    assert done.status == 0, done.err
