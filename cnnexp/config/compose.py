"""Command line → one resolved configuration, as plain containers. No torch."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cnnexp.config.check import check
from cnnexp.config.grammar import quoted
from cnnexp.config.loss_parts import PARTS, open_part, with_parts
from cnnexp.config.options import GROUPS, config_folders, content_of
from cnnexp.config.overrides import Word, check_groups, check_keys, read_words
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from cnnexp.config.kept_files import Files

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
    composed, choices = _options_of(words, folders)
    config = _plain(composed, choices)
    problems = check_keys(words, config, folders)
    if problems:
        raise InputError(*problems)
    keys = [word for word in words if word.key not in GROUPS]
    if keys:
        config = _plain(_with_keys(composed, keys), choices)
    config["loss"] = with_parts(config["loss"], folders)
    check(config, folders)
    return config


def check_keys_without_groups(words: Sequence[Word], folders: Sequence[Path]) -> list[str]:
    """Problems of the other words, found against the default options, for words outside the open groups."""
    closed = [word for word in words if word.key.split(".")[0] not in GROUPS and not word.key.startswith("hydra")]
    return check_keys(closed, _plain(*_options_of([], folders)), folders)


def _options_of(words: Sequence[Word], folders: Sequence[Path]) -> tuple[DictConfig, dict[str, Any]]:
    """The options that the words choose put together, without the keys that they set, not to be changed; and each
    group's option."""
    # `experiment=null` is the default, and Hydra takes no null for a group
    chosen = [word for word in words if word.key in GROUPS and word.value]
    state = _state_of(folders)
    composed, choices = _merged(tuple(chosen), tuple(folders), state)
    against = _chosen_against_the_model(chosen, choices, folders, state)
    if against:
        composed = copy.deepcopy(composed)
    for word in against:
        composed[word.key] = _option_alone(word, composed, folders, state)
    return composed, {group: choices.get(group) for group in GROUPS}


def _chosen_against_the_model(
    chosen: Sequence[Word], choices: dict[str, Any], folders: Sequence[Path], state: int
) -> list[Word]:
    """Those chosen on the command line where the net, the data set or the experiment choose another option."""
    own = {word.key: word for word in chosen if word.key not in BRINGING}
    if not own:
        return []
    _, without = _merged(tuple(word for word in chosen if word.key in BRINGING), tuple(folders), state)
    return [word for group, word in own.items() if without.get(group) != choices.get(group)]


def _option_alone(word: Word, composed: DictConfig, folders: Sequence[Path], state: int) -> Any:
    """An option as its own file has it, with what the root file says of all options.

    A net's learning rate is for the optimizer that the net brings: with another optimizer it would be wrong.
    """
    from omegaconf import OmegaConf

    alone = _alone(word.key, word.value, tuple(folders), state)
    if word.key not in alone:
        return composed[word.key]
    merged = OmegaConf.merge(content_of(folders[-1] / "config.yaml").get(word.key, {}), alone[word.key])
    OmegaConf.set_struct(merged, False)
    return merged


@lru_cache(maxsize=256)
def _merged(chosen: tuple[Word, ...], folders: tuple[Path, ...], state: int) -> tuple[DictConfig, dict[str, Any]]:
    """What Hydra makes of options and what it calls them, not to be changed; once for each state of the files, as
    a sweep's trials choose the same ones."""
    return _hydras("config", [f"{word.key}={quoted(word.value)}" for word in chosen], folders, state)


@lru_cache(maxsize=256)
def _alone(group: str, option: str, folders: tuple[Path, ...], state: int) -> DictConfig:
    """What Hydra makes of one file; not to be changed."""
    return _hydras(f"{group}/{option}", [], folders, state)[0]


def _hydras(
    name: str, texts: Sequence[str], folders: tuple[Path, ...], state: int
) -> tuple[DictConfig, dict[str, Any]]:
    """A file, with the options that it and the texts choose, put together by Hydra; and each group's option.

    As ``hydra.compose``, less the dozen files of Hydra's own settings that it reads each time, half of the work, and
    that nobody asks for here; and files that another composition has read are not read again. These are private parts
    of Hydra: see the bound on it in pyproject.toml.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.defaults_list import create_defaults_list
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    from cnnexp.config.kept_files import KeptFiles

    with _hydra(folders) as loader:
        assert isinstance(loader, ConfigLoaderImpl)
        words = OverridesParser.create().parse_overrides(list(texts))
        files = KeptFiles(loader.repository, _files_read(folders, state))
        found = create_defaults_list(files, name, words, prepend_hydra=False, skip_missing=False)
        composed = loader._compose_config_from_defaults_list(found.defaults, files)
    OmegaConf.set_struct(composed, False)
    return composed, dict(found.overrides.known_choices)


@lru_cache(maxsize=4)
def _files_read(folders: tuple[Path, ...], state: int) -> Files:
    """What Hydra has read of these folders so far."""
    return {}


def _state_of(folders: Sequence[Path]) -> int:
    """A number that changes with every file of YAML that is written, moved or removed."""
    found = []
    for path in (path for folder in folders for path in folder.rglob("*.yaml")):
        file = path.stat()
        found.append((str(path), file.st_mtime_ns, file.st_size, file.st_ino))
    return hash(tuple(found))


def _with_keys(composed: DictConfig, words: Sequence[Word]) -> DictConfig:
    """A copy with the keys that the words set, in their order, as Hydra would set them after it has put the options
    together; but parts of a loss that are named are all of it, whatever parts the net chooses."""
    from omegaconf import OmegaConf

    changed = copy.deepcopy(composed)
    for word in words:
        open_part(OmegaConf.select(changed, PARTS), word.key)
        OmegaConf.update(changed, word.key, word.value, merge=word.key != PARTS, force_add=True)
    return changed


def _plain(composed: DictConfig, choices: dict[str, Any]) -> dict[str, Any]:
    """Dictionaries, lists and scalars, without interpolations."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise InputError(_one_line(error)) from error
    assert isinstance(config, dict)
    return {**{str(key): value for key, value in config.items()}, "choices": dict(choices)}


def compose_option(group: str, option: str, words: Sequence[Word], folders: Sequence[Path]) -> dict[str, Any]:
    """An option that stands outside a run's configuration, with the keys that words set, as plain containers.

    Raises:
        InputError: Hydra cannot compose it.
    """
    from hydra import compose
    from omegaconf import OmegaConf

    with _hydra(folders):
        composed = compose(f"{group}/{option}")
        OmegaConf.set_struct(composed, False)
        content = OmegaConf.to_container(_with_keys(composed, words)[group], resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


@contextmanager
def _hydra(folders: Sequence[Path]) -> Iterator[Any]:
    """Hydra over these folders: the part of it that reads files; its errors as one line."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(folders[-1]), version_base="1.3"):
            _search_first(folders[:-1])
            yield GlobalHydra.instance().config_loader()
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise InputError(_one_line(error)) from error


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
