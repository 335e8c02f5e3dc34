"""Command line → one resolved configuration, as plain containers. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnexp.config.check import check
from cnnexp.config.options import GROUPS, config_folders
from cnnexp.config.overrides import Word, check_groups, check_keys, read_words
from cnnexp.errors import InputError


def compose_run(texts: Sequence[str], own_folders: Sequence[str] = ()) -> dict[str, Any]:
    """Compose, check and resolve the configuration of one run.

    Args:
        texts: overrides in Hydra's grammar; a group's option (``model=resnet20``) or a key (``optimizer.lr=0.01``).
        own_folders: folders of the user's own YAML, searched before the shipped ones.

    Returns:
        Plain dictionaries, lists and scalars, without interpolations; ``choices`` tells each group's option.

    Raises:
        InputError: with a line for every mistake that can be found before a class is imported.
    """
    folders = config_folders(own_folders)
    words = read_words(texts, folders)
    problems = check_groups(words, folders)
    if problems:
        raise InputError(*problems, *check_keys_without_groups(words, folders))
    chosen = [word for word in words if word.key in GROUPS]
    problems = check_keys(words, _compose(chosen, folders))
    if problems:
        raise InputError(*problems)
    config = _compose(words, folders)
    check(config, folders)
    return config


def check_keys_without_groups(words: Sequence[Word], folders: Sequence[Path]) -> list[str]:
    """Problems of the other words, found against the default options, for words outside the open groups."""
    closed = [word for word in words if word.key.split(".")[0] not in GROUPS and not word.key.startswith("hydra")]
    return check_keys(closed, _compose([], folders))


def _compose(words: Sequence[Word], folders: Sequence[Path]) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    # `experiment=null` is the default, and Hydra takes no null for a group
    texts = [("++" if word.added else "") + word.text for word in words if word.key not in GROUPS or word.value]
    own = [str(folder) for folder in folders[:-1]]
    if own:
        texts.append(f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in own)}]")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(folders[-1]), version_base="1.3"):
            composed = compose("config", overrides=texts, return_hydra_config=True)
        choices = dict(composed.hydra.runtime.choices)
        assert isinstance(composed, DictConfig)
        OmegaConf.set_struct(composed, False)
        composed.pop("hydra")
        config = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise InputError(_one_line(error)) from error
    assert isinstance(config, dict)
    config["choices"] = {group: choices.get(group) for group in GROUPS}
    return {str(key): value for key, value in config.items()}


def _one_line(error: Exception) -> str:
    return "configuration: " + " ".join(" ".join(str(error).split("\n")[:4]).split())


def to_yaml(config: dict[str, Any]) -> str:
    """The configuration as YAML that reads back the same (``yaml.safe_dump`` would turn "1e-3" into a number)."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(config))
