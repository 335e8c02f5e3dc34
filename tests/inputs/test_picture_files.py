from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import resize

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import fit_boxes, fit_pictures, read_picture


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_a_lossless_picture_comes_back_as_it_is(tmp_path: Path) -> None:
    pixels = noise(5, 7, 3)
    image, size = read_picture(save(tmp_path / "a.png", pixels), None, 3)
    assert size == (5, 7)
    assert (image.numpy() == pixels.transpose(2, 0, 1)).all()


def test_resizing_is_pillows_antialiased_bilinear(tmp_path: Path) -> None:
    pixels = noise(40, 60, 3)
    image, size = read_picture(save(tmp_path / "a.png", pixels), (10, 20), 3)
    expected = np.asarray(Image.fromarray(pixels).resize((20, 10), Image.Resampling.BILINEAR))
    assert size == (40, 60)
    assert (image.numpy() == expected.transpose(2, 0, 1)).all()


def test_grey_and_colour_agree_between_files_and_tensors(tmp_path: Path) -> None:
    pixels = noise(8, 8, 3)
    from_file, _ = read_picture(save(tmp_path / "a.png", pixels), None, 1)
    from_tensor = fit_pictures(torch.from_numpy(pixels).permute(2, 0, 1)[None], (8, 8), 1)[0]
    assert (from_file.int() - from_tensor.int()).abs().max() <= 1
    back = fit_pictures(from_file[None], (8, 8), 3)
    assert back.shape == (1, 3, 8, 8)
    assert (back == from_file).all()


def test_tensors_are_resized_as_torchvision_does() -> None:
    pictures = torch.from_numpy(noise(2, 3, 32, 32))
    expected = resize(pictures, [48, 20], InterpolationMode.BILINEAR, antialias=True)
    assert (fit_pictures(pictures, (48, 20), 3).int() - expected.int()).abs().max() <= 1


def test_a_picture_lying_on_its_side_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    image, size = read_picture(tmp_path / "a.jpg", None, 3)
    assert size == (30, 20)
    assert image.shape == (3, 30, 20)


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    image, _ = read_picture(save(tmp_path / "a.png", np.full((4, 4), 0x80FF, np.uint16)), None, 1)
    assert image.unique().tolist() == [0x80]


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 250, 10, 20])
    picture.save(tmp_path / "a.png", transparency=b"\x00\x80")
    image, _ = read_picture(tmp_path / "a.png", None, 3)
    assert image[:, 0, 0].tolist() == [252, 132, 137]  # half of it, on white: 255 - (255 - 10) * 128 / 255


@pytest.mark.parametrize("content", [b"", b"no picture", "half"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes | str) -> None:
    path = save(tmp_path / "broken.png", noise(64, 64, 3))
    path.write_bytes(path.read_bytes()[:5000] if content == "half" else content)  # type: ignore[arg-type]
    with pytest.raises(CorruptFile, match=r"broken\.png: not a readable picture .*; replace the file") as caught:
        read_picture(path, (8, 8), 3)
    assert len(caught.value.lines) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        read_picture(tmp_path / "gone.png", None, 3)


def test_only_grey_and_colour(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.channels=4"):
        read_picture(save(tmp_path / "a.png", noise(4, 4)), None, 4)


def test_boxes_scale_with_the_picture() -> None:
    boxes = fit_boxes(torch.tensor([[10.0, 20.0, 30.0, 40.0]]), (100, 200), (50, 400))
    assert boxes.tolist() == [[20.0, 10.0, 60.0, 20.0]]
