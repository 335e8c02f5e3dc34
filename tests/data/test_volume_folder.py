"""A folder of one's own volumes: pairs, sizes, places, classes, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnexp.data.base import FileSplit
from cnnexp.data.fingerprint import listed
from cnnexp.data.volume_folder import fitted
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def write_volumes(root: Path, count: int = 12, size: tuple[int, ...] = (4, 6, 8), **changes: Any) -> Path:
    """Volumes of which voxel (z, y, x) of the mask is brighter; NumPy files."""
    values = changes.get("values", (0, 1))
    rng = np.random.default_rng(0)
    for i in range(count):
        mask = rng.integers(0, len(values), size[-3:])
        volume = (100 * mask + rng.integers(0, 50, size)).astype(changes.get("kind", np.uint8))
        write(root / "volumes" / f"v{i:02}.npy", volume)
        write(root / "masks" / f"v{i:02}.npy", np.array(values)[mask].astype(np.uint8))
    return root


def write(path: Path, numbers: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, numbers)


def folder(root: Path, **changes: Any) -> Any:
    return make_data_set("volume_folder", root=str(root), **({"volume_size": (4, 6, 8)} | changes))


def test_pairs_are_read_as_they_are(tmp_path: Path) -> None:
    made = folder(write_volumes(tmp_path))
    splits = load_all(made)
    assert {name: len(split) for name, split in splits.items()} == {"train": 10, "val": 1, "test": 1}
    batch = all_of(splits["train"])
    name = splits["train"].names[3]
    assert np.array_equal(batch["volume"][3, 0], np.load(tmp_path / "volumes" / f"{name}.npy"))
    assert np.array_equal(batch["mask"][3], np.load(tmp_path / "masks" / f"{name}.npy"))
    numbers = np.load(tmp_path / "volumes" / f"{name}.npy").astype(float)
    np.testing.assert_allclose(batch["levels"][3, 0], [numbers.mean(), numbers.std(), 0, 255], rtol=1e-5)
    assert made.class_names() == ("0", "1") and made.census().line() == ""


def test_numbers_that_are_no_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    made = folder(write_volumes(tmp_path, kind=np.int16), in_memory=False)
    split = made.load("train")
    assert isinstance(split, FileSplit)
    batch = split.batch([0, 1])
    assert batch["volume"].dtype.is_floating_point and batch["mask"].shape == (2, 4, 6, 8)


def test_other_sizes_are_cut_or_filled_around_the_centre(tmp_path: Path) -> None:
    """Two slices are left out of four; of seven rows four are without a number."""
    root = write_volumes(tmp_path, size=(4, 3, 8))
    made = folder(root, volume_size=(2, 7, 8))
    split = made.load("test")
    batch, name = all_of(split), split.names[0]
    volume, mask = (np.load(root / kind / f"{name}.npy") for kind in ("volumes", "masks"))
    assert np.array_equal(batch["volume"][0, 0, :, 2:5], volume[1:3])
    assert np.array_equal(batch["mask"][0, :, 2:5], mask[1:3])
    assert (batch["mask"][0, :, [0, 1, 5, 6]] == 255).all()
    assert (batch["volume"][0, 0, :, [0, 1, 5, 6]] == volume.min()).all()
    np.testing.assert_allclose(batch["levels"][0, 0, 0], volume.mean(), rtol=1e-5, err_msg="of the whole file")
    (remark,) = made.census().remarks
    assert remark.startswith("12 of 12 volumes are of other sizes (4×3×8)") and "data.volume_size=[2,7,8]" in remark


def test_fitted_by_hand() -> None:
    values = np.arange(5).reshape(5, 1, 1)
    assert fitted(values, 9, (3, 1, 1)).ravel().tolist() == [1, 2, 3]
    assert fitted(values, 9, (2, 1, 1)).ravel().tolist() == [1, 2]
    assert fitted(values, 9, (8, 1, 1)).ravel().tolist() == [9, 0, 1, 2, 3, 4, 9, 9]


def test_classes_are_the_values_of_the_masks(tmp_path: Path) -> None:
    root = write_volumes(tmp_path, values=(0, 255))
    assert folder(root).class_names() == ("background", "foreground")
    assert all_of(folder(root).load("val"))["mask"].unique().tolist() == [0, 1]


def test_classes_are_named(tmp_path: Path) -> None:
    root = write_volumes(tmp_path, values=(0, 1, 2, 4))
    with pytest.raises(InputError, match=r"it cannot be told what the values .*data\.mask_values="):
        folder(root).prepare()
    named = {0: "background", 1: "necrosis", 2: "oedema", 4: "tumour"}
    made = folder(root, mask_values=named)
    assert made.class_names() == tuple(named.values())
    assert all_of(made.load("test"))["mask"].unique().tolist() == [0, 1, 2, 3]
    void = folder(root, mask_values={**named, 4: None})
    assert all_of(void.load("test"))["mask"].unique().tolist() == [0, 1, 2, 255]
    (root / "classes.txt").write_text("a\nb\nc\n")
    with pytest.raises(InputError, match=r"names 3 classes, and the masks hold"):
        folder(write_volumes(tmp_path, values=(0, 1))).prepare()


def test_what_has_no_counterpart_is_counted(tmp_path: Path) -> None:
    root = write_volumes(tmp_path)
    (root / "masks" / "v03.npy").rename(root / "masks" / "v03_mask.npy")
    (root / "volumes" / "notes.txt").write_text("x")
    census = folder(root).census()
    assert census.used("volumes") == 11 and census.found("volumes") == 12
    assert "1 without a mask" in census.line() and "rename v03_mask.npy to v03" in census.line()


def test_most_without_a_mask_is_a_naming_of_another_kind(tmp_path: Path) -> None:
    root = write_volumes(tmp_path)
    for path in list((root / "masks").iterdir())[:8]:
        path.unlink()
    with pytest.raises(InputError, match=r"without a mask, and so 8 of 12 volumes") as error:
        folder(root).prepare()
    assert len(error.value.lines) == 1


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    root = write_volumes(tmp_path)
    write(root / "masks" / "v02.npy", np.zeros((4, 6, 7), np.uint8))
    with pytest.raises(InputError, match=r"v02\.npy: the mask has 4×6×7 voxels and its volume v02\.npy 4×6×8") as error:
        folder(root).prepare()
    assert len(error.value.lines) == 1


def test_channels_have_to_be_said(tmp_path: Path) -> None:
    root = write_volumes(tmp_path, size=(2, 4, 6, 8))
    with pytest.raises(InputError, match=r"of 2 channels \(4-D\) and data\.channels=1; set data\.channels=2"):
        folder(root).prepare()
    assert all_of(folder(root, channels=2).load("val"))["volume"].shape == (1, 2, 4, 6, 8)


def test_numbers_that_are_not_finite_are_refused_or_left_out(tmp_path: Path) -> None:
    root = write_volumes(tmp_path, kind=np.float32)
    bad = np.load(root / "volumes" / "v05.npy")
    bad[0, 0, 0] = np.inf
    write(root / "volumes" / "v05.npy", bad)
    with pytest.raises(InputError, match=r"v05\.npy: 1 of its 192 numbers are not finite"):
        load_all(folder(root))
    made = folder(root, unreadable="skip")
    load_all(made)
    assert "1 that cannot be decoded" in made.census().line()


def test_a_mask_without_one_class_more_than_background(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the masks hold one class only"):
        folder(write_volumes(tmp_path, values=(0,))).prepare()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mask_values": {"red": "a", "blue": "b"}}, r"data\.mask_values: masks of volumes have numbers"),
        ({"void": "red"}, r"data\.mask_values: masks of volumes have numbers"),
    ],
)
def test_keys_that_cannot_be(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        folder(write_volumes(tmp_path), **changes).prepare()


def test_the_record_notices_what_changed(tmp_path: Path) -> None:
    root = write_volumes(tmp_path)
    before = listed(folder(root).load("train"), ("0", "1"), "contents")
    name = before.names[0] if before.names else ""
    mask = 1 - np.load(root / "masks" / f"{name}.npy")
    write(root / "masks" / f"{name}.npy", mask)
    after = listed(folder(root).load("train"), ("0", "1"), "contents")
    assert before.digests == after.digests and before.truths is not None and after.truths is not None
    assert [a != b for a, b in zip(before.truths, after.truths, strict=True)] == [True] + [False] * 9


def test_a_scan_and_a_mask_of_two_shapes_are_refused(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    root = write_volumes(tmp_path)
    for path in sorted((root / "volumes").iterdir()) + sorted((root / "masks").iterdir()):
        nibabel.save(nibabel.Nifti1Image(np.load(path).transpose(), np.eye(4)), path.with_suffix(".nii.gz"))
        path.unlink()
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 6, 5), np.uint8), np.eye(4)), root / "masks" / "v03.nii.gz")
    with pytest.raises(InputError, match=r"v03\.nii\.gz: the mask has 5×6×8 voxels and its volume .* 4×6×8") as error:
        folder(root).prepare()
    assert len(error.value.lines) == 1


def test_scans_lie_in_one_order_whatever_their_files_have(tmp_path: Path) -> None:
    """A mask that was drawn in another order of axes than its scan, and one that lies elsewhere."""
    nibabel = pytest.importorskip("nibabel")
    root = write_volumes(tmp_path)
    lps = np.diag([-1.0, -1.0, 2.0, 1.0])
    for path in sorted((root / "volumes").iterdir()) + sorted((root / "masks").iterdir()):
        nibabel.save(nibabel.Nifti1Image(np.load(path).transpose(), lps), path.with_suffix(".nii.gz"))
        path.unlink()
    plain = all_of(folder(root).load("test"))
    name = folder(root).load("test").names[0]
    mask = nibabel.load(root / "masks" / f"{name}.nii.gz")
    nibabel.save(nibabel.as_closest_canonical(mask), root / "masks" / f"{name}.nii.gz")
    made = folder(root)
    again = all_of(made.load("test"))
    assert np.array_equal(plain["mask"], again["mask"]) and again["spacing"].tolist() == [[2.0, 1.0, 1.0]]
    assert made.census().remarks == ["voxels of 2×1×1 mm"]
    nibabel.save(nibabel.Nifti1Image(np.asarray(mask.dataobj), np.eye(4)), root / "masks" / f"{name}.nii.gz")
    with pytest.raises(InputError, match=r"by its affine it lies elsewhere than its volume .*give it the volume's"):
        folder(root).prepare()
