"""One trained net as a voter: stored pictures in, probabilities of their classes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cnnexp.answers.base import Batch
from cnnexp.averaging.views import View, centred, resized
from cnnexp.tasks.base import Task

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Voter:
    """Prepares pictures as its task was trained with them, and averages over views where it is given some.

    Averaged are probabilities, each view's softmax, and not logits: so a view that is unsure weighs less only by being
    unsure, and the result is the same as that of an ensemble of nets that each see one view.

    Args:
        task: a net that answers logits (B, K) or (B, K, H, W), and its preparation; put into evaluation mode.
        views: what is averaged; none is the picture as it is.
        device: to compute on. precision: of the hardware group (fp32, bf16, ...).
        order: of each class, as all voters together count them, the number here; None where it is the same.
    """

    def __init__(
        self,
        task: Task,
        views: Sequence[View],
        device: torch.device,
        precision: str,
        order: Sequence[int] | None = None,
    ) -> None:
        self.task = task.to(device).eval()
        if precision == "fp64":
            self.task = self.task.double()
        self._dtype = torch.float64 if precision == "fp64" else torch.float32
        self.views = tuple(views)
        self.device = device
        self.precision = precision
        self._order = None if order is None else torch.tensor(order, device=device)

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Tensor:
        """Probabilities of the classes, (B, K) or (B, K, H, W), on the device; ``batch`` is as a split gives it."""
        batch = {name: value.to(self.device) for name, value in batch.items()}
        if not self.views:
            return self._probabilities(batch)
        given = self.task.facts.input
        (image,) = given.arguments(batch)
        size, whole = (given.shape[-2], given.shape[-1]), (image.shape[-2], image.shape[-1])
        total: Tensor | None = None
        for view in self.views:
            # floats of its own for each view: a normalisation may work in place
            answer = self._probabilities(given.replaced(batch, view.see(image.to(self._dtype, copy=True), size)))
            answer = view.undo(answer, whole) if answer.ndim == 4 else answer
            total = answer if total is None else total + answer
        assert total is not None
        if total.ndim == 4:
            total = centred(total, size)
        # the classes of each view add up to 1 wherever it sees, so their sum is the number of views that saw
        return total / total.sum(1, keepdim=True)

    def truth(self, batch: Batch) -> Batch:
        """The batch as the net is judged by it: label, or mask at the net's size, and index, on the device."""
        return self.task.prepare({name: value.to(self.device) for name, value in batch.items()}, train=False)

    def common(self, answer: Tensor) -> Tensor:
        """An answer of this voter with its classes in the order of all voters together."""
        return answer if self._order is None else answer.index_select(1, self._order)

    def own(self, answer: Tensor) -> Tensor:
        """An answer in the order of all voters together with its classes in that of this voter."""
        return answer if self._order is None else answer.index_select(1, self._order.argsort())

    def own_truth(self, batch: Batch) -> Batch:
        """A truth that is numbered as all voters together count, numbered as this voter does."""
        return batch if self._order is None else batch | self.task.answer.renumbered(batch, self._order)

    def _probabilities(self, batch: Batch) -> Tensor:
        prepared = self.task.prepare(batch, train=False)
        kind = _AUTOCAST.get(self.precision)
        with torch.autocast(self.device.type, dtype=kind, enabled=kind is not None):
            logits = self.task.outputs(prepared)
        return (logits if logits.dtype == torch.float64 else logits.float()).softmax(1)


def weighted_mean(answers: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The mean of several voters' probabilities; maps of other sizes are brought to the first one's."""
    size = (answers[0].shape[-2], answers[0].shape[-1])
    fitted = [resized(one, size) if one.ndim == 4 else one for one in answers]
    total = sum(weight * one for weight, one in zip(weights, fitted, strict=True))
    assert isinstance(total, Tensor)
    return total / sum(weights)


def parameter_count(task: Task) -> int:
    """Numbers that the net has learnt."""
    return sum(parameter.numel() for parameter in task.net.parameters())


def weight_bytes(task: Task) -> int:
    """Memory of the net's parameters and buffers; activations come on top."""
    state: Mapping[str, Tensor] = task.net.state_dict()
    return sum(value.numel() * value.element_size() for value in state.values() if isinstance(value, Tensor))
