"""Volumes in files: the order of their axes, their spacing, their channels, and masks that go back into the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnexp.errors import InputError
from cnnexp.inputs.volume_files import header_of, mask_content, read_labels, read_volume, stem_of

nibabel = pytest.importorskip("nibabel")

CORNERS = [
    ("LPS", np.diag([-1.0, -2.0, 3.0, 1.0])),
    ("RAS", np.diag([1.0, 2.0, 3.0, 1.0])),
    ("LAS", np.diag([-1.0, 2.0, 3.0, 1.0])),
    ("PIR", np.array([[0, 0, 1.0, 5], [-2.0, 0, 0, 6], [0, -3.0, 0, 7], [0, 0, 0, 1.0]])),
    ("ASL", np.array([[0, 0, -1.0, 5], [2.0, 0, 0, 6], [0, 3.0, 0, 7], [0, 0, 0, 1.0]])),
]


def save(path: Path, numbers: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] | None = None) -> Path:
    made = nibabel.Nifti1Image(numbers, np.eye(4) if affine is None else affine)
    made.header.set_xyzt_units("mm")
    nibabel.save(made, path)
    return path


def world(affine: np.ndarray[Any, Any], place: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Millimetres to the right, the front and the head."""
    return affine[:3, :3] @ np.array(place) + affine[:3, 3]


@pytest.mark.parametrize(("order", "affine"), CORNERS, ids=[name for name, _ in CORNERS])
def test_slices_go_to_the_head_rows_to_the_back_and_columns_to_the_left(
    tmp_path: Path, order: str, affine: np.ndarray[Any, Any]
) -> None:
    """By each voxel's own place in millimetres: in the result they fall along width (to the left is minus) and height
    (to the back is minus) and rise along depth."""
    assert "".join(nibabel.aff2axcodes(affine)) == order
    shape = (4, 5, 6)
    numbers = np.arange(120, dtype=np.int16).reshape(shape)
    path = save(tmp_path / "scan.nii.gz", numbers, affine)
    file, header = read_volume(path, 1), header_of(path)
    places = {int(numbers[place]): world(affine, place) for place in np.ndindex(*shape)}
    at = np.array([places[int(number)] for number in file.numbers.ravel()]).reshape(*file.numbers.shape[1:], 3)
    assert (np.diff(at[..., 0], axis=2) < 0).all() and (np.diff(at[..., 0], axis=0) == 0).all()
    assert (np.diff(at[..., 1], axis=1) < 0).all() and (np.diff(at[..., 1], axis=2) == 0).all()
    assert (np.diff(at[..., 2], axis=0) > 0).all() and (np.diff(at[..., 2], axis=1) == 0).all()
    steps = [np.abs(np.diff(at[..., 2 - axis], axis=axis)).max() for axis in range(3)]
    np.testing.assert_allclose(file.spacing, steps)
    assert header.spacing == file.spacing and header.size == file.size == file.numbers.shape[1:]
    assert header.affine is not None
    np.testing.assert_allclose(world(header.affine, (2, 1, 3)), at[3, 1, 2], err_msg="width, height, depth")


@pytest.mark.parametrize(("order", "affine"), CORNERS, ids=[name for name, _ in CORNERS])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_mask_lies_where_its_scan_does(tmp_path: Path, order: str, affine: np.ndarray[Any, Any], suffix: str) -> None:
    numbers = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.int16)
    scan = save(tmp_path / "scan.nii.gz", numbers, affine)
    mask = tmp_path / f"mask{suffix}"
    mask.write_bytes(mask_content(read_labels(scan)[0].astype(np.uint8), mask, scan))
    written = nibabel.load(mask)
    assert written.shape == numbers.shape and np.array_equal(written.affine, nibabel.load(scan).affine)
    assert written.get_data_dtype() == np.uint8 and np.array_equal(np.asarray(written.dataobj), numbers)


def test_a_numpy_array_is_in_the_order_already(tmp_path: Path) -> None:
    numbers = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    np.save(tmp_path / "two.npy", numbers)
    np.save(tmp_path / "one.npy", numbers[0].astype(np.float64))
    assert np.array_equal(read_volume(tmp_path / "two.npy", 2).numbers, numbers)
    one = read_volume(tmp_path / "one.npy", 1)
    assert one.numbers.dtype == np.float32 and one.spacing == (0, 0, 0) and np.array_equal(one.numbers[0], numbers[0])
    mask = tmp_path / "mask.npy"
    mask.write_bytes(mask_content(numbers[0], mask, tmp_path / "one.npy"))
    assert np.array_equal(np.load(mask), numbers[0])


def test_scaled_numbers_and_units_of_metres(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.full((2, 3, 4), 7, np.int16), np.diag([0.001, 0.002, 0.003, 1.0]))
    made.header.set_slope_inter(2.0, -1024.0)
    made.header.set_xyzt_units("meter")
    nibabel.save(made, tmp_path / "ct.nii")
    file = read_volume(tmp_path / "ct.nii", 1)
    assert (file.numbers == 7 * 2 - 1024).all()
    np.testing.assert_allclose(file.spacing, (3.0, 2.0, 1.0), rtol=1e-5)


