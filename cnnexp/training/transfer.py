"""Which weights of a net that was trained before go on learning, when, and how fast."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.stages import Stage, stages_of


class Transfer:
    """Every weight learns, all at one rate; the other ways say what differs.

    What is frozen gets no gradient, and its modules are held in evaluation mode: the statistics of its norms stay as
    they are to the bit, and its dropouts drop nothing. An optimizer leaves a weight without gradient alone, weight
    decay included.
    """

    freezes: ClassVar[bool] = False
    """Whether some of the net does not learn, in some epoch; else nothing of it is touched."""
    needs_weights: ClassVar[bool] = False
    """Whether it makes sense only for a net that begins with trained weights."""
    one_process: ClassVar[bool] = False
    """Whether weights come to learn during a run, which the averaging of several processes cannot follow."""

    def __init__(self) -> None:
        self._held: list[nn.Module] = []

    @property
    def caches(self) -> bool | Literal["auto"]:
        """Whether the features before the head are to be kept: they are the same in every epoch."""
        return False

    def problems(self, epochs: int) -> list[str]:
        """A line for each setting that cannot go with a run of so many epochs."""
        return []

    def frozen(self, stages: list[Stage], epoch: int) -> list[Stage]:
        """Which of the net's stages do not learn in an epoch, counted from 0."""
        return []

    def prepare(self, net: nn.Module) -> None:
        """Before an optimizer is made: what never learns is taken from it.

        Raises:
            InputError: the net has no such stages.
        """
        if self.freezes:
            self._freeze(net, self.frozen(stages_of(net), self._last_epoch))

    def begin_epoch(self, net: nn.Module, epoch: int) -> None:
        """At the start of an epoch, and where a run goes on within one."""
        if self.freezes:
            self._freeze(net, self.frozen(stages_of(net), epoch))

    def hold(self, net: nn.Module) -> None:
        """After the net was put in training mode: what is frozen stays in evaluation mode."""
        for module in self._held:
            module.eval()

    @property
    def stage_rates(self) -> float | None:
        """The learning rate of a stage as a part of that of the one behind it, the same in all epochs; None for one."""
        return None

    def epoch_factor(self, epoch: int) -> float:
        """The learning rate of an epoch as a part of what the schedule says."""
        return 1.0

    _last_epoch: ClassVar[int] = 2**31

    def _freeze(self, net: nn.Module, frozen: list[Stage]) -> None:
        self._held = [module for stage in frozen for module in stage.modules(net)]
        for name, parameter in net.named_parameters():
            parameter.requires_grad_(not any(stage.holds(name) for stage in frozen))
        self.hold(net)


class FeatureExtractor(Transfer):
    """The head learns, all else is frozen.

    Args:
        cache: keep the features that go into the head: ``auto`` where they are the same in every epoch.
    """

    freezes = True
    needs_weights = True

    def __init__(self, *, cache: bool | Literal["auto"]) -> None:
        super().__init__()
        self.cache = cache

    @property
    def caches(self) -> bool | Literal["auto"]:
        return self.cache

    def frozen(self, stages: list[Stage], epoch: int) -> list[Stage]:
        if len(stages) < 2:
            raise InputError("transfer=feature_extractor: the net is a head alone, nothing stands before it")
        return stages[:-1]


class LastStages(Transfer):
    """The head and the last stages before it learn.

    Args:
        stages: so many before the head.
    """

    freezes = True
    needs_weights = True

    def __init__(self, *, stages: int) -> None:
        super().__init__()
        self.stages = stages

    def frozen(self, stages: list[Stage], epoch: int) -> list[Stage]:
        before = len(stages) - 1
        if self.stages >= before:
            names = ", ".join(stage.name for stage in stages[:-1])
            raise InputError(
                f"transfer.stages={self.stages}: the net has {before} stages before its head ({names}), and at least "
                f"one is to stay frozen: at most {before - 1}, or transfer=fine_tune for all"
            )
        return stages[: before - self.stages]


class FineTune(Transfer):
    """Every weight learns; each stage has ``rate_decay`` times the rate of the one behind it.

    Args:
        rate_decay: in (0, 1]; the head has the full rate.
    """

    needs_weights = True

    def __init__(self, *, rate_decay: float) -> None:
        super().__init__()
        self.rate_decay = rate_decay

    @property
    def stage_rates(self) -> float | None:
        return self.rate_decay


class TwoPhase(Transfer):
    """The head alone for some epochs, then every weight at a lower rate.

    The optimizer has all weights from the beginning, so that a run can be gone on with anywhere.

    Args:
        head_epochs: of the first phase. rate: part of the schedule's rate in the second.
    """

    freezes = True
    needs_weights = True
    one_process = True

    def __init__(self, *, head_epochs: int, rate: float) -> None:
        super().__init__()
        self.head_epochs = head_epochs
        self.rate = rate

    def problems(self, epochs: int) -> list[str]:
        if self.head_epochs < epochs:
            return []
        return [
            f"transfer.head_epochs={self.head_epochs}: of epochs={epochs} none is left for the second phase; "
            "give fewer, or transfer=feature_extractor"
        ]

    def frozen(self, stages: list[Stage], epoch: int) -> list[Stage]:
        return stages[:-1] if epoch < self.head_epochs else []

    def epoch_factor(self, epoch: int) -> float:
        return 1.0 if epoch < self.head_epochs else self.rate
