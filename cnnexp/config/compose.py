"""Command line → one resolved configuration, as plain containers. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cnnexp.config.check import check
from cnnexp.config.options import GROUPS, config_folders
from cnnexp.config.overrides import Word, check_groups, check_keys, read_words
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from omegaconf import DictConfig

BRINGING = ("model", "data", "task", "transfer", "experiment")
"""Groups whose options set keys of other groups."""


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
    problems = check_keys(words, _compose(chosen, folders), folders)
    if problems:
        raise InputError(*problems)
    config = _compose(words, folders)
    check(config, folders)
    return config


def check_keys_without_groups(words: Sequence[Word], folders: Sequence[Path]) -> list[str]:
    """Problems of the other words, found against the default options, for words outside the open groups."""
    closed = [word for word in words if word.key.split(".")[0] not in GROUPS and not word.key.startswith("hydra")]
    return check_keys(closed, _compose([], folders), folders)


def _compose(words: Sequence[Word], folders: Sequence[Path]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    with _hydra(folders):
        composed, choices = _merged(words)
        for group in _chosen_against_the_model(words, choices):
            composed[group] = _option_alone(group, words, composed, folders[-1] / "config.yaml")
        config = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    assert isinstance(config, dict)
    config["choices"] = {group: choices.get(group) for group in GROUPS}
    return {str(key): value for key, value in config.items()}


def _merged(words: Sequence[Word]) -> tuple[DictConfig, dict[str, Any]]:
    """Hydra's composition of the words, and each group's option."""
    from hydra import compose
    from omegaconf import OmegaConf

    # `experiment=null` is the default, and Hydra takes no null for a group
    texts = [word.for_hydra for word in words if word.key not in GROUPS or word.value]
    composed = compose("config", overrides=texts, return_hydra_config=True)
    choices = dict(composed.hydra.runtime.choices)
    OmegaConf.set_struct(composed, False)
    composed.pop("hydra")
    return composed, choices


def _chosen_against_the_model(words: Sequence[Word], choices: dict[str, Any]) -> list[str]:
    """Groups for which the command line chooses another option than the net, the data set or the experiment."""
    chosen = [word.key for word in words if word.key in GROUPS and word.key not in BRINGING]
    if not chosen:
        return []
    _, without = _merged([word for word in words if word.key in BRINGING])
    return [group for group in chosen if without.get(group) != choices.get(group)]


def compose_option(group: str, option: str, texts: Sequence[str], folders: Sequence[Path]) -> dict[str, Any]:
    """An option that stands outside a run's configuration, with overrides in Hydra's grammar, as plain containers.

    Raises:
        InputError: Hydra cannot compose it.
    """
    from hydra import compose
    from omegaconf import OmegaConf

    with _hydra(folders):
        content = OmegaConf.to_container(compose(f"{group}/{option}", overrides=list(texts))[group], resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


@contextmanager
def _hydra(folders: Sequence[Path]) -> Iterator[None]:
    """Hydra's compose over these folders, its errors as one line."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(folders[-1]), version_base="1.3"):
            _search_first(folders[:-1])
            yield
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise InputError(_one_line(error)) from error


def _option_alone(group: str, words: Sequence[Word], composed: DictConfig, root: Path) -> Any:
    """An option as its own file has it, with what the root file says of all options and the keys of the command line.

    A net's learning rate is for the optimizer that the net brings: with another optimizer it would be wrong.
    """
    from hydra import compose
    from omegaconf import OmegaConf

    option = [word.value for word in words if word.key == group][-1]
    alone = compose(f"{group}/{option}")
    if group not in alone:
        return composed[group]
    texts = ["++" + word.text for word in words if word.key.startswith(f"{group}.")]
    of_all = yaml.safe_load(root.read_text(encoding="utf-8")).get(group, {})
    given = compose(f"{group}/{option}", overrides=texts)
    merged = OmegaConf.merge(of_all, alone[group], given[group])
    OmegaConf.set_struct(merged, False)
    return merged


def _search_first(folders: Sequence[Path]) -> None:
    """Let Hydra look in these folders before all others; ``hydra.searchpath`` would have it look there last."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.global_hydra import GlobalHydra

    loader = GlobalHydra.instance().config_loader()
    assert isinstance(loader, ConfigLoaderImpl)
    for folder in reversed(folders):
        loader.get_search_path().prepend("cnnexp", f"file://{folder}")
    loader.repository.initialize_sources(loader.get_search_path())


def _one_line(error: Exception) -> str:
    return "configuration: " + " ".join(" ".join(str(error).split("\n")[:4]).split())


def to_yaml(config: dict[str, Any]) -> str:
    """The configuration as YAML that reads back the same, by readers of YAML 1.1 and of 1.2.

    Plain ``yaml.safe_dump`` leaves the string "1e-3" without quotes, which is a number to most readers. Nothing is
    looked into: an interpolation in a stranger's configuration stays the text that it is.
    """
    return yaml.dump(config, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """No anchors, which a run's configuration does not have, and quotes around all that looks like a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
