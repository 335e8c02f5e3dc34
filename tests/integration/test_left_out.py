"""A run says what of a folder it left out, and refuses labels that belong to no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.tiny import write_class_folders, write_picture
from tests.integration.conftest import CommandLine

pytestmark = pytest.mark.integration


def test_a_run_says_what_is_left_out_and_keeps_it(
    cnnexp: CommandLine, tmp_path: Path, only_run: Callable[[], Path]
) -> None:
    write_class_folders(tmp_path / "pets", 10)
    (tmp_path / "pets" / "dog" / "a.psd").write_bytes(b"x")
    write_picture(tmp_path / "pets" / "dog" / ".thumbs" / "a.png")
    words = ("data.root=pets", "data.image_size=[8,8]", "batch_size=4", "max_steps=1", "hardware.threads=1")
    done = cnnexp("train", "model=linear", "data=image_folder", *words)
    assert done.status == 0, done.err
    line = "22 pictures: 20 used, 2 left out (1 hidden, 1 PSD: save them as PNG or JPEG)"
    assert line in done.out and line in (only_run() / "log.txt").read_text()


def test_a_picture_that_is_linked_into_two_classes_is_named(here: CommandLine, tmp_path: Path) -> None:
    write_class_folders(tmp_path / "pets", 10)
    write_picture(tmp_path / "pets" / "cat" / "odd.png", (1, 2, 3))
    (tmp_path / "pets" / "dog" / "odd.png").symlink_to(tmp_path / "pets" / "cat" / "odd.png")
    words = ("data.root=pets", "data.image_size=[8,8]", "batch_size=4", "max_steps=1", "hardware.threads=1")
    done = here("train", "model=linear", "data=image_folder", *words)
    assert done.status == 0, done.err
    line = "1 picture stands in two classes, the same to the bit: cat/odd.png and dog/odd.png; remove the wrong one"
    assert line in " ".join(done.out.split())


def test_labels_of_no_picture_are_bad_input(here: CommandLine, tmp_path: Path) -> None:
    for i in range(12):
        write_picture(tmp_path / "d" / "images" / f"{i}.jpg")
        label = tmp_path / "d" / "labels" / f"{i}.jpg.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 0.5 0.5 0.2 0.2\n")
    done = here("train", "model=yolo", "data=yolo", "data.root=d", "data.classes=[cell]", "data.image_size=[64,64]")
    assert done.status == 2
    (line,) = done.lines
    assert line.endswith("12 of 12 label files; rename 0.jpg.txt to 0.txt")
