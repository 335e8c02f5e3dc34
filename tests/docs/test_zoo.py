"""docs/zoo.md is what `cnnexp list models --markdown` makes of the nets."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.anatomy.zoo import sets_for, zoo_rows
from cnnexp.config.keys import OptionKeys, keys_of
from cnnexp.config.model_header import ModelHeader, model_header
from cnnexp.config.options import config_folders, option_files
from cnnexp.errors import InputError
from cnnexp.report.zoo import ZooRow, as_markdown
from tests.packaging.imports import ROOT


@pytest.fixture(scope="module")
def rows() -> list[ZooRow]:
    return list(zoo_rows())


def keys() -> list[OptionKeys]:
    folders = config_folders()
    return [keys_of("model", name, folders) for name in option_files("model", folders)]


@pytest.mark.slow
def test_the_page_is_that_of_the_nets(rows: list[ZooRow]) -> None:
    page = (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8")
    assert page == as_markdown(rows, keys()), "run `make docs`"


def test_the_page_has_the_keys_of_every_net() -> None:
    page = (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8")
    table = as_markdown([], keys()).partition("## Keys")[2]
    assert "`activation=relu`" in table and page.endswith(f"## Keys{table}"), "run `make docs`"


@pytest.mark.slow
def test_every_net_has_its_line(rows: list[ZooRow]) -> None:
    named = {row.option for row in rows}
    assert set(option_files("model", config_folders())) - named == {"timm", "torchvision"}


@pytest.mark.slow
def test_known_figures(rows: list[ZooRow]) -> None:
    found = {row.option: (row.parameters, row.size, row.header.paper) for row in rows}
    assert found["lenet5"] == (61_706, (1, 28, 28), "LeCun 1998")
    assert found["resnet50"] == (25_557_032, (3, 224, 224), "He 2015")
    assert found["resnet20"] == (269_722, (3, 32, 32), "He 2015")


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (
            "ResNet-20 for 32x32 pictures (He 2015, section 4.2): 269,722 parameters, option-A shortcuts",
            ModelHeader("ResNet-20", "He 2015", 269_722, 32, False, None),
        ),
        (
            "AlexNet as published (Krizhevsky 2012): 62,378,344 parameters on 227x227 pictures with 1,000 classes",
            ModelHeader("AlexNet as published", "Krizhevsky 2012", 62_378_344, 227, False, 1000),
        ),
        (
            "MLP: fully connected layers on the pixels, 235,146 parameters on 28x28 grey pictures and ten classes",
            ModelHeader("MLP", None, 235_146, 28, True, 10),
        ),
        (
            "Network in Network (Lin 2013): 1x1 convolutions, global average pooling, 966,986 parameters",
            ModelHeader("Network in Network", "Lin 2013", 966_986, None, False, None),
        ),
        (
            "One linear layer on the pixels (softmax regression): the baseline below every net",
            ModelHeader("One linear layer", None, None, None, False, None),
        ),
    ],
)
def test_headers_are_read(line: str, header: ModelHeader) -> None:
    assert model_header(line) == header


def test_a_net_of_ones_own_that_takes_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    text = (ROOT / "conf" / "model" / "lenet5.yaml").read_text(encoding="utf-8")
    (tmp_path / "model" / "a_net.yaml").write_text(
        text.replace("activation: ", "activation: un").replace("61,706 parameters", "a few")
    )
    with pytest.raises(InputError, match=r"a_net\.yaml: the net takes none of .*model\.activation"):
        next(zoo_rows([str(tmp_path)]))


def test_a_line_names_data_of_the_size_that_it_says() -> None:
    folders = config_folders()
    nets, data = option_files("model", folders), option_files("data", folders)
    found = {name: sets_for(nets[name], "segmentation", data, folders)[0] for name in ("patch_net", "unet")}
    assert found == {"patch_net": "isbi_em", "unet": "digit_scenes"}
    assert sets_for(nets["resnet50"], "classification", data, folders)[-1] == "imagenette"
