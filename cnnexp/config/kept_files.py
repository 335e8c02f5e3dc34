"""Files of YAML that one composition has read, kept for the next: reading them is nearly half of the work.

This is a private part of Hydra: see the bound on it in pyproject.toml.
"""

from __future__ import annotations

import copy

from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra.plugins.config_source import ConfigResult

Files = dict[str, ConfigResult | None]
"""Files by their group and name; None where there is none."""


class KeptFiles(CachingConfigRepository):
    """Reads a file for a composition, or copies it out of ``kept``: Hydra writes into what it puts together."""

    def __init__(self, delegate: IConfigRepository, kept: Files) -> None:
        super().__init__(delegate)
        self.kept = kept

    def load_config(self, config_path: str) -> ConfigResult | None:
        if config_path not in self.cache:
            if config_path not in self.kept:
                self.kept[config_path] = self.delegate.load_config(config_path=config_path)
            self.cache[config_path] = copy.deepcopy(self.kept[config_path])
        return self.cache[config_path]
