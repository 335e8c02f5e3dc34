"""Cross entropy of pixels, weighed so that the narrow background between two objects is learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnexp.augmentation.motion import VOID
from cnnexp.losses.term import Loss, Term, at_least_one

FAR = 8
"""Where the two distances add up to so many sigma, a border adds 1e-14 of w0, which single precision drops."""


class BorderWeighted(Loss):
    """-log p of the true class, the mean over the pixels that are not void weighed by

        w(x) = w_c(x) + w0 exp(-(d1(x) + d2(x))^2 / (2 sigma^2)),

    d1 and d2 the distances of a pixel to the nearest object and to the second nearest (Ronneberger, Fischer, Brox 2015,
    equation 2; there w0 = 10, sigma = 5). Objects are what hangs together by edges of pixels, of one class that is no
    background; within them only w_c counts. w_c is the weight of the pixel's class, 1 without weights.

    Differs in that the sum is divided by the weights' sum, so that learning rates are those of plain cross entropy, and
    in that weights are made of the masks as augmented, batch by batch, on the processor. Volumes likewise.

    Args:
        w0: of a pixel that two objects would touch, 0 or more. sigma: in pixels, above 0. background: the classes, by
            number, whose pixels lie between objects. num_classes: K. class_weights: of each class, or none.

    Raises:
        ValueError: a number out of its range; a background without a class, or with all of them.
    """

    reads: ClassVar[str | None] = "mask"
    of_whole_masks = True

    class_weights: Tensor | None

    def __init__(
        self,
        *,
        w0: float,
        sigma: float,
        num_classes: int,
        background: Sequence[int] = (0,),
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if not w0 >= 0:
            raise ValueError(f"loss.w0={w0:g}: must be 0 or more")
        if not sigma > 0:
            raise ValueError(f"loss.sigma={sigma:g}: must be above 0")
        if not 0 < len(set(background)) < num_classes or not set(background) <= set(range(num_classes)):
            shown = ",".join(map(str, background))
            raise ValueError(
                f"loss.background=[{shown}]: expected numbers of classes from 0 to {num_classes - 1}, not all of them: "
                "those that lie between objects, such as [0]"
            )
        self.w0, self.sigma, self.background = w0, sigma, tuple(background)
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)

    def weigh(self, weights: Tensor) -> None:
        self.class_weights = weights

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K, ...) and ``mask`` (B, ...) of pictures H × W or volumes D × H × W, 255 = void."""
        mask = truth["mask"].long()
        weights = self.weights(mask)
        losses = functional.cross_entropy(answer, mask, ignore_index=VOID, reduction="none")
        count = weights.sum()
        return Term("border_weighted", (losses * weights).sum() / at_least_one(count), count)

    def count(self, truth: Mapping[str, Tensor]) -> Tensor:
        return self.weights(truth["mask"].long()).sum()

    def weights(self, mask: Tensor) -> Tensor:
        """w of every pixel of masks int64 (B, ...), float32 (B, ...); 0 where they are void."""
        valid = mask != VOID
        of_class = valid.float() if self.class_weights is None else self.class_weights[mask.where(valid, 0)] * valid
        borders = [border_weights(one, self.background, self.w0, self.sigma) for one in mask.cpu().numpy()]
        return of_class + torch.from_numpy(np.stack(borders)).to(of_class) * valid


def border_weights(mask: NDArray[Any], background: Sequence[int], w0: float, sigma: float) -> NDArray[np.float32]:
    """w0 exp(-(d1 + d2)² / (2 sigma²)) of the background pixels of a mask (...), 0 elsewhere."""
    from scipy import ndimage

    nearest, second = (np.full(mask.shape, np.inf, np.float32) for _ in range(2))
    far = int(np.ceil(FAR * sigma))
    for class_ in np.setdiff1d(np.unique(mask), [*background, VOID]):
        numbered, _ = ndimage.label(mask == class_)
        for number, place in enumerate(ndimage.find_objects(numbered), 1):
            around = tuple(slice(max(0, part.start - far), part.stop + far) for part in place)
            away = ndimage.distance_transform_edt(numbered[around] != number).astype(np.float32)
            closer = np.minimum(nearest[around], away)
            second[around] = np.minimum(second[around], np.maximum(nearest[around], away))
            nearest[around] = closer
    return np.where(np.isin(mask, background), w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2)), 0).astype(
        np.float32
    )
