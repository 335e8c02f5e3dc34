"""Pictures as an input: what nets are told, what a stored batch becomes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional

from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.augmentation.engine import LEARN_FROM, Augmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import count_of
from cnnexp.inputs.pictures import PicturePreparation, Pictures
from tests.augmentation.made import engine
from tests.data.tiny import all_of, make_data_set, write_class_folders, write_picture

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
LABEL, MASK, BOXES = Label(("a", "b")), Mask(("a", "b")), Boxes(("a", "b"))


def made(**changes: Any) -> Pictures:
    given: dict[str, Any] = dict(channels=3, image_size=(6, 8), mean=MEAN, std=STD)
    return Pictures(**(given | changes))


def prepared(pictures: Pictures, augmentation: Augmentation | None = None, **changes: Any) -> PicturePreparation:
    given: dict[str, Any] = dict(truths=(LABEL, MASK, BOXES), seed=0, centred=True, channels_last=False)
    given |= changes
    return pictures.preparation(augmentation, given.pop("truths"), **given)


def batch_of(height: int = 6, width: int = 8, count: int = 16, channels: int = 3) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(1, 255, (count, channels, height, width), dtype=torch.uint8, generator=generator)
    return {
        "image": image,
        "index": torch.arange(count),
        "label": torch.arange(count) % 2,
        "mask": image[:, 0].clone(),
        "boxes": torch.tensor([[[0.0, 0.0, width, height]]] * count),
        "classes": torch.zeros(count, 1, dtype=torch.int64),
    }


# --- what nets are told -----------------------------------------------------------------------------------------------


def test_what_it_says_of_itself() -> None:
    pictures = made()
    assert (pictures.shape, pictures.described(), pictures.side) == ((3, 6, 8), "3x6x8", 6)
    assert pictures.told() == {"in_channels": 3, "image_size": (6, 8)}
    assert pictures.setting == "data.image_size=[6,8]"
    assert {".png", ".jpg"} <= pictures.suffixes and ".csv" not in pictures.suffixes
    (example,) = pictures.example(5)
    assert (tuple(example.shape), example.device.type) == ((5, 3, 6, 8), "meta")
    batch = batch_of()
    (argument,) = pictures.arguments(batch)
    assert argument is batch["image"] and count_of(batch) == 16


def test_it_has_nothing_to_learn() -> None:
    pictures = made()
    assert not pictures.learns and pictures.learnt() == {}
    assert pictures.with_learnt({}) is pictures and pictures.demands == frozenset()


def test_of_another_shape_nothing_is_known_of_its_colours() -> None:
    other = made().of_shape((1, 20, 30))
    assert (other.shape, other.told()) == ((1, 20, 30), {"in_channels": 1, "image_size": (20, 30)})
    assert other.normalised_by == ((0.5,), (0.25,))
    square = made().with_side(32)
    assert (square.shape, square.side, square.setting) == ((3, 32, 32), 32, "data.image_size=[32,32]")


@pytest.mark.parametrize("shape", [(3, 32), (1, 3, 32, 32), (), (3, 0, 32), (-1, 4, 4)])
def test_what_is_no_shape_of_a_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"expected channels x height x width, for example 3x224x224"):
        made().of_shape(shape)


@pytest.mark.parametrize(
    ("given", "stored"),
    [(None, (6, 8)), ((9, 13), (9, 13)), ([9, 13], (9, 13)), (1.5, (9, 12)), (1, (6, 8)), (1.1, (7, 9))],
)
def test_pictures_may_be_stored_larger(given: Any, stored: tuple[int, int]) -> None:
    pictures = made(decode_size=given)
    assert pictures.stored_size == stored
    assert pictures.shape == (3, 6, 8), "nets take the others"


def test_a_value_for_each_channel() -> None:
    assert made().normalised_by == (MEAN, STD)
    assert made(mean=(0.3,), std=(0.1,)).normalised_by == ((0.3,) * 3, (0.1,) * 3), "grey that is shown as colour"
    mean, std = made(channels=1).normalised_by
    assert (mean, std) == ((pytest.approx(0.5),), (pytest.approx(0.25),)), "colour that is shown as grey"
    assert made(mean=None, std=None).normalised_by == ((0.5,) * 3, (0.25,) * 3)
    assert made(mean=(0.3,), std=(0.1,)).prepared_by() == (
        "; pictures normalised by mean 0.3, 0.3, 0.3 and deviation 0.1, 0.1, 0.1"
    )


# --- what a stored batch becomes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels_last", [False, True])
def test_an_evaluation_takes_torchvisions_normalisation(channels_last: bool) -> None:
    batch = batch_of()
    before = {name: value.clone() for name, value in batch.items()}
    result = prepared(made(), channels_last=channels_last)(batch, False, 0)
    expected = functional.normalize(batch["image"] / 255, list(MEAN), list(STD))
    assert (result["image"] - expected).abs().max() < 1e-5
    order = torch.channels_last if channels_last else torch.contiguous_format
    assert result["image"].is_contiguous(memory_format=order)
    assert all(torch.equal(batch[name], value) for name, value in before.items()), "the batch given is kept"
    assert all(result[name] is batch[name] for name in before if name != "image")


def test_values_that_are_not_centred_lie_between_0_and_1() -> None:
    batch = batch_of()
    result = prepared(made(), centred=False)(batch, False, 0)["image"]
    assert (result - batch["image"] / 255).abs().max() < 1e-6


def test_pictures_that_are_stored_larger_are_cut_with_what_lies_in_them() -> None:
    preparation, batch = prepared(made(decode_size=(10, 12))), batch_of(10, 12)
    stored = preparation.stored(batch)
    assert stored["image"].dtype == torch.uint8
    assert torch.equal(stored["image"], functional.center_crop(batch["image"], [6, 8]))
    assert torch.equal(stored["mask"], stored["image"][:, 0])
    assert (stored["boxes"] == torch.tensor([0.0, 0.0, 8.0, 6.0])).all()
    assert torch.equal(stored["label"], batch["label"])
    shown = preparation.shown(preparation(batch, False, 0))
    assert np.array_equal(np.stack(shown), stored["image"].permute(0, 2, 3, 1).numpy())
    cropped = preparation(batch, True, 0)
    assert cropped["image"].shape == (16, 3, 6, 8) and cropped["mask"].shape == (16, 6, 8)
    assert not torch.equal(cropped["image"], preparation(batch, False, 0)["image"]), "anywhere, to train with"


def test_pictures_of_any_other_size_keep_it() -> None:
    batch = batch_of(7, 7)
    assert prepared(made(decode_size=(10, 12)))(batch, False, 0)["image"].shape == (16, 3, 7, 7)


def test_the_truths_of_the_data_set_follow_and_no_others() -> None:
    turned = engine(mirror={"horizontal": 1.0})
    batch = batch_of()
    result = prepared(made(), turned)(batch, True, 0)
    assert torch.equal(result["mask"], batch["mask"].flip(2))
    assert torch.equal(prepared(made(), turned, truths=(LABEL,))(batch, True, 0)["mask"], batch["mask"])
    without = {name: batch[name] for name in ("image", "index")}
    assert prepared(made(), turned)(without, True, 0).keys() == {"image", "index"}


def test_training_pictures_are_others_in_every_epoch_and_evaluations_are_not_augmented() -> None:
    batch, plain = batch_of(), prepared(made())
    assert not plain.augments
    assert torch.equal(plain(batch, True, 0)["image"], plain(batch, False, 0)["image"])
    moved = prepared(made(), engine(crop={"padding": 3}))
    assert moved.augments
    assert torch.equal(moved(batch, False, 0)["image"], plain(batch, False, 0)["image"])
    assert torch.equal(moved(batch, True, 1)["image"], moved(batch, True, 1)["image"])
    assert not torch.equal(moved(batch, True, 1)["image"], moved(batch, True, 2)["image"])


def test_of_what_is_blended_the_loss_is_told() -> None:
    batch = batch_of(count=4)
    result = prepared(made(), engine(mixup={"alpha": 1.0}))(batch, True, 0)
    assert result["mixed_label"].tolist() == batch["label"][[1, 0, 3, 2]].tolist()
    assert result["mix"].shape == (4,) and (result["mix"] < 1).any()


def test_its_numbers_move_with_the_net_and_are_in_no_checkpoint() -> None:
    preparation = prepared(made())
    assert preparation.state_dict() == {} and list(preparation.parameters()) == []
    assert preparation.double()(batch_of(), False, 0)["image"].dtype == torch.float64
    assert {str(one.device) for one in preparation.to("meta").buffers()} == {"meta"}


def test_other_values_come_without_any_truth() -> None:
    preparation, pictures = prepared(made()), made()
    batch = preparation(batch_of(), False, 0)
    other = torch.zeros(16, 3, 6, 8)
    replaced = pictures.replaced(batch, other)
    assert replaced.keys() == {"image", "index"} and replaced["image"] is other


class Counting:
    """Random pictures, and which of them were asked for."""

    def __init__(self, count: int) -> None:
        self.count, self.asked = count, []

    def __len__(self) -> int:
        return self.count

    def batch(self, positions: Tensor) -> dict[str, Tensor]:
        self.asked += positions.tolist()
        return batch_of(2, 2, len(positions))


@pytest.mark.parametrize(("count", "seen"), [(150, 150), (1700, LEARN_FROM)])
def test_an_augmentation_that_has_to_see_pictures_sees_some(count: int, seen: int) -> None:
    preparation, split = prepared(made(), engine(pca={"sigma": 0.1})), Counting(count)
    preparation.learn(split)
    assert len(split.asked) == len(set(split.asked)) == seen
    assert split.asked == sorted(split.asked) and max(split.asked) < count
    assert not preparation.augmentation.unlearned
    preparation.learn(split)
    assert len(split.asked) == seen, "once"


def test_an_augmentation_that_knows_all_sees_nothing() -> None:
    split = Counting(150)
    prepared(made(), engine(pca={"sigma": 0.1, "of": "imagenet"})).learn(split)
    prepared(made()).learn(split)
    assert split.asked == []


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"channels": 1}, {"decode_size": (9, 13)}])
def test_a_file_comes_as_the_data_set_stores_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    root = write_class_folders(tmp_path / "root", 10)
    pictures = made(**changes)
    sizes = {"image_size": list(pictures.stored_size), "channels": pictures.channels}
    split = make_data_set("image_folder", root=str(root), **sizes).load("test")
    stored = all_of(split)
    assert split.names is not None and len(split.names) == 2
    for place, name in enumerate(split.names):
        (path,) = root.rglob(Path(name).name)
        batch = pictures.read(path)
        assert torch.equal(batch["image"], stored["image"][place : place + 1])
        assert batch["index"].tolist() == [0] and batch.keys() == {"image", "index"}


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png: not a readable picture"):
        made().read(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"b\.png: no such file"):
        made().picture(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"data\.channels=2"):
        made(channels=2).picture(write_picture(tmp_path / "c.png", size=(4, 4)))


@pytest.mark.parametrize("channels", [1, 3])
def test_for_a_person_a_file_keeps_its_size(tmp_path: Path, channels: int) -> None:
    picture = made(channels=channels).picture(write_picture(tmp_path / "a.png", size=(20, 30)))
    assert (picture.shape, picture.dtype) == ((20, 30, channels), np.uint8)


def test_stored_pictures_for_a_person() -> None:
    batch = batch_of()
    shown = made().pictures(batch)
    assert len(shown) == 16
    assert np.array_equal(shown[3], batch["image"][3].permute(1, 2, 0).numpy())


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "truths", "mixes", "channels", "says"),
    [
        ({"elastic": {"strength": 0.1}}, (BOXES,), False, 3, "augmentation.elastic.strength=0.1: boxes cannot follow"),
        ({"elastic": {"strength": 0.1}}, (MASK,), False, 3, None),
        ({"elastic": {"strength": 0.1}}, (), False, 3, None),
        ({"rotate": {"degrees": 9.0}}, (BOXES,), False, 3, None),
        ({"mixup": {"alpha": 0.2}}, (LABEL,), False, 3, "augmentation.mixup.alpha=0.2: mixes class labels"),
        ({"cutmix": {"alpha": 1.0}}, (LABEL,), False, 3, "augmentation.cutmix.alpha=1: mixes class labels"),
        ({"mixup": {"alpha": 0.2}}, (LABEL,), True, 3, None),
        ({"pca": {"sigma": 0.1, "of": "imagenet"}}, (LABEL,), True, 1, "needs 3 channels, not 1"),
        ({"pca": {"sigma": 0.1, "of": "imagenet"}}, (LABEL,), True, 3, None),
    ],
)
def test_an_augmentation_that_makes_no_sense(
    changes: Any, truths: Any, mixes: bool, channels: int, says: str | None
) -> None:
    lines = made(channels=channels).problems(engine(**changes), truths, mixes)
    assert (lines == []) if says is None else (len(lines) == 1 and says in lines[0])


def test_no_augmentation_has_no_problems() -> None:
    assert made().problems(None, (BOXES,), False) == []
    assert made().problems(Pictures.plain(seed=0), (BOXES,), False) == []


@pytest.mark.parametrize("disturbed", [{"noise": {"sigma": 0.2}}, {"cutout": {"size": 0.4}, "noise": {"sigma": 0.1}}])
def test_for_a_task_that_restores_pictures_come_undisturbed_too(disturbed: dict[str, Any]) -> None:
    """Moved and coloured as the same augmentation without noise and holes does it."""
    shared: dict[str, Any] = {"crop": {"padding": 2}, "rotate": {"degrees": 15.0}, "brightness": {"amount": 0.3}}
    batch, restored = batch_of(), prepared(made(), engine(**shared, **disturbed))
    restored.keep_clean()
    result = restored(batch, True, 3)
    assert torch.equal(result["clean"], prepared(made(), engine(**shared))(batch, True, 3)["image"])
    assert torch.equal(result["image"], prepared(made(), engine(**shared, **disturbed))(batch, True, 3)["image"])
    assert not torch.equal(result["clean"], result["image"])
    assert "clean" not in restored(batch, False, 3), "an evaluation is not augmented"


def test_without_noise_and_holes_nothing_is_kept() -> None:
    restored = prepared(made(), engine(crop={"padding": 2}, brightness={"amount": 0.3}))
    restored.keep_clean()
    assert restored(batch_of(), True, 0).keys() == batch_of().keys()
    usual = prepared(made(), engine(noise={"sigma": 0.2}))
    assert "clean" not in usual(batch_of(), True, 0), "nobody wants it"
