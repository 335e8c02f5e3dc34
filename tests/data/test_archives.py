from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from cnnexp.data.archives import unpack
from cnnexp.inputs.corrupt import CorruptFile


def tar_of(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def zip_of(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def special(path: Path, kind: bytes, target: str = "") -> Path:
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("inside")
        info.type, info.linkname = kind, target
        tar.addfile(info)
    return path


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_files_come_out_as_they_went_in(tmp_path: Path, pack: object) -> None:
    archive = pack(tmp_path / "a.pack", **{"top/a.txt": b"one", "top/deep/b.bin": b"\0" * 5000})  # type: ignore[operator]
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/top/a.txt").read_bytes() == b"one"
    assert (tmp_path / "out/top/deep/b.bin").read_bytes() == b"\0" * 5000


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil"])
def test_a_path_out_of_the_archive_is_refused(tmp_path: Path, pack: object, name: str) -> None:
    archive = pack(tmp_path / "a.pack", **{name: b"x"})  # type: ignore[operator]
    with pytest.raises(CorruptFile, match="leads out of the archive; refused"):
        unpack(archive, tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = special(tmp_path / "a.tar", kind, "/etc/passwd")
    with pytest.raises(CorruptFile, match="inside is a link or a device; refused"):
        unpack(archive, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("inside")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(CorruptFile, match="link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_permissions_are_not_taken_over(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        info = tarfile.TarInfo("run.sh")
        info.mode = 0o6777
        tar.addfile(info)
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize("cut", [0, 40, 1000])
def test_half_an_archive_is_refused(tmp_path: Path, cut: int) -> None:
    whole = tar_of(tmp_path / "a.tar.gz", **{f"{i}.txt": bytes(range(256)) * (i + 1) for i in range(40)})
    assert whole.stat().st_size > 1000 + cut // 2
    whole.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(CorruptFile, match="not a whole archive"):
        unpack(whole, tmp_path / "out")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", **{"a.txt": b"x" * 100})
    content = bytearray(whole.read_bytes())
    content[content.index(b"xxxx") + 5] ^= 1
    whole.write_bytes(content)
    with pytest.raises(CorruptFile, match="not a whole archive"):
        unpack(whole, tmp_path / "out")


def test_an_archive_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", **{"a": b"x" * 600, "b": b"x" * 600})
    with pytest.raises(CorruptFile, match="unpacks to more than"):
        unpack(archive, tmp_path / "out", most_bytes=1199)
    unpack(archive, tmp_path / "whole", most_bytes=1200)
    assert (tmp_path / "whole" / "b").stat().st_size == 600


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("a.txt"))
    with pytest.raises(CorruptFile, match="same name twice"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
