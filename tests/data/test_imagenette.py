from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.base import Split
from cnnexp.data.imagenette import COUNTS, IMAGENET_LABELS, SYNSETS
from cnnexp.errors import InputError
from tests.data.test_archives import tar_of
from tests.data.tiny import BLUE, RED, all_of, load_all, make_data_set, measured, read_conf, write_picture


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("imagenette"))


def test_facts(splits: dict[str, Split]) -> None:
    """A mirror may hold a part of the photographs."""
    counts = {}
    for name, split in splits.items():
        labels = split.labels_for_strata()
        assert labels is not None
        counts[name] = labels.bincount(minlength=10)
        assert split.batch([0])["image"].shape == (1, 3, 224, 224)
    assert 0 < len(splits["test"]) <= COUNTS["val"]
    total = len(splits["train"]) + len(splits["val"])
    assert 0 < total <= COUNTS["train"]
    assert len(splits["val"]) == round(total / 10)
    assert ((counts["train"] - 9 * counts["val"]).abs() <= 10).all()
    names = [name for split in splits.values() for name in split.names or ()]
    assert len(set(names)) == total + len(splits["test"])


def test_mean_and_std_are_those_of_the_training_pictures(splits: dict[str, Split]) -> None:
    train = splits["train"]
    if len(train) != 900:
        pytest.skip("the figures are of a mirror with 100 photographs of each class")
    mean, std = measured(all_of(train)["image"])
    stated = read_conf("imagenette")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-4)  # JPEG decoders differ a little
    assert std == pytest.approx(stated["std"], abs=6e-4)


def test_the_names_are_those_of_the_same_classes_in_imagenet() -> None:
    from torchvision.models import ResNet18_Weights

    names = ResNet18_Weights.DEFAULT.meta["categories"]
    assert [names[label] for label in IMAGENET_LABELS] == read_conf("imagenette")["data"]["classes"]


def mirror_of(folder: Path, synsets: tuple[str, ...]) -> str:
    files = {}
    for part in ("train", "val"):
        for number, synset in enumerate(synsets):
            for i in range(4):
                picture = write_picture(folder / "p.png", RED if number else BLUE, (8, 8))
                files[f"imagenette2/{part}/{synset}/{i}.png"] = picture.read_bytes()
    (folder / "mirror").mkdir()
    tar_of(folder / "mirror" / "imagenette2-subset.tar", **files)
    return str(folder / "mirror")


def test_labels_follow_the_folders(cache: Path, tmp_path: Path) -> None:
    made = make_data_set("imagenette", mirror=mirror_of(tmp_path, SYNSETS), image_size=[8, 8])
    assert {name: len(split) for name, split in load_all(made).items()} == {"train": 36, "val": 4, "test": 40}
    test = all_of(made.load("test"))
    assert (test["image"][test["label"] == 0][:, 2] > 200).all()
    assert (test["image"][test["label"] > 0][:, 0] > 200).all()


def test_a_thinned_copy_is_counted_against_what_was_published(cache: Path, tmp_path: Path) -> None:
    census = make_data_set("imagenette", mirror=mirror_of(tmp_path, SYNSETS), image_size=[8, 8]).census()
    assert census is not None and census.remarks == ["80 of the 13,394 published photographs of imagenette"]
    assert (census.used("pictures"), census.line()) == (80, "")


def test_a_class_without_photographs(cache: Path, tmp_path: Path) -> None:
    made = make_data_set("imagenette", mirror=mirror_of(tmp_path, SYNSETS[:9]), image_size=[8, 8])
    made_download_fails = "no photographs"
    with pytest.raises(InputError, match=made_download_fails):
        made.prepare()
