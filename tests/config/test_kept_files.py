"""What is kept of one composition is as it was read when the next asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.config_repository import ConfigRepository

from cnnexp.config import compose
from cnnexp.config.compose import compose_run


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that Hydra reads from now on, and nothing remembered of earlier ones."""
    for kept in (compose._merged, compose._alone, compose._files_read):
        kept.cache_clear()
    found: list[str] = []
    load = ConfigRepository.load_config

    def noted(self: ConfigRepository, config_path: str) -> object:
        found.append(config_path)
        return load(self, config_path)

    monkeypatch.setattr(ConfigRepository, "load_config", noted)
    return found


def test_a_file_is_read_once_for_all_compositions(read: list[str]) -> None:
    compose_run(["model=resnet20", "data=cifar10"])
    assert {"config", "model/resnet20", "data/cifar10"} <= set(read)
    assert len(read) == len(set(read))
    read.clear()
    compose_run(["model=resnet32", "data=cifar10"])
    assert read == ["model/resnet32"]


def test_a_composition_leaves_the_files_as_they_were(read: list[str]) -> None:
    """In any order: the net, the data set and the experiment write into the keys of the root file."""
    many = [
        ["model=unet", "data=digit_scenes"],
        ["experiment=resnet20_cifar10_quick"],
        [],
        ["model=lenet5", "epochs=2"],
    ]
    alone = []
    for words in many:
        compose._files_read.cache_clear()
        compose._merged.cache_clear()
        alone.append(compose_run(words))
    for order in (many, many[::-1]):
        compose._files_read.cache_clear()
        compose._merged.cache_clear()
        assert [compose_run(words) for words in order] == [alone[many.index(words)] for words in order]


def test_a_file_that_changes_is_read_again(read: list[str], tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for activation in ("tanh", "sigmoid"):
        text = f"# @package _global_\n# Mine\ndefaults:\n  - lenet5\nmodel:\n  activation: {activation}\n"
        (tmp_path / "model" / "mine.yaml").write_text(text)
        assert compose_run(["model=mine"], [str(tmp_path)])["model"]["activation"] == activation
