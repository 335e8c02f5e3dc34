"""What the optimizers of a run do: their rates, and one step of each on a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.losses.term import Term, at_least_one
from cnnexp.training.ema import WeightAverage
from cnnexp.training.parameter_groups import parameter_groups
from cnnexp.training.regularization import Regularization, limit_norms
from cnnexp.training.schedules import Moment, Schedule
from cnnexp.training.stepping import Engine, cut, make_step, share_of, unscale
from cnnexp.training.transfer import Transfer

Batch = dict[str, Tensor]
MakeOptimizer = Callable[[Sequence[Any]], torch.optim.Optimizer]


@dataclass(frozen=True)
class Recipe:
    """How a net is to be learnt; everything is handed in.

    Attributes:
        optimizers: by the names of the task's turns. stage_rates: factors on their rates for the net's stages.
        accumulate: parts that a batch is cut into. monitor, mode: what a schedule may follow.
    """

    optimizers: Mapping[str, MakeOptimizer]
    schedule: Schedule
    regularization: Regularization
    seed: int
    epochs: int
    monitor: str | None = None
    mode: str = "max"
    stage_rates: Sequence[float] | float | None = None
    accumulate: int = 1
    transfer: Transfer = field(default_factory=Transfer)


class Output(Protocol):
    """What a step of a task answers."""

    @property
    def terms(self) -> Sequence[Term]: ...

    @property
    def learnt(self) -> Tensor: ...


class Learning(Protocol):
    """The side of a task that learns."""

    turns: ClassVar[tuple[str, ...]]
    net: nn.Module
    loss: Any

    @property
    def counts_in_advance(self) -> bool: ...

    def learn(self, batch: Batch, turn: str) -> Output: ...

    def learning(self, turn: str) -> nn.Module: ...

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]: ...


class Learnt(NamedTuple):
    """What a batch cost: the loss, with the penalty, of this process's share; and the penalty, where there is one."""

    loss: Tensor
    penalty: Tensor | None


