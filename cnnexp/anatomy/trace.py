"""One picture led through a net, every operation noted with the module that made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnnexp.anatomy.costs import multiply_adds
from cnnexp.anatomy.places import Seen, of_picture, tensors_of
from cnnexp.anatomy.shapes import run
from cnnexp.anatomy.sight import seen_by


@dataclass
class Call:
    """What a module did, in the order of first calls; its parts' doing is noted with them.

    Args:
        calls: how often it was called. shape: of its last output, without the batch. seen: by that output.
        multiply_adds, activation_bytes: of its own operations; memory that it asked for, for one picture.
    """

    calls: int = 0
    shape: tuple[int, ...] | None = None
    seen: Seen = ()
    multiply_adds: int = 0
    activation_bytes: int = 0


@dataclass
class Trace:
    """What each module did by its name ("" is the net), those that were never called left out."""

    modules: dict[str, Call] = field(default_factory=dict)


def traced(net: nn.Module, picture: Tensor, *others: Tensor) -> Trace:
    """Lead a batch of one picture through the net, as in evaluation.

    Works on the meta device, where nothing is computed, as well as on any other.

    Args:
        picture: (1, C, ...). others: what else the net is called with. Receptive fields are those in the picture and in
            whatever has as many dimensions, as the second of two texts: each layer's in the one that it reads.

    Raises:
        RuntimeError, ValueError: the net cannot take such a picture.
    """
    recorder = _Recorder(picture, others)
    training, deterministic = net.training, torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)  # some operations would be taken apart into others
    try:
        with torch.no_grad(), _watched(net.eval(), recorder), recorder:
            net(picture, *others)
    finally:
        net.train(training)
        torch.use_deterministic_algorithms(deterministic)
    return recorder.trace


class _Recorder(TorchDispatchMode):
    """Sees each of torch's own operations, however the net called it: as a module, a function or an operator."""

    def __init__(self, picture: Tensor, others: Sequence[Tensor] = ()) -> None:
        super().__init__()
        self.trace = Trace({"": Call()})
        self.stack = [""]
        self._seen: dict[Any, Seen] = {
            _identity(one): of_picture(one) for one in (picture, *others) if one.ndim == picture.ndim
        }
        self._kept: list[Tensor] = [picture, *others]  # a freed tensor's identity would be given to another one
        self._storages = {_storage(one) for one in self._kept}
        self._made_of_sample = {_identity(one) for one in self._kept}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        out = run(func, args, options)
        if isinstance(out, Tensor):
            self._note(func, args, options, out)
        elif isinstance(out, (tuple, list)):
            for number, one in enumerate(out):
                if isinstance(one, Tensor):
                    self._note(func, args, options, one, first=number == 0)
        return out

    def enter(self, name: str) -> None:
        self.stack.append(name)
        self.trace.modules.setdefault(name, Call())

    def leave(self, name: str, output: Any) -> None:
        self.stack.pop()
        call = self.trace.modules[name]
        call.calls += 1
        tensors = [one for one in tree_leaves(output) if isinstance(one, Tensor)]
        if tensors:
            call.shape = tuple(tensors[0].shape[1:])
            call.seen = self.seen(tensors[0])

    def seen(self, tensor: Tensor) -> Seen:
        return self._seen.get(_identity(tensor), ())

    def _note(self, func: Any, args: Any, options: dict[str, Any], out: Tensor, first: bool = True) -> None:
        name = func.overloadpacket.__name__
        call = self.trace.modules[self.stack[-1]]
        seen = [self.seen(tensor) for tensor in tensors_of(args)]
        if any(seen):
            self._seen[_identity(out)] = seen_by(name, args, options, out, seen)
        self._kept.append(out)
        of_sample = any(_identity(tensor) in self._made_of_sample for tensor in tensors_of(args))
        if of_sample:
            self._made_of_sample.add(_identity(out))
        if first:
            call.multiply_adds += multiply_adds(name, args, out)
            if of_sample and _storage(out) not in self._storages:
                call.activation_bytes += out.untyped_storage().nbytes()
        self._storages.add(_storage(out))


@contextmanager
def _watched(net: nn.Module, recorder: _Recorder) -> Iterator[None]:
    hooks = []
    for name, module in net.named_modules():
        hooks.append(module.register_forward_pre_hook(lambda *_, name=name: recorder.enter(name), prepend=True))
        hooks.append(module.register_forward_hook(lambda _, __, output, name=name: recorder.leave(name, output)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _identity(tensor: Tensor) -> tuple[Any, ...]:
    """The same numbers in the same order are the same tensor, by whatever object they are reached."""
    return _storage(tensor), tensor.storage_offset(), tensor.shape, tensor.stride()
