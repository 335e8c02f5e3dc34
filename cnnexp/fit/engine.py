"""Lightning's precision and processes, as the steps of a learner want them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel


class LightningEngine:
    """The trainer of a module, once it is attached to one."""

    def __init__(self, module: pl.LightningModule) -> None:
        self._module = module

    @property
    def world_size(self) -> int:
        return int(self._module.trainer.world_size)

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        return getattr(self._module.trainer.precision_plugin, "scaler", None)

    def backward(self, loss: Tensor) -> None:
        """Gradients of a loss, as this run's precision and processes want them."""
        kind = loss.device.type
        if torch.is_autocast_enabled(kind):
            with torch.autocast(kind, enabled=False):  # the backward pass has its types from the forward one
                self._module.manual_backward(loss)
        elif self.world_size == 1:
            loss.backward()
        else:
            self._module.manual_backward(loss)

    def shared(self, shared: bool) -> AbstractContextManager[object]:
        """Where processes wait for each other in the backward pass or, for all but a batch's last part, not."""
        model = self._module.trainer.model
        if not shared and isinstance(model, DistributedDataParallel):
            return model.no_sync()
        return nullcontext()
