"""The loggers beside metrics.csv."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from cnnexp.errors import InputError


def build_loggers(config: Mapping[str, Any], folder: Path) -> list[Logger]:
    """The logger that the configuration asks for, writing into the run's folder.

    Raises:
        InputError: its package is not installed, or an online service does not let us in.
    """
    return MAKERS[config["logger"]["kind"]](config, folder)


def close_loggers(loggers: Sequence[Logger], status: str) -> None:
    """Let the loggers write what they still hold."""
    for logger in loggers:
        logger.finalize("success" if status == "finished" else status)
        finish = getattr(getattr(logger, "experiment", None), "finish", None)
        if finish is not None:  # Lightning leaves a run of wandb open
            finish(exit_code=0 if status in ("finished", "stopped") else 1)


def log_result(loggers: Sequence[Logger], summary: Mapping[str, Any], pictures: Path) -> None:
    """The figures of summary.json and the pictures, for a logger that has a place for them: Weights & Biases.

    Args:
        pictures: the folder with the run's PNGs.
    """
    for logger in loggers:
        log_image = getattr(logger, "log_image", None)
        if log_image is None:
            continue
        figures = {name: value for name, value in summary.items() if not isinstance(value, Mapping)}
        logger.experiment.summary.update({**figures, **summary["metrics"]})  # type: ignore[attr-defined]
        for path in sorted(pictures.glob("*.png")):
            log_image(key=f"pictures/{path.stem}", images=[str(path)])


def _tensorboard(config: Mapping[str, Any], folder: Path) -> list[Logger]:
    from pytorch_lightning.loggers import TensorBoardLogger

    try:
        return [TensorBoardLogger(str(folder), name="tensorboard", version="", default_hp_metric=False)]
    except ModuleNotFoundError as error:
        raise InputError("logger=tensorboard needs its package: pip install 'cnnexp[tensorboard]'") from error


def _wandb(config: Mapping[str, Any], folder: Path) -> list[Logger]:
    from pytorch_lightning.loggers import WandbLogger

    logger = config["logger"]
    if logger["mode"] not in ("offline", "online"):
        raise InputError(f"logger.mode={logger['mode']}: expected offline or online")
    return [
        WandbLogger(
            name=config["name"] or folder.name,
            id=folder.name,
            save_dir=str(folder),
            project=logger["project"],
            offline=logger["mode"] == "offline",
            config=dict(config),
            settings=_quiet_wandb(),
        )
    ]


def _quiet_wandb() -> Any:
    import wandb

    return wandb.Settings(silent=True, console="off")


MAKERS: Mapping[str, Callable[[Mapping[str, Any], Path], list[Logger]]] = {
    "none": lambda config, folder: [],
    "tensorboard": _tensorboard,
    "wandb": _wandb,
}
