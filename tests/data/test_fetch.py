from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cnnexp.data import fetch
from cnnexp.data.fetch import Download, addresses, cache_folder, ensure, fingerprint, obtain, split_mirrors
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from tests.data.conftest import Server
from tests.data.test_archives import tar_of

GOOD = b"as published"


def read(path: Path) -> bytes:
    content = path.read_bytes()
    if content != GOOD:
        raise CorruptFile(f"{path.name}: not as published")
    return content


def read_folder(folder: Path) -> bytes:
    return read(folder / "top" / "a.txt")


@pytest.fixture
def file(server: Server) -> Download:
    """Its publisher is the server, under /publisher/."""
    return Download("set", ("a.gz",), f"{server.url}/publisher/a.gz", archive=False, instead="data=mnist5k")


@pytest.fixture
def archive(server: Server, tmp_path: Path) -> Download:
    packed = tar_of(tmp_path / "packed.tgz", **{"top/a.txt": GOOD, "top/b.txt": b"more"}).read_bytes()
    server.files["/publisher/a.tar.gz"] = packed
    url = f"{server.url}/publisher/a.tar.gz"
    md5 = hashlib.md5(packed).hexdigest()
    return Download("set", ("a.tar.gz", "a.tar"), url, archive=True, instead="data=digit_scenes", md5=md5)


