from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_picture

LABELS = "1 0.25 0.25 0.5 0.5\n0 0.75 0.5 0.5 1\n"


def write_pair(images: Path, labels: Path, stem: str, text: str | None = LABELS) -> None:
    write_picture(images / f"{stem}.png")
    labels.mkdir(parents=True, exist_ok=True)
    if text is not None:
        (labels / f"{stem}.txt").write_text(text)


@pytest.fixture
def root(cache: Path, tmp_path: Path) -> Path:
    root = tmp_path / "yolo"
    for split, count in {"train": 4, "val": 2, "test": 1}.items():
        for i in range(count):
            write_pair(root / "images" / split, root / "labels" / split, f"{split}{i}")
    (root / "data.yaml").write_text("names: {0: cat, 1: dog}\n")
    return root


def test_splits_inside_images_and_labels(root: Path) -> None:
    made = make_data_set("yolo", root=str(root), image_size=[40, 60])
    made.prepare()
    assert made.class_names() == ("cat", "dog")
    splits = load_all(made)
    assert {name: len(split) for name, split in splits.items()} == {"train": 4, "val": 2, "test": 1}
    batch = all_of(splits["val"])
    assert batch["boxes"][0].tolist() == [[0, 0, 30, 20], [30, 0, 60, 40]]
    assert batch["classes"][0].tolist() == [1, 0]


def test_images_and_labels_inside_splits(cache: Path, tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        write_pair(tmp_path / split / "images", tmp_path / split / "labels", split)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    made = make_data_set("yolo", root=str(tmp_path))
    assert {name: list(split.names or ()) for name, split in load_all(made).items()} == {
        "train": ["train.png"],
        "val": ["valid.png"],
        "test": ["test.png"],
    }


def test_without_splits_they_are_divided(cache: Path, tmp_path: Path) -> None:
    for i in range(20):
        write_pair(tmp_path / "images", tmp_path / "labels", f"p{i}")
    splits = load_all(make_data_set("yolo", root=str(tmp_path), classes=["cat", "dog"]))
    assert {name: len(split) for name, split in splits.items()} == {"train": 16, "val": 2, "test": 2}


def test_a_picture_without_a_label_file_shows_nothing(root: Path) -> None:
    (root / "labels" / "val" / "val0.txt").unlink()
    assert all_of(make_data_set("yolo", root=str(root)).load("val"))["classes"].tolist() == [[-1, -1], [1, 0]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 0.5 0.5 0.5", r"train1\.txt:3: expected 'class x y width height', found '0 0\.5 0\.5 0\.5'"),
        ("0 0.5 0.5 0.5 half", r"train1\.txt:3: expected 'class x y"),
        ("2 0.5 0.5 0.5 0.5", r"train1\.txt:3: class 2 is not among the 2 classes \(0 to 1\)"),
        ("0 15 10 30 20", r"train1\.txt:3: expected fractions"),
        ("0 0.5 0.5 0 0.5", r"train1\.txt:3: expected fractions"),
        ("0 nan 0.5 0.5 0.5", r"train1\.txt:3: expected fractions"),
    ],
)
def test_a_bad_line_is_named_with_its_number(root: Path, line: str, expected: str) -> None:
    (root / "labels" / "train" / "train1.txt").write_text(LABELS + line)
    with pytest.raises(InputError, match=expected):
        make_data_set("yolo", root=str(root)).prepare()