class Learner:
    """Schedules, clips, penalises, averages and steps every optimizer of a task.

    Raises:
        InputError: a batch is to be cut, and the task's terms have counts that only a forward pass knows.
    """

    def __init__(self, task: Learning, recipe: Recipe) -> None:
        if recipe.accumulate > 1 and not task.counts_in_advance:
            raise InputError(
                f"accumulate={recipe.accumulate}: the parts of this net's loss are means over counts that only its "
                "forward pass knows, so a batch cannot be cut; take accumulate=1 and a smaller batch_size"
            )
        self.task, self.recipe = task, recipe
        self.gradients_seen: Callable[[], None] | None = None
        """Called when a step's gradients are complete, before they are clipped; None costs nothing."""
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        decay = recipe.regularization.ema_decay
        self.average = None if decay is None else WeightAverage(task.net, decay)

    def make_optimizers(self) -> list[torch.optim.Optimizer]:
        """One for each turn, in their order; ``optimizers`` is to hold them, or what a trainer made of them."""
        return [self._optimizer(turn) for turn in self.task.turns]

    def _optimizer(self, turn: str) -> torch.optim.Optimizer:
        make, recipe = self.recipe.optimizers[turn], self.recipe
        # a group more is a kernel more at each step, so without decay there is none for biases and norms
        decaying = getattr(make, "keywords", {}).get("weight_decay", 0.0) > 0
        everything = recipe.regularization.include_biases_and_norms or not decaying
        groups = parameter_groups(self.task.learning(turn), everything, recipe.stage_rates)
        if turn == self.task.turns[-1] and self.task.loss is not None:
            groups += parameter_groups(self.task.loss, everything)  # a loss may have weights of its own
        optimizer = make(groups)
        for group in optimizer.param_groups:
            group["lr"] *= group.pop("rate", 1.0)
            group["initial_lr"] = group["lr"]
        return optimizer

    def set_rates(self, epoch: int, step: int, steps_per_epoch: int) -> None:
        """The rates of the coming step, the ``step``-th of an epoch, both from 0."""
        moment = Moment(epoch * steps_per_epoch + step, self.recipe.epochs * steps_per_epoch, epoch)
        factor = self.recipe.schedule.factor(moment) * self.recipe.transfer.epoch_factor(epoch)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def learn(self, batch: Batch, engine: Engine, seen: Callable[[Output], None]) -> Learnt:
        """A step of every optimizer, in turn, on a prepared batch.

        Args:
            seen: told every output, for the metrics.
        """
        learnt = [self._turn(turn, batch, engine, seen) for turn in self.task.turns]
        if self.average is not None:
            self.average.update(self.task.net)
        if len(learnt) == 1:
            return learnt[0]
        penalties = [one.penalty for one in learnt if one.penalty is not None]
        loss = torch.stack([one.loss for one in learnt]).sum()
        return Learnt(loss, torch.stack(penalties).sum() if penalties else None)

    def _turn(self, turn: str, batch: Batch, engine: Engine, seen: Callable[[Output], None]) -> Learnt:
        optimizer, regularization, part = self.optimizers[turn], self.recipe.regularization, self.task.learning(turn)
        self._clear()
        loss = self._gradients(turn, batch, engine, seen)
        if len(self.optimizers) > 1:
            self._clear(but=self._weights(turn))  # what this turn's loss says of other parts is nobody's to see
        if regularization.changes_gradients or self.gradients_seen is not None:
            unscale(engine, optimizer)
        penalty = regularization.penalty.add_gradients(part) if regularization.penalty.active else None
        if penalty is not None:
            loss = loss + penalty
        if self.gradients_seen is not None:
            self.gradients_seen()
        if regularization.gradient_clip_norm is not None:
            nn.utils.clip_grad_norm_(part.parameters(), regularization.gradient_clip_norm)
        make_step(engine, optimizer)
        if regularization.max_norm is not None:
            limit_norms(part, regularization.max_norm, regularization.max_norm_of)
        return Learnt(loss, penalty)

    def _clear(self, but: Sequence[Tensor] = ()) -> None:
        kept = {id(weight) for weight in but}
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                for weight in group["params"]:
                    if id(weight) not in kept:
                        weight.grad = None

    def _gradients(self, turn: str, batch: Batch, engine: Engine, seen: Callable[[Output], None]) -> Tensor:
        """Gradients of a batch; its loss, scaled so that the mean over processes is the global batch's."""
        if self.recipe.accumulate > 1:
            return self._gradients_in_parts(turn, batch, engine, seen)
        output = self.task.learn(batch, turn)
        loss = self._shared_loss(output, engine)
        engine.backward(loss)
        seen(output)
        return loss.detach()

    def _shared_loss(self, output: Output, engine: Engine) -> Tensor:
        """The sum of the terms, each times its count's share."""
        first = output.terms[0]
        if all(_same(term.count, first.count) for term in output.terms):
            share = share_of(first.count, engine)
            return output.learnt if share is None else output.learnt * share
        shares = [share_of(term.count, engine) for term in output.terms]
        means = [term.mean for term in output.terms]
        weighed = [mean if share is None else mean * share for mean, share in zip(means, shares, strict=True)]
        return torch.stack(weighed).sum()

    def _gradients_in_parts(self, turn: str, batch: Batch, engine: Engine, seen: Callable[[Output], None]) -> Tensor:
        """The same from parts of the batch, one after another, so that only one part's activations are in memory.

        A part's means are taken times their counts, and the sum of all is divided by the count of the whole. Terms of
        another count than the first one's are weighed by the two counts' ratio, which is known in advance.
        """
        parts = cut(batch, self.recipe.accumulate)
        wholes = {name: _global(count, engine) for name, count in self.task.counts(batch).items()}
        total: Tensor | None = None
        count: int | Tensor = 0
        for number, part in enumerate(parts, start=1):
            output = self.task.learn(part, turn)
            summed = _summed(output, wholes)
            with engine.shared(number == len(parts)):
                engine.backward(summed)
            seen(output)
            total = summed.detach() if total is None else total + summed.detach()
            count = count + output.terms[0].count
        assert total is not None
        share = share_of(count, engine)
        factor = (1 if share is None else share) / torch.as_tensor(at_least_one(count)).to(total)
        gradients = [weight.grad for weight in self._weights(turn) if weight.grad is not None]
        torch._foreach_mul_(gradients, factor)
        return total * factor

    def _weights(self, turn: str) -> list[Tensor]:
        return [weight for group in self.optimizers[turn].param_groups for weight in group["params"]]


def _summed(output: Output, wholes: Mapping[str, Any]) -> Tensor:
    """The terms times their counts, all in units of the first one's count.

    Args:
        wholes: the counts of the global batch by the names of terms; empty where all terms have one count.
    """
    first = output.terms[0]
    if not wholes and all(_same(term.count, first.count) for term in output.terms):
        return output.learnt * at_least_one(first.count)
    found = [term.mean * at_least_one(term.count) * (wholes[first.name] / wholes[term.name]) for term in output.terms]
    return torch.stack(found).sum()


def _same(count: int | Tensor, other: int | Tensor) -> bool:
    return count is other or (isinstance(count, int) and isinstance(other, int) and count == other)


def _global(count: int | Tensor, engine: Engine) -> Any:
    """A count summed over the processes, at least 1."""
    if isinstance(count, int):
        return at_least_one(count * engine.world_size)
    total = count.detach().clone().float()
    if engine.world_size > 1:
        torch.distributed.all_reduce(total)
    return at_least_one(total)
