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
    "still": ("optimizer=sgd", "optimizer.lr=1e-30"),
    "kept": ("checkpoint.keep=epochs", "epochs=2"),
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
    "a class that is none": case("visualize ascent {plain} --class 12", "--class 12", "lenet5 on mnist5k"),
    "a channel out of range": case("visualize ascent {plain} --layer conv1 --channel 5000", "channels 0 to 5"),
    "a layer that is none": case("visualize ascent {plain} --layer cov1", "--layer cov1", "did you mean conv1?"),
    "a neuron off the map": case("visualize ascent {plain} --layer conv1 --unit 28,0", "from 0,0 to 27,27"),
    "a neuron of no map": case("visualize ascent {plain} --layer fc1 --unit 0,0", "fc1 has no maps"),
    "a channel of no layer": case("visualize ascent {plain} --channel 1", "--channel", "--layer"),
    "a class of a layer": case("visualize ascent {plain} --layer conv1 --class 3", "--class", "leave one out"),
    "steps and a rate that are none": Case(
        "visualize ascent {plain} --steps 0 --rate 2", (("--steps 0", "at least 1"), ("--rate 2", "up to 1"))
    ),
    "a picture without a use": case("visualize ascent {plain} photo.png", "photo.png", "--from photo.png"),
    "a folder to begin with": case("visualize ascent {plain} --from .", "--from .", "name the one picture"),
    "a class of a detector": case("visualize ascent {windows} --class 3", "no score for a class", "--layer"),
    "two pictures to dream on": case("visualize deepdream {plain} photo.png photo.png", "one picture"),
    "no picture to dream on": case("visualize deepdream {plain} nothere.png", "nothere.png", "no such file"),
    "a layer that takes one size": case(
        "visualize deepdream {plain} photo.png --layer fc1", "fc1", "takes no picture of"
    ),
    "a channel to dream with": case("visualize deepdream {plain} --layer conv1 --channel 6", "channels 0 to 5"),
    "a film that is none": case("visualize deepdream {plain} --film dream.gif", "dream.gif", ".mp4"),
    "no zoom": case("visualize deepdream {plain} --zoom 1", "--zoom 1", "above 1"),
    "no layer with filters": case("visualize filters {plain} --layer conv3", "--layer conv3", "did you mean conv1"),
    "a filter that is none": case("visualize filters {plain} --channel 5000", "--channel 5000", "0 to 5"),
    "epochs that were not kept": case("visualize activations {plain} --epochs", "checkpoint.keep=epochs"),
    "no layer with maps": case("visualize activations {plain} --layers pool1,fc9", "--layers fc9", "known are"),
    "a channel that is none": case(
        "visualize activations {plain} --layers pool1 --channel -1", "--channel -1", "0 to 5"
    ),
    "a sample that is none": case("visualize activations {plain} --sample 500", "--sample 500", "0 to 499"),
    "maps of none": case("visualize activations {plain} --channels 0", "--channels 0", "from 1 to 64"),
    "patches of a layer that is none": case("visualize patches {plain} --layers cnv2", "did you mean conv2"),
    "a channel for patches that is none": case(
        "visualize patches {plain} --layers conv2 --channel 5000", "--channel 5000", "0 to 15"
    ),
    "no patches": case("visualize patches {plain} --patches 0", "--patches 0", "from 1 to 24"),
    "epochs that are kept otherwise": case("train checkpoint.keep=all", "checkpoint.keep=all", "epochs"),
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
    "a class of saliency that is none": case("visualize saliency {plain} --class ten", "--class ten", "no class"),
    "a box of a classifier": case("visualize saliency {plain} --box 1", "--box 1", "finds no boxes"),
    "a picture beyond the test": case("visualize saliency {plain} --sample 500", "--sample 500", "0 to 499"),
    "a patch beyond the picture": case("visualize saliency {plain} --patch 29", "--patch 29", "28×28"),
    "no steps": case("visualize saliency {plain} --steps 0", "--steps 0", "from 1"),
    "an unreadable picture": case("visualize saliency {plain} text.png", "text.png", "not a readable picture"),
    "boxes that nobody knows": case(
        "visualize saliency {plain} --methods gradient --measure 2", "--measure", "boxes are known"
    ),
    "a class that is nowhere": case("visualize saliency {scenes} --sample 0 --class 3", "no pixel", "background"),
    "a place beyond the split": case("visualize neighbours {plain} --queries 3,500", "--queries 500", "0 to 499"),
    "places that are none": case("visualize neighbours {plain} --queries a", "--queries a", "3,17"),
    "places beside a file": case("visualize neighbours {plain} photo.png --queries 3", "--queries 3", "photo.png"),
    "no neighbours": case("visualize neighbours {plain} --count 0", "--count 0", "1 to 12"),
    "too few points": case("visualize embedding {plain} --samples 3", "--samples 3", "8 to"),
    "pixels and a layer": case("visualize embedding {plain} --pixels --layer fc1", "--layer fc1", "--pixels"),
    "a perplexity that is none": case("visualize embedding {plain} --perplexity 0", "--perplexity 0", "5 to 50"),
    "a surface without a middle": case("visualize loss-surface {plain} --points 8", "--points 8", "odd"),
    "a surface of nothing": case("visualize loss-surface {plain} --reach 0", "--reach 0", "above 0"),
    "a surface of files": case("visualize loss-surface {plain} photo.png", "photo.png", "leave files out"),
    "a path of no epochs": case("visualize loss-surface {plain} --path", "--path", "checkpoint.keep=epochs"),
    "a path along a line": case("visualize loss-surface {plain} --path --one-dimension", "a plane", "--one-dimension"),
    "a path of best weights": case("visualize loss-surface {plain} --path --checkpoint best", "leave --checkpoint out"),
    "a path with a reach": case("visualize loss-surface {plain} --path --reach 2", "leave --reach out"),
    "features of no layer": case("visualize neighbours {plain} --layer fc9", "--layer fc9", "did you mean fc"),
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


