"""Clips: frames prepared as pictures with one draw for all of them, read from folders and files, shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from PIL import Image
from torch import Tensor

from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.operations import VOCABULARY
from cnnexp.errors import InputError
from cnnexp.inputs.clips import ClipPreparation, Clips
from cnnexp.inputs.pictures import Pictures
from cnnexp.paths import config_folder
from tests.augmentation.made import engine
from tests.data.tiny import write_picture

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
LABEL, MASK, BOXES = Label(("a", "b")), Mask(("a", "b")), Boxes(("a", "b"))
OPERATIONS: dict[str, dict[str, Any]] = {
    "crop": {"padding": 2},
    "random_resized_crop": {"probability": 1.0, "area": (0.3, 1.0), "ratio": (0.75, 1.333)},
    "mirror": {"horizontal": 0.5},
    "rotate": {"degrees": 30.0},
    "elastic": {"strength": 0.1},
    "brightness": {"amount": 0.4},
    "contrast": {"amount": 0.4},
    "rgb_shift": {"amount": 0.2},
    "noise": {"sigma": 0.1},
    "cutout": {"size": 0.4},
}


def made(**changes: Any) -> Clips:
    given: dict[str, Any] = dict(frames=5, channels=3, image_size=(6, 8), mean=MEAN, std=STD)
    return Clips(**(given | changes))


def prepared(clips: Clips, augmentation: Augmentation | None = None, **changes: Any) -> ClipPreparation:
    given: dict[str, Any] = dict(truths=(LABEL, MASK, BOXES), seed=0, centred=True, channels_last=False)
    given |= changes
    return clips.preparation(augmentation, given.pop("truths"), **given)


def batch_of(height: int = 6, width: int = 8, count: int = 12, frames: int = 5) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    clip = torch.randint(1, 255, (count, frames, 3, height, width), dtype=torch.uint8, generator=generator)
    return {
        "clip": clip,
        "index": torch.arange(100, 100 + count),
        "label": torch.arange(count) % 2,
        "mask": clip[:, 0, 0].clone(),
        "boxes": torch.tensor([[[0.0, 0.0, width, height]]] * count),
        "classes": torch.zeros(count, 1, dtype=torch.int64),
    }


def test_nets_are_told_and_get_channels_before_time() -> None:
    clips = made()
    assert (clips.shape, clips.described(), clips.side) == ((5, 3, 6, 8), "5x3x6x8", 6)
    assert clips.told() == {"in_channels": 3, "image_size": (6, 8), "frames": 5}
    assert clips.setting == "data.image_size=[6,8]"
    assert clips.with_side(9).shape == (5, 3, 9, 9)
    (example,) = clips.example(2)
    assert example.shape == (2, 3, 5, 6, 8), "as torchvision.models.video"
    other = clips.of_shape((16, 1, 20, 30))
    assert (other.shape, other.mean, other.std) == ((16, 1, 20, 30), (0.5,), (0.25,))
    with pytest.raises(InputError, match=r"expected frames x channels x height x width, for example 16x3x112x112"):
        clips.of_shape((3, 112, 112))


@pytest.mark.parametrize("channels_last", [False, True])
def test_every_frame_is_normalised(channels_last: bool) -> None:
    batch = batch_of()
    result = prepared(made(), channels_last=channels_last)(batch, False, 0)["clip"]
    mean, std = (torch.tensor(values).view(1, 1, -1, 1, 1) for values in (MEAN, STD))
    expected = ((batch["clip"] / 255 - mean) / std).transpose(1, 2)
    assert result.shape == (12, 3, 5, 6, 8) and (result - expected).abs().max() < 1e-5
    order = torch.channels_last_3d if channels_last else torch.contiguous_format
    assert result.is_contiguous(memory_format=order)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_clip_has_one_draw_that_all_of_its_frames_follow(name: str) -> None:
    """Each frame is what the engine makes of it as a picture with the clip's index."""
    augmentation, batch = engine(**{name: OPERATIONS[name]}), batch_of()
    result = prepared(made(), augmentation)(batch, True, 3)["clip"]
    pictures = Pictures(3, (6, 8), mean=MEAN, std=STD)
    alone = pictures.preparation(augmentation, (), seed=0, centred=True, channels_last=False)
    for frame in range(5):
        expected = alone({"image": batch["clip"][:, frame], "index": batch["index"]}, True, 3)["image"]
        assert torch.allclose(result[:, :, frame], expected, atol=1e-6)
    assert not torch.allclose(result, prepared(made())(batch, False, 0)["clip"], atol=1e-3), "something happened"


def test_frames_that_are_alike_stay_alike_noise_included() -> None:
    still = batch_of()
    still["clip"] = still["clip"][:, :1].expand(-1, 5, -1, -1, -1)
    preparation = prepared(made(), engine(**OPERATIONS))
    result = preparation(still, True, 0)["clip"]
    assert torch.equal(result, result[:, :, :1].expand_as(result))
    assert not torch.equal(result, preparation(still, True, 1)["clip"]), "others in every epoch"
    assert torch.equal(result[4:5], preparation({key: value[4:5] for key, value in still.items()}, True, 0)["clip"])


