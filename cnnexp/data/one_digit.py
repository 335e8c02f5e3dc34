"""Scenes of a single handwritten digit: what is it, and where? Without a network."""

from __future__ import annotations

import torch

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.digit_scenes import scenes_of
from cnnexp.data.memory import fitted_split
from cnnexp.inputs.picture_files import Size


class OneDigit(DataSet):
    """4,000 / 500 / 500 grey pictures 64×64, each with one digit of mnist5k somewhere, at scale 0.6 to 1.0.

    They are composed as those of ``digit_scenes`` are: picture ``i`` is the first digit of scene ``i`` alone. Each has
    its box, with the class, and the class as a label.
    """

    targets = ("boxes", "label")

    def __init__(self, *, image_size: Size, channels: int, scene_seed: int) -> None:
        self.image_size = image_size
        self.channels = channels
        self.scene_seed = scene_seed

    def load(self, split: SplitName) -> TensorSplit:
        scenes = scenes_of(self.scene_seed, split, most=1)
        classes = torch.from_numpy(scenes.classes.copy())
        tensors = {
            "image": torch.from_numpy(scenes.pictures.copy())[:, None],
            "boxes": torch.from_numpy(scenes.boxes.copy()),
            "classes": classes,
            "label": classes[:, 0].clone(),
        }
        names = [f"one_digit/{split}/{i}" for i in range(len(classes))]
        return fitted_split(tensors, self.image_size, self.channels, names=names)
