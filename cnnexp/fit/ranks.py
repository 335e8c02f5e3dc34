"""Which process of a run this is, and whether all of them run the same configuration.

Lightning starts the processes of a machine by running the command line again. The first process hands them the run's
folder in an environment variable, together with its process id; a variable left over in a shell names another parent
and is removed. Where a launcher starts all processes together (torchrun, SLURM) each composes its own configuration,
and they compare.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch.distributed as distributed
from pytorch_lightning.callbacks import Callback

from cnnexp.errors import InputError
from cnnexp.runs.read import read_yaml

FOLDER_VARIABLE = "CNNEXP_RUN_FOLDER"
PARENT_VARIABLE = "CNNEXP_RUN_PARENT"
_RANK_VARIABLES = ("LOCAL_RANK", "RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True)
class Role:
    """This process's place, remembered at the start.

    Attributes:
        rank: of all processes. folder: the run's, for a process started by the first one.
        launched: a launcher started all processes together, so none is started by Lightning.
    """

    rank: int = 0
    folder: Path | None = None
    launched: str | None = None

    @property
    def is_main(self) -> bool:
        return self.rank == 0


def find_role(environment: dict[str, str] | Any = os.environ) -> Role:
    """Read the role from the environment, and remove what was left over from something else."""
    folder, parent = environment.get(FOLDER_VARIABLE), environment.get(PARENT_VARIABLE)
    if folder and parent == str(os.getppid()) and int(environment.get("LOCAL_RANK", "0")) > 0:
        # Lightning numbers the processes of one machine; more machines come with a launcher of their own
        return Role(rank=int(environment["LOCAL_RANK"]), folder=Path(folder))
    for name in (FOLDER_VARIABLE, PARENT_VARIABLE):
        environment.pop(name, None)
    if "TORCHELASTIC_RUN_ID" in environment and "RANK" in environment:
        return Role(rank=int(environment["RANK"]), launched="torchrun")
    if int(environment.get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in environment and "SRUN_DEBUG" in environment:
        return Role(rank=int(environment["SLURM_PROCID"]), launched="slurm")
    for name in _RANK_VARIABLES:
        environment.pop(name, None)
    return Role()


def hand_on(folder: Path) -> None:
    """Let the processes that this one starts find the run."""
    os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    os.environ[PARENT_VARIABLE] = str(os.getpid())


def frozen_config(folder: Path) -> dict[str, Any]:
    """The configuration that the first process wrote."""
    return read_yaml(folder / "config.yaml")


class Agreement(Callback):
    """All processes compare their configurations as soon as they can talk, and learn the run's folder.

    Raises:
        InputError: in every process, naming the keys that differ and the rank.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path | None) -> None:
        self._config = config
        self.folder = folder

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if trainer.world_size == 1 or not distributed.is_initialized():
            return
        mine = (dict(self._config), None if self.folder is None else str(self.folder.resolve()))
        everyone: list[Any] = [None] * trainer.world_size
        distributed.all_gather_object(everyone, mine)
        first, folder = everyone[0]
        for rank, (other, _) in enumerate(everyone):
            if differing := _differences(first, other):
                raise InputError(
                    f"rank {rank} was started with another configuration than rank 0: {', '.join(differing)}; "
                    "start all processes with the same command line"
                )
        self.folder = Path(folder) if folder else None


def _differences(first: Any, other: Any, name: str = "") -> list[str]:
    if isinstance(first, Mapping) and isinstance(other, Mapping):
        keys = [*first, *(key for key in other if key not in first)]
        return [
            line
            for key in keys
            for line in _differences(first.get(key), other.get(key), f"{name}.{key}" if name else str(key))
        ]
    return [] if first == other else [f"{name} is {first} there and {other} here"]