def test_the_truth_goes_where_its_clip_goes() -> None:
    augmentation, batch = engine(mirror={"horizontal": 1.0}), batch_of()
    before = {key: value.clone() for key, value in batch.items()}
    result = prepared(made(), augmentation)(batch, True, 0)
    assert torch.equal(result["mask"], batch["mask"].flip(2))
    assert torch.equal(result["label"], batch["label"]) and torch.equal(result["index"], batch["index"])
    assert result["boxes"].shape == batch["boxes"].shape
    assert all(torch.equal(batch[key], value) for key, value in before.items())


def test_frames_that_are_stored_larger_are_cut() -> None:
    clips, batch = made(decode_size=(10, 12)), batch_of(10, 12)
    assert clips.stored_size == (10, 12)
    preparation = prepared(clips)
    stored = preparation.stored(batch)
    assert torch.equal(stored["clip"], batch["clip"][..., 2:8, 2:10])
    assert torch.equal(stored["mask"], stored["clip"][:, 0, 0])
    assert torch.equal(preparation(batch, False, 0)["clip"], prepared(made())(stored, False, 0)["clip"])
    assert preparation(batch, True, 0)["clip"].shape == (12, 3, 5, 6, 8)


def test_first_middle_and_last_are_shown() -> None:
    batch = batch_of()
    shown = made().pictures(batch)
    frames = batch["clip"][3].permute(0, 2, 3, 1).numpy()
    assert shown[3].shape == (6, 28, 3) and shown[3].dtype == np.uint8
    for left, frame in ((0, 0), (10, 2), (20, 4)):
        assert np.array_equal(shown[3][:, left : left + 8], frames[frame])
    preparation = prepared(made())
    assert np.array_equal(preparation.shown(preparation(batch, False, 0))[3], shown[3])
    assert made(frames=1).pictures({"clip": batch["clip"][:, :1]})[0].shape == (6, 28, 3)


def test_an_augmentation_that_has_to_see_pictures_sees_middle_frames() -> None:
    class Split:
        def __len__(self) -> int:
            return 12

        def batch(self, positions: Tensor) -> dict[str, Tensor]:
            return {key: value[positions] for key, value in batch_of().items()}

    ours, theirs = (engine(pca={"sigma": 0.1}) for _ in range(2))
    prepared(made(), ours).learn(Split())
    theirs.learn([batch_of()["clip"][:, 2]])
    assert ours.colouring["pca"] == theirs.colouring["pca"]


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_clips_are_not_mixed(name: str) -> None:
    (line,) = made().problems(engine(**{name: {"alpha": 0.5}}), (LABEL,), True)
    assert line == f"augmentation.{name}.alpha=0.5: clips are not mixed with each other; 0 is off"
    assert made().problems(engine(**OPERATIONS), (LABEL, MASK), True) == []
    assert len(made().problems(engine(elastic={"strength": 0.1}), (BOXES,), True)) == 1


def test_its_preset_has_every_operation_of_pictures_switched_off() -> None:
    own = preset("clips")
    assert own == {**preset("pictures"), "input": "clips"}
    assert set(VOCABULARY) <= set(own)


def preset(name: str) -> dict[str, Any]:
    with initialize_config_dir(str(config_folder() / "augmentation"), version_base=None):
        return {str(key): value for key, value in compose(name).items()}


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_folder_holds_frames_in_the_order_of_their_names(tmp_path: Path) -> None:
    for place in range(9):
        write_picture(tmp_path / f"{place:03}.png", (10 * place, 0, 0), (6, 8))
    batch = made().read(tmp_path)
    assert batch["clip"].shape == (1, 5, 3, 6, 8) and batch["index"].tolist() == [0]
    assert batch["clip"][0, :, 0, 0, 0].tolist() == [0, 20, 40, 60, 80], "evenly spread"
    assert made(frames=3).read(tmp_path)["clip"][0, :, 0, 0, 0].tolist() == [0, 40, 80]
    assert made(frames=17).read(tmp_path)["clip"].shape[1] == 17, "a short one stands still now and then"
    assert np.array_equal(made().picture(tmp_path), made().pictures(batch)[0])


def test_a_file_holds_several_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    frames = [Image.new("L", (8, 6), 25 * place) for place in range(9)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    batch = made(channels=1).read(path)
    assert batch["clip"][0, :, 0, 0, 0].tolist() == [0, 50, 100, 150, 200]
    assert made().read(path)["clip"].shape == (1, 5, 3, 6, 8)
    assert path.suffix in made().suffixes
    assert made(image_size=(3, 4)).read(path)["clip"].shape == (1, 5, 3, 3, 4)
    still = write_picture(tmp_path / "a.png", (7, 7, 7), (6, 8))
    assert made().read(still)["clip"].unique().tolist() == [7]


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without pictures, which are the frames of a clip"):
        made().read(tmp_path)
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match=r"a\.gif: not a readable picture"):
        made().read(tmp_path / "a.gif")
    with pytest.raises(InputError, match=r"b\.gif: no such file"):
        made().read(tmp_path / "b.gif")
    with pytest.raises(InputError, match=r"data\.channels=2"):
        made(channels=2).read(tmp_path / "a.gif")


def test_for_a_task_that_restores_clips_come_without_noise_too() -> None:
    noisy, plain = (prepared(made(), augmentation) for augmentation in (engine(noise={"sigma": 0.2}), None))
    noisy.keep_clean()
    result, usual = noisy(batch_of(), True, 0), plain(batch_of(), True, 0)
    assert torch.equal(result["clean"], usual["clip"]) and not torch.equal(result["clip"], usual["clip"])
