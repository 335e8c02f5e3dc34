"""The shapes of what a few frequent operations make, without torch's own way to them.

On the meta device torch spends over a millisecond on the shape of a batch norm: in a deep net that is nearly all of the
time. Everything else is left to torch.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor


def run(func: Any, args: Any, options: dict[str, Any]) -> Any:
    """Call an operation that a dispatch mode has been given; on the meta device a frequent one by its shapes alone."""
    quick = _QUICK.get(func.overloadpacket.__name__)
    if quick is not None and not options and args[0].is_meta:
        return quick(*args)
    return func(*args, **options)


def _batch_norm(x: Tensor, weight: Any, bias: Any, mean: Any, variance: Any, training: bool, *rest: Any) -> Any:
    statistics = x.shape[1] if training else 0
    return x.new_empty(x.shape), x.new_empty(statistics), x.new_empty(statistics)


def _batch_norm_backward(gradient: Tensor, x: Tensor, weight: Any, *rest: Any) -> Any:
    wanted = rest[-1]
    made = x.new_empty(x.shape), x.new_empty(x.shape[1]), x.new_empty(x.shape[1])
    return tuple(tensor if one else None for tensor, one in zip(made, wanted, strict=True))


def _threshold_backward(gradient: Tensor, x: Tensor, threshold: float) -> Tensor:
    return gradient.new_empty(gradient.shape)


_QUICK: dict[str, Any] = {
    "native_batch_norm": _batch_norm,
    "native_batch_norm_backward": _batch_norm_backward,
    "threshold_backward": _threshold_backward,
}