def visible(folder: Path) -> list[str]:
    """What a fetch left in the cache, without lock files."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_fetched_once_and_read_from_the_cache_after(cache: Path, server: Server, file: Download) -> None:
    server.files["/publisher/a.gz"] = GOOD
    assert obtain(file, None, read) == GOOD
    assert obtain(file, None, read) == GOOD
    ensure(file, None, read)
    assert server.asked == ["/publisher/a.gz"]
    assert visible(cache) == ["a.gz"]


def test_mirrors_are_asked_first_in_their_order(
    cache: Path, server: Server, file: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/two/a.gz"] = GOOD
    monkeypatch.setenv("CNNEXP_DATA_MIRROR", f"{tmp_path}/none{os.pathsep}{server.url}/two")
    assert obtain(file, f"{server.url}/one", read) == GOOD
    assert server.asked == ["/one/set/a.gz", "/one/a.gz", "/two/set/a.gz", "/two/a.gz"]


def test_a_folder_serves_as_mirror(cache: Path, server: Server, file: Download, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "set").mkdir(parents=True)
    (tmp_path / "mirror" / "set" / "a.gz").write_bytes(GOOD)
    assert obtain(file, str(tmp_path / "mirror"), read) == GOOD
    assert server.asked == []


def test_a_corrupt_mirror_is_passed_over(cache: Path, server: Server, file: Download) -> None:
    server.files |= {"/m/set/a.gz": b"wrong", "/publisher/a.gz": GOOD}
    assert obtain(file, f"{server.url}/m", read) == GOOD


def test_corrupt_everywhere_names_the_file_and_leaves_nothing(cache: Path, server: Server, file: Download) -> None:
    server.files["/publisher/a.gz"] = b"wrong"
    with pytest.raises(InputError, match=r"a\.gz could not be had: tried .*corrupt: a\.gz: not as published") as caught:
        obtain(file, None, read)
    assert len(caught.value.lines) == 1
    assert visible(cache) == []


def test_a_corrupt_cached_file_is_fetched_again_once(cache: Path, server: Server, file: Download) -> None:
    server.files["/publisher/a.gz"] = GOOD
    obtain(file, None, read)
    file.place.write_bytes(b"rotten")
    assert obtain(file, None, read) == GOOD
    assert len(server.asked) == 2


def test_out_of_reach_names_what_was_tried_and_what_would_run(
    cache: Path, file: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNEXP_DATA_MIRROR", str(tmp_path / "none"))
    away = replace(file, url="http://127.0.0.1:9/a.gz")
    with pytest.raises(InputError) as caught:
        obtain(away, None, read)
    (line,) = caught.value.lines
    assert f"{tmp_path}/none/set/a.gz (not there); http://127.0.0.1:9/a.gz (cannot connect)" in line
    assert line.endswith("or run without a network: data=mnist5k")
    assert visible(cache) == []


def test_an_archive_is_unpacked_and_not_kept(cache: Path, server: Server, archive: Download) -> None:
    assert obtain(archive, None, read_folder) == GOOD
    assert visible(cache) == [".sizes.json", "a.txt", "b.txt"]
    assert archive.place == cache / "set" / "unpacked"


def test_the_publishers_archive_must_have_its_md5(
    cache: Path, server: Server, archive: Download, tmp_path: Path
) -> None:
    server.files["/publisher/a.tar.gz"] = tar_of(tmp_path / "b.tgz", **{"top/a.txt": GOOD}).read_bytes()
    with pytest.raises(InputError, match="its md5 is not"):
        obtain(archive, None, read_folder)
    assert visible(cache) == []


def test_a_mirrors_archive_is_judged_by_its_content(
    cache: Path, server: Server, archive: Download, tmp_path: Path
) -> None:
    seen = []
    repacked = replace(archive, verify=lambda folder: seen.append((folder / "top" / "a.txt").read_bytes()))
    server.files["/m/a.tar"] = tar_of(tmp_path / "b.tgz", **{"top/a.txt": GOOD}).read_bytes()
    for _ in range(2):
        assert obtain(repacked, f"{server.url}/m", read_folder) == GOOD
    assert seen == [GOOD]  # once, when it arrived


def test_an_evil_archive_is_refused(cache: Path, server: Server, archive: Download, tmp_path: Path) -> None:
    evil = tar_of(tmp_path / "b.tgz", **{"../../evil": b"x", "top/a.txt": GOOD})
    server.files["/publisher/a.tar.gz"] = evil.read_bytes()
    with pytest.raises(InputError, match="leads out of the archive"):
        obtain(replace(archive, md5=None), None, read_folder)
    assert not list(tmp_path.rglob("evil"))
    assert visible(cache) == []


@pytest.mark.parametrize("damage", ["cut", "removed", "list"])
def test_a_damaged_folder_is_fetched_again(cache: Path, server: Server, archive: Download, damage: str) -> None:
    obtain(archive, None, read_folder)
    other = archive.place / "top" / "b.txt"  # a file that read_folder does not look at
    if damage == "cut":
        other.write_bytes(b"m")
    elif damage == "removed":
        other.unlink()
    else:
        (archive.place / ".sizes.json").write_text("{")
    assert obtain(archive, None, read_folder) == GOOD
    assert other.read_bytes() == b"more"
    assert len(server.asked) == 2


def test_halves_of_a_killed_process_are_cleared_away(cache: Path, server: Server, archive: Download) -> None:
    (cache / "set" / ".unpacked.12ab34cd" / "top").mkdir(parents=True)
    (cache / "set" / ".a.tar.gz.12ab34cd.partial").write_bytes(b"half")
    obtain(archive, None, read_folder)
    assert sorted(path.name for path in (cache / "set").iterdir()) == ["unpacked", "unpacked.lock"]


def test_two_at_once_download_once(cache: Path, server: Server, file: Download) -> None:
    server.files["/publisher/a.gz"] = GOOD
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(obtain(file, None, read))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [GOOD] * 4
    assert server.asked == ["/publisher/a.gz"]


def test_a_process_waits_for_another(cache: Path, server: Server, file: Download) -> None:
    server.files["/publisher/a.gz"] = GOOD
    program = (
        "import sys; from pathlib import Path; from cnnexp.data.fetch import Download, obtain\n"
        f"file = Download('set', ('a.gz',), {file.url!r}, archive=False, instead='')\n"
        "sys.stdout.write(obtain(file, None, Path.read_bytes).decode())"
    )
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == [GOOD.decode()] * 2
    assert server.asked == ["/publisher/a.gz"]


def test_a_cache_that_cannot_be_written_is_bad_input(
    server: Server, file: Download, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(tmp_path / "taken"))
    with pytest.raises(InputError, match="name another folder in CNNEXP_DATA_DIR"):
        obtain(file, None, read)


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("CNNEXP_DATA_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert "cnnexp" in cache_folder().parts


@pytest.mark.skipif(os.pathsep != ":", reason="only there does the separator occur in URLs")
def test_mirrors_between_commas_and_colons() -> None:
    assert split_mirrors(None) == split_mirrors("") == []
    assert split_mirrors("/a:/b, /c") == ["/a", "/b", "/c"]
    mixed = "http://host:8000/m:/b:https://other,s3://bucket/x"
    assert split_mirrors(mixed) == ["http://host:8000/m", "/b", "https://other", "s3://bucket/x"]


def test_every_name_is_looked_for_in_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(fetch.MIRROR_VARIABLE, raising=False)
    download = Download("set", ("a", "b"), "http://publisher/a", archive=False, instead="")
    assert addresses(download, "/m") == ["/m/set/a", "/m/a", "/m/set/b", "/m/b", "http://publisher/a"]


def test_the_fingerprint_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    before = fingerprint(tmp_path)
    (tmp_path / "b").write_bytes(b"3")
    changed = fingerprint(tmp_path)
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "b").rename(tmp_path / "c")
    assert len({before, changed, fingerprint(tmp_path)}) == 3