def test_ascent(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--class", "3", "--class", "7", "--compare", "20", "--steps", "20")
    done = here("visualize", "ascent", runs("plain"), *words, "--json", cwd=work)
    assert done.status == 0, done.err
    three, seven = json.loads(done.out)["pictures"]
    assert (three["name"], seven["name"]) == ("3", "7")
    for one in (three, seven):
        assert one["score"] > one["start"] and one["score"] > one["photo_score"]
        assert one["probability"] > 0.1, "of a net that hardly learnt, no class has more before"
    drawn(work / "visualize" / "ascent.png")
    done = here("visualize", "ascent", runs("plain"), *words, cwd=work)
    assert done.out.startswith("lenet5 on mnist5k: 2 classes, 20 steps from noise\n")
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("run", "words", "what"),
    [
        ("plain", ("--layer", "conv2", "--channel", "1,4", "--unit", "3,3"), "2 channels of conv2 at 3,3"),
        ("plain", ("--class", "3", "--from", "photo.png"), "1 class"),
        ("scenes", (), "10 classes"),
        ("windows", ("--count", "2"), "2 channels of "),
    ],
)
def test_ascent_of(
    run: str, words: tuple[str, ...], what: str, here: CommandLine, runs: Callable[[str], str], work: Path, photo: str
) -> None:
    done = here("visualize", "ascent", runs(run), *words, "--steps", "3", cwd=work)
    assert done.status == 0, done.err
    title = done.out.splitlines()[0]
    assert what in title and title.endswith("from photo.png" if "--from" in words else "from noise"), title
    assert max(map(len, done.out.splitlines())) <= 80
    assert (work / "visualize" / "ascent.png").exists()