def test_a_fourth_axis_holds_channels(tmp_path: Path) -> None:
    numbers = np.arange(4 * 5 * 6 * 2, dtype=np.uint8).reshape(4, 5, 6, 2)
    path = save(tmp_path / "two.nii", numbers, np.diag([-1.0, -1.0, 1.0, 1.0]))
    read = read_volume(path, 2).numbers
    assert read.dtype == np.uint8 and np.array_equal(read, numbers.transpose(3, 2, 1, 0))
    assert header_of(path).channels == 2 and header_of(path).eight_bits
    with pytest.raises(InputError, match=r"two\.nii: 2 channels and data\.channels=1; set data\.channels=2"):
        read_volume(path, 1)
    save(tmp_path / "flat.nii", numbers[..., :1])
    assert read_volume(tmp_path / "flat.nii", 1).size == (6, 5, 4), "a last axis of one is none"


def _broken(folder: Path) -> dict[str, Path]:
    numbers = np.zeros((4, 5, 6), np.float32)
    bad = numbers.copy()
    bad[1, 2, 3] = np.nan
    made = {"nan": save(folder / "nan.nii.gz", bad)}
    content = bytearray(save(folder / "flat.nii", numbers).read_bytes())
    content[252:254], content[296:312] = bytes(2), bytes(16)  # qform_code; srow_y, a row of the affine
    (folder / "flat.nii").write_bytes(content)
    made["flat"] = folder / "flat.nii"
    made["five"] = save(folder / "five.nii", np.zeros((2, 2, 2, 2, 2), np.float32))
    half = folder / "half.nii.gz"
    half.write_bytes(save(folder / "whole.nii.gz", np.random.default_rng(0).random((20, 20, 20))).read_bytes()[:9000])
    made["half"] = half
    for name, content in (("text.nii", b"no scan"), ("text.npy", b"no array"), ("scan.png", b"")):
        (folder / name).write_bytes(content)
        made[name] = folder / name
    np.save(folder / "two.npy", np.zeros((4, 5)))
    np.save(folder / "words.npy", np.array([[["a"]]]))
    np.save(folder / "object.npy", np.array([[[{"a": 1}]]], dtype=object), allow_pickle=True)
    return made | {name: folder / f"{name}.npy" for name in ("two", "words", "object")} | {"none": folder / "none.nii"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nan", r"nan\.nii\.gz: 1 of its 120 numbers are not finite"),
        ("flat", r"its affine says not where its axes go"),
        ("five", r"has 2×2×2×2×2 numbers; a volume has three axes"),
        ("half", r"half\.nii\.gz: (broken|not a NIfTI)"),
        ("text.nii", r"not a NIfTI file that can be read"),
        ("text.npy", r"not a NumPy array that can be read"),
        ("scan.png", r"not a file of volumes; those are \.nii, \.nii\.gz, \.npy"),
        ("two", r"expected an array of numbers D×H×W or C×D×H×W; its shape is 4×5"),
        ("words", r"expected an array of numbers"),
        ("object", r"not a NumPy array that can be read"),
        ("none", r"there is no such file"),
    ],
)
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, name: str, says: str) -> None:
    path = _broken(tmp_path)[name]
    with pytest.raises(InputError, match=says) as error:
        read_volume(path, 1)
    assert len(error.value.lines) == 1 and str(path) in error.value.lines[0]


def test_labels_are_whole_numbers_whatever_their_type(tmp_path: Path) -> None:
    numbers = np.arange(8, dtype=np.float64).reshape(2, 2, 2)
    np.save(tmp_path / "a.npy", numbers)
    assert np.array_equal(read_labels(tmp_path / "a.npy")[0], numbers)
    for name, bad, says in (("b", numbers + 0.5, "whole numbers"), ("c", numbers - 1, "holds -1"),
                            ("d", numbers * 50, "holds 350")):  # fmt: skip
        np.save(tmp_path / f"{name}.npy", bad)
        with pytest.raises(InputError, match=says):
            read_labels(tmp_path / f"{name}.npy")


def test_a_mask_is_written_in_a_format_that_has_its_place(tmp_path: Path) -> None:
    np.save(tmp_path / "scan.npy", np.zeros((2, 3, 4), np.uint8))
    classes = np.zeros((2, 3, 4), np.uint8)
    with pytest.raises(InputError, match=r"scan\.npy has no affine .* write mask\.npy"):
        mask_content(classes, tmp_path / "mask.nii.gz", tmp_path / "scan.npy")
    with pytest.raises(InputError, match=r"mask\.png: a mask of a volume is written as"):
        mask_content(classes, tmp_path / "mask.png", tmp_path / "scan.npy")
    assert [stem_of(Path(name)) for name in ("a/scan.nii.gz", "scan.v2.nii", "scan.npy")] == ["scan", "scan.v2", "scan"]