def test_other_mistakes(root: Path) -> None:
    def problem(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            make_data_set("yolo", root=str(folder)).prepare()
        return caught.value.lines[0]

    write_picture(root / "images" / "train" / "train1.jpg")
    assert "train1.jpg has the same name with another suffix" in problem(root) or "train1.png has the same" in problem(
        root
    )
    (root / "data.yaml").write_text("nc: 2\n")
    assert "data.yaml: has no 'names:'" in problem(root)
    (root / "data.yaml").unlink()
    assert "neither data.yaml nor classes.txt" in problem(root)
    (root / "classes.txt").write_text("cat\ndog\n")
    (root / "labels" / "val").rename(root / "labels" / "away")
    (root / "images" / "train" / "train1.jpg").unlink()
    assert "holds no folder val (it holds away, test, train)" in problem(root)
    (root / "images").rename(root / "photos")
    assert "expected images/ and labels/, or train/images/" in problem(root)


@pytest.mark.parametrize("wrong", ["{stem}.png.txt", "{stem}.TXT", "{upper}.txt", "{stem}_labels.txt"])
def test_labels_that_match_no_picture_are_refused_with_the_right_name(root: Path, wrong: str) -> None:
    for path in (root / "labels" / "train").iterdir():
        path.rename(path.with_name(wrong.format(stem=path.stem, upper=path.stem.upper())))
    name = wrong.format(stem="train0", upper="TRAIN0")
    with pytest.raises(
        InputError, match=rf"{name}: without a picture.* 4 of 4 label files; rename {name} to train0\.txt"
    ):
        make_data_set("yolo", root=str(root)).prepare()


def test_a_few_are_counted(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    labels = root / "labels" / "train"
    (labels / "train1.txt").rename(labels / "train1.png.txt")
    made = make_data_set("yolo", root=str(root))
    made.prepare()
    census = made.census()
    assert census is not None
    assert census.line() == (
        "1 picture without a label file, taken to show nothing; 7 label files: 6 used, 1 left out "
        "(1 without a picture of that name: rename train1.png.txt to train1.txt)"
    )
    assert "1 of 7 label files are left out" in caplog.text


def test_no_box_in_training_is_refused(root: Path) -> None:
    for path in (root / "labels" / "train").iterdir():
        path.write_text("\n")
    with pytest.raises(InputError, match=r"no box to train with"):
        make_data_set("yolo", root=str(root)).prepare()


def test_sub_folders_have_their_labels_in_sub_folders(root: Path) -> None:
    write_pair(root / "images" / "train" / "cam2", root / "labels" / "train" / "cam2", "train0")
    write_picture(root / "images" / "train" / ".thumbs" / "train0.png")
    write_picture(root / "images" / "more" / "x.png")
    made = make_data_set("yolo", root=str(root))
    split = made.load("train")
    assert list(split.names or ()) == ["cam2/train0.png", "train0.png", "train1.png", "train2.png", "train3.png"]
    assert (all_of(split)["classes"] >= 0).sum() == 10
    assert {(one.reason, one.count) for one in made.census().left_out("pictures")} == {  # type: ignore[union-attr]
        ("hidden", 1),
        ("in a folder that no split reads", 1),
    }


def test_folders_may_have_a_year(root: Path) -> None:
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (root / kind / split).rename(root / kind / f"{split}2017")
    assert {name: len(split) for name, split in load_all(make_data_set("yolo", root=str(root))).items()} == {
        "train": 4,
        "val": 2,
        "test": 1,
    }


@pytest.mark.parametrize(
    "settings",
    [
        "path: ../datasets/mine\ntrain: [images/train, images/more]\nval: images/val\ntest:\n",
        "train: ../images/train\nval: ../images/val\ntest: ../images/none\n",
        "path: /nowhere/mine\ntrain: train.txt\nval: /elsewhere/mine/images/val\n",
    ],
)
def test_settings_say_where_the_splits_are(root: Path, settings: str) -> None:
    write_pair(root / "images" / "more", root / "labels" / "more", "more")
    (root / "train.txt").write_text(
        "./images/train/train0.png\r\n/a/mine/images/train/train1.png\nimages/more/more.png\n"
    )
    (root / "data.yaml").write_bytes(b"\xef\xbb\xbf" + f"names: [no, 007]\nnc: 2\n{settings}".encode())
    made = make_data_set("yolo", root=str(root))
    made.prepare()
    assert made.class_names() == ("no", "007")
    expected = {"train: [": 5, "train: .": 4, "train: t": 3}
    count = next(count for word, count in expected.items() if word in settings)
    assert len(made.load("train")) == count and len(made.load("val")) == 2
    assert ((all_of(made.load("train"))["classes"] >= 0).sum(1) == 2).all()


def test_a_validation_that_is_the_training_is_held_out(root: Path) -> None:
    (root / "data.yaml").write_text("names: [a, b]\ntrain: images/train\nval: images/train\n")
    made = make_data_set("yolo", root=str(root))
    names = [name for split in load_all(made).values() for name in split.names or ()]
    assert sorted(names) == ["train0.png", "train1.png", "train2.png", "train3.png"], "each in one split"
    assert any("the pictures of train once more" in remark for remark in made.census().remarks)  # type: ignore[union-attr]
    (root / "data.yaml").write_text("names: [a, b]\ntrain: images\nval: images/val\n")
    with pytest.raises(InputError, match=r"val0\.png is in train as well \(2 such pictures\)"):
        make_data_set("yolo", root=str(root)).prepare()


def test_as_many_names_as_are_said(root: Path) -> None:
    (root / "data.yaml").write_text("names: [a, b]\nnc: 3\n")
    with pytest.raises(InputError, match=r"nc: 3, and 2 names"):
        make_data_set("yolo", root=str(root)).prepare()


OUTLINES = "1 0 0 1 0 1 0.5 0 0.5\n0 0.2 0.2 0.4 0.2 0.4 0.4 0.2 0.4\n0 0.5 0.5 0.5 0.5\n"


@pytest.fixture
def outlined(cache: Path, tmp_path: Path) -> Path:
    """Pictures 20×30: the upper half is a dog, with a cat of 4×6 in it; and a cat that is a box alone."""
    for i in range(10):
        write_pair(tmp_path / "images", tmp_path / "labels", f"p{i}", OUTLINES)
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    return tmp_path


def test_boxes_around_outlines(outlined: Path) -> None:
    data = make_data_set("yolo", root=str(outlined), image_size=[20, 30])
    batch = all_of(data.load("val"))
    assert batch["boxes"][0].tolist() == [[0, 0, 30, 10], pytest.approx([6, 4, 12, 8]), [7.5, 5, 22.5, 15]]
    assert batch["classes"][0].tolist() == [1, 0, 0]
    census = data.census()
    assert census is not None and "outlines in label files: the boxes around them are taken" in census.remarks


def test_outlines_as_masks(outlined: Path) -> None:
    data = make_data_set("yolo", root=str(outlined), image_size=[20, 30], target="mask")
    assert data.class_names() == ("background", "cat", "dog") and data.chosen() == ("mask",)
    expected = torch.zeros(20, 30, dtype=torch.uint8)
    expected[:10] = 2
    expected[4:8, 6:12] = 1
    assert all_of(data.load("val"))["mask"][0].equal(expected)
    census = data.census()
    assert census is not None and census.line() == (
        "30 objects: 20 used, 10 left out (10 that are boxes without an outline)"
    )


@pytest.mark.parametrize(
    ("names", "classes", "row"),
    [
        ("[cat, background]", None, [0, 0, 1, 0]),
        (None, ["background", "dog", "cow"], [2, 2, 1, 2]),
    ],
)
def test_the_numbers_of_classes_in_masks(
    names: str | None, classes: list[str] | None, row: list[int], outlined: Path
) -> None:
    (outlined / "data.yaml").unlink()
    if names:
        (outlined / "data.yaml").write_text(f"names: {names}\n")
    data = make_data_set("yolo", root=str(outlined), image_size=[20, 30], target="mask", classes=classes)
    assert all_of(data.load("val"))["mask"][0, 5, [0, 5, 8, 15]].tolist() == row


def test_what_is_no_mask(outlined: Path) -> None:
    with pytest.raises(InputError, match=r"data\.classes=\[background,cat,dog\]"):
        make_data_set("yolo", root=str(outlined), target="mask", classes=["cat", "dog"]).prepare()
    for path in (outlined / "labels").iterdir():
        path.write_text("0 0.5 0.5 0.5 0.5\n")
    with pytest.raises(InputError, match="no label file has an outline"):
        make_data_set("yolo", root=str(outlined), target="mask").prepare()


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.5 0.5 0.9", "0 0.1 0.1 0.2 0.2 0.3 0.3 0.4"])
def test_lines_of_other_numbers_are_refused(line: str, outlined: Path) -> None:
    (outlined / "labels" / "p0.txt").write_text(line)
    with pytest.raises(InputError, match=r"p0\.txt:1: expected .*, or an outline .*, found [57] numbers"):
        make_data_set("yolo", root=str(outlined)).prepare()


def test_the_points_of_a_pose_are_no_outline(outlined: Path) -> None:
    (outlined / "data.yaml").write_text("names: [cat, dog]\nkpt_shape: [4, 2]\n")
    for path in (outlined / "labels").iterdir():
        path.write_text("0 0.5 0.5 0.5 0.5 0.1 0.1 0.2 0.1 0.3 0.3 0.4 0.3\n")
    batch = all_of(make_data_set("yolo", root=str(outlined), image_size=[20, 30]).load("val"))
    assert batch["boxes"][0].tolist() == [[7.5, 5, 22.5, 15]]


def test_classes_in_another_order_go_by_their_names(root: Path) -> None:
    made = make_data_set("yolo", root=str(root), classes=["dog", "cat"])
    assert made.class_names() == ("dog", "cat")
    assert all_of(made.load("val"))["classes"][0].tolist() == [0, 1], "a dog and a cat, 1 and 0 in the file"
    with pytest.raises(
        InputError, match=r"^data\.classes: no 'Cat' in the data, .*yolo has cat, dog; did you mean cat\?$"
    ):
        make_data_set("yolo", root=str(root), classes=["Cat", "dog"]).prepare()
    with pytest.raises(InputError, match=r"0\.txt: the class 'cat' is not among dog; a class has to be in"):
        make_data_set("yolo", root=str(root), classes=["dog"]).prepare()


def test_no_class_or_one_twice(root: Path) -> None:
    (root / "data.yaml").write_text("names: []\n")
    with pytest.raises(InputError, match=r"yolo: no class in it, so there is nothing to learn"):
        make_data_set("yolo", root=str(root)).prepare()
    (root / "data.yaml").write_text("names: [cat, cat]\n")
    with pytest.raises(InputError, match=r"yolo: names the class 'cat' more than once"):
        make_data_set("yolo", root=str(root)).prepare()


def test_a_class_that_only_validation_shows(root: Path) -> None:
    for path in (root / "labels" / "train").glob("*.txt"):
        path.write_text("0 0.75 0.5 0.5 1\n")
    with pytest.raises(InputError, match=r"yolo: val shows dog, which no training sample does"):
        make_data_set("yolo", root=str(root)).refuse_untaught()