def test_deepdream_on_a_photograph_of_any_size(
    here: CommandLine, runs: Callable[[str], str], work: Path, photo: str
) -> None:
    done = here("visualize", "deepdream", runs("plain"), photo, "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert content["layer"] == "conv2" and content["size"] == [60, 80] and content["octaves"] == 5
    assert content["ratio"] > 1
    before, after = (np.asarray(Image.open(work / name).convert("RGB")) for name in (photo, "visualize/deepdream.png"))
    assert before.shape == after.shape and not np.array_equal(before, after)
    # a net that sees grey changes the brightness alone: where nothing is cut off, all three colours by as much
    change = after.astype(int) - before
    inside = ((after > 0) & (after < 255)).all(2)
    assert inside.any() and (np.ptp(change[inside], axis=1) == 0).all()


def test_deepdream_without_steps_gives_the_picture_back(
    here: CommandLine, runs: Callable[[str], str], work: Path, photo: str
) -> None:
    for run in ("plain", "scenes"):
        done = here("visualize", "deepdream", runs(run), photo, "--steps", "0", cwd=work)
        assert done.status == 0, done.err
        before, after = (Image.open(work / name).convert("RGB") for name in (photo, "visualize/deepdream.png"))
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_deepdream_film(here: CommandLine, runs: Callable[[str], str], work: Path, photo: str) -> None:
    pytest.importorskip("av")
    from cnnexp.inputs.films import open_film

    words = ("--film", "dream.mp4", "--frames", "4", "--steps", "1")
    done = here("visualize", "deepdream", runs("plain"), photo, *words, cwd=work)
    assert done.status == 0, done.err
    assert "dream.mp4" in done.out.splitlines()
    frames = [frame.picture for frame in open_film(work / "dream.mp4").frames()]
    assert len(frames) == 4 and frames[0].shape == (60, 80, 3)
    assert np.abs(frames[3].astype(int) - frames[0]).mean() > 2


def as_said(here: CommandLine, work: Path, *words: str) -> dict[str, Any]:
    """What a technique says for people fits a terminal; its figures and pictures."""
    done = here("visualize", *words, cwd=work)
    assert done.status == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    content: dict[str, Any] = json.loads(here("visualize", *words, "--json", cwd=work).out)
    for path in content["written"]:
        drawn(work / path)
    return content


def test_filters_as_a_run_began_are_those_of_a_run_that_did_not_move(
    here: CommandLine, runs: Callable[[str], str], work: Path
) -> None:
    """Steps of a rate of 1e-30 change no weight; the other run begins with the same ones, and moves."""
    still = as_said(here, work, "filters", runs("still"), "--before")
    assert (still["layer"], still["shape"], still["moved"]) == ("conv1", [6, 1, 5, 5], [0] * 6)
    moved = as_said(here, work, "filters", runs("plain"), "--before", "--layer", "conv2")
    assert moved["shape"] == [16, 6, 5, 5] and min(moved["moved"]) > 0.01
    assert as_said(here, work, "filters", runs("dropped"))["shape"] == [256, 1, 28, 28]


def test_maps_have_the_sizes_that_summary_prints(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    for name in ("plain", "scenes"):
        told = json.loads(here("summary", *_as_trained(TRAINED[name]), "--json", cwd=work).out)["layers"]
        sizes = {layer["name"]: layer["output"] for layer in told}
        content = as_said(here, work, "activations", runs(name), "--sample", "7")
        assert content["picture"] == "test 7" and len(content["layers"]) > 2
        for layer, one in content["layers"].items():
            assert one["shape"] == sizes[layer], layer
            assert one["activity"] == sorted(one["activity"], reverse=True)


def _as_trained(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(("model", "data="))] or ["model=lenet5"]


def test_maps_through_the_epochs(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    """The last column is what the last weights make of the picture."""
    run = Path(runs("kept"))
    assert sorted(path.name for path in (run / "checkpoints").glob("epoch-*")) == ["epoch-0001.ckpt", "epoch-0002.ckpt"]
    film = as_said(here, work, "activations", str(run), "--epochs", "--layers", "conv2", "--channels", "2")
    assert film["epochs"] == [0, 1, 2]
    words = ("activations", str(run), "--layers", "conv2", "--checkpoint", "last", "--channels", "2")
    (last,) = as_said(here, work, *words)["layers"].values()
    assert list(film["activity"]["conv2"]) == [str(channel) for channel in last["channels"]]
    assert [values[-1] for values in film["activity"]["conv2"].values()] == pytest.approx(last["activity"])
    assert all(len(set(values)) == 3 for values in film["activity"]["conv2"].values())


def test_patches(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--samples", "30", "--patches", "5", "--layers", "conv2", "--channels", "3")
    content = as_said(here, work, "patches", runs("plain"), *words)
    for row in content["layers"]["conv2"]:
        assert len(set(row["pictures"])) == 5, "a picture gives one patch"
        assert row["values"] == sorted(row["values"], reverse=True)
        assert all((bottom - top, right - left) == (13, 13) for top, left, bottom, right in row["boxes"])
    assert as_said(here, work, "patches", runs("scenes"), "--samples", "9")["layers"]


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


def test_saliency_of_a_net_without_relus(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "saliency", runs("sigmoid"), "--noisy", "1", cwd=work)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    for name in ("guided", "deconvnet"):
        assert f"no {name}: no ReLU was met, so it is the gradient" in lines
        assert not any(line.startswith(name) for line in lines)
    done = here("visualize", "saliency", runs("sigmoid"), "--methods", "guided", cwd=work)
    assert "guided: no ReLU was met: the gradient once more" in done.out.splitlines(), done.err


def test_saliency_of_a_unit_and_its_sanity(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    words = ("--layer", "conv2", "--channel", "3", "--unit", "4,5", "--methods", "gradient,grad-cam", "--sanity")
    done = here("visualize", "saliency", runs("plain"), "--sample", "2", *words, cwd=work)
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


def test_neighbours(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    """The query, a sample of the split, is none of its own neighbours; distances rise."""
    words = ("neighbours", runs("plain"), "--samples", "50", "--queries", "0,499", "--count", "3", "--json")
    done = here("visualize", *words, cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert content["size"] == {"pixels": 28 * 28, "features": 84}
    assert content["features"] == "what goes into fc3"
    assert content["same_class"]["features"] > content["same_class"]["chance"]
    assert [(one["name"], one["class"]) for one in content["queries"]] == [("test 0", "0"), ("test 499", "9")]
    for one in content["queries"]:
        for space in ("pixels", "features"):
            found = one[space]
            assert len(found) == 3 and one["name"] not in [other["name"] for other in found]
            assert [other["distance"] for other in found] == sorted(other["distance"] for other in found)
    drawn(work / "visualize" / "neighbours.png")


def test_neighbours_of_a_file_and_of_samples_without_classes(
    here: CommandLine, runs: Callable[[str], str], work: Path, photo: str
) -> None:
    done = here("visualize", "neighbours", runs("plain"), photo, "--samples", "20", "--layer", "conv2", cwd=work)
    assert done.status == 0, done.err
    assert "features: the answer of conv2, averaged over places; euclidean distances" in done.out
    assert max(map(len, done.out.splitlines()[:-1])) <= 80
    assert any(line.startswith("photo.png ") for line in done.out.splitlines())
    done = here("visualize", "neighbours", runs("scenes"), "--samples", "9", cwd=work)
    assert done.status == 0, done.err
    assert "same class" not in done.out and "test 0 " in done.out


def test_embedding(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    done = here("visualize", "embedding", runs("plain"), "--samples", "60", "--json", cwd=work)
    assert done.status == 0, done.err
    content = json.loads(done.out)
    assert (content["of"], content["size"]) == ("what goes into fc3", 84)
    assert len(content["PCA"]["points"]) == len(content["t-SNE"]["points"]) == len(content["samples"]) == 60
    assert content["t-SNE"]["trustworthiness"] > 0.8
    drawn(work / "visualize" / "embedding.png")
    page = (work / "visualize" / "embedding.html").read_text()
    assert page.count("data:image/png;base64,") == 60
    words = ("--samples", "20", "--method", "pca", "--pixels")
    lines = here("visualize", "embedding", runs("scenes"), *words, cwd=work).out.splitlines()
    assert lines[2].startswith("4,096 numbers for each of 20 samples") and max(map(len, lines[2:-3])) <= 80


SURFACE = ("loss-surface", "--points", "3", "--samples", "40", "--reach", "0.5", "--split", "test", "--json")


def test_loss_surface_is_resumed_to_the_bit(here: CommandLine, runs: Callable[[str], str], work: Path) -> None:
    """Half of the points are forgotten, as if it had been stopped."""
    technique, *words = SURFACE
    whole = here("visualize", technique, runs("plain"), *words, "--out", "whole", cwd=work)
    assert whole.status == 0, whole.err
    drawn(work / "whole" / "loss_surface.png")
    (kept,) = (work / "whole").glob("loss_surface.*.json")
    content = json.loads(kept.read_text())
    assert len(content["points"]) == 9 and content["points"][0][:2] == [0, 0]
    (work / "part").mkdir()
    wrong = [[*place, loss + 1] for *place, loss in content["points"][:1]]  # is taken as it stands there
    (work / "part" / kept.name).write_text(json.dumps({**content, "points": content["points"][:5]}))
    part = here("visualize", technique, runs("plain"), *words, "--out", "part", cwd=work)
    figures, again = json.loads(whole.out), json.loads(part.out)
    assert again["losses"] == figures["losses"]
    (work / "part" / kept.name).write_text(json.dumps({**content, "points": wrong}))
    taken = json.loads(here("visualize", technique, runs("plain"), *words, "--out", "part", cwd=work).out)
    assert taken["centre"] == figures["centre"] + 1


@pytest.mark.parametrize("run", ["plain", "scenes"])
def test_the_centre_of_a_surface_is_the_loss_of_the_best_weights(
    run: str, here: CommandLine, runs: Callable[[str], str], work: Path
) -> None:
    """That of ``cnnexp test``, on all samples of the test."""
    words = ("--one-dimension", "--points", "3", "--samples", "500", "--split", "test", "--json")
    done = here("visualize", "loss-surface", runs(run), *words, cwd=work)
    assert done.status == 0, done.err
    tested = json.loads(here("test", runs(run), "--json").out)["metrics"]
    assert json.loads(done.out)["centre"] == pytest.approx(tested["test/loss"], rel=1e-6)


def test_the_way_of_a_training_ends_in_its_last_weights(
    here: CommandLine, runs: Callable[[str], str], work: Path
) -> None:
    """The middle is their loss, which the weights that the epochs left tell by themselves."""
    words = (runs("kept"), "--path", "--points", "3", "--samples", "500", "--split", "test")
    content = as_said(here, work, "loss-surface", *words)
    tested = json.loads(here("test", runs("kept"), "--checkpoint", "last", "--json").out)["metrics"]
    assert content["centre"] == pytest.approx(tested["test/loss"], rel=1e-6)
    assert content["centre"] == pytest.approx(content["own_losses"]["2"], rel=1e-6)
    assert len(set(content["own_losses"].values())) == 3
    assert [one["epoch"] for one in content["path"]] == [0, 1, 2]
    assert content["path"][2] == {"epoch": 2, "steps": [0, 0], "in_the_plane": 1}
    assert sum(content["explained"]) == pytest.approx(1), "three points lie in a plane"
    assert [one["in_the_plane"] for one in content["path"]] == pytest.approx([1, 1, 1])
    for axis, places in zip(content["axes"], zip(*(one["steps"] for one in content["path"]), strict=True), strict=True):
        assert axis[0] < min(places) and max(places) < axis[-1]
    (kept,) = (work / "visualize").glob("loss_surface.*.json")
    assert len(json.loads(kept.read_text())["points"]) == 9


def test_a_surface_on_a_page_is_as_fine_as_there_is_time() -> None:
    from cnnexp.commands.techniques.loss_surface import _fitting
    from cnnexp.visualize.section import NotFitting

    assert [_fitting(each, 2) for each in (0.1, 0.3, 0.5)] == [9, 7, 5]  # 81, 49 and 25 points in 20 s
    with pytest.raises(NotFitting, match="would take 25 s"):
        _fitting(1.0, 2)
