from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.report.comparison import Runs
from cnnexp.report.page import content as page_content
from cnnexp.report.page.content import details_of, page_of_runs
from cnnexp.report.page.pictures import embedded
from cnnexp.report.page.worst import worst_mistakes
from cnnexp.report.page.write import policy, write_page
from cnnexp.runs.find import find_runs
from cnnexp.runs.read import read_record, read_records
from tests.report.page.conftest import MakeFolder


def data_of(file: Path) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', file.read_text(), re.DOTALL)
    return json.loads(text)


def test_text_of_a_run_is_no_markup_anywhere_in_the_file(hostile: Path, tmp_path: Path) -> None:
    file = write_page(page_of_runs(Runs(read_records(find_runs([hostile])))), tmp_path / "page.html")
    text = file.read_text()
    assert text.count("<script") == 2 and text.count("</script>") == 2
    assert "<img" not in text and "<svg" not in text and "<!--" not in text
    assert "\u202e" not in text
    assert "<script>window.hacked = 1</script>" in json.dumps(data_of(file))


def test_the_policy_names_the_two_texts_and_nothing_else() -> None:
    said = policy("a {}", "x()")
    assert said.startswith("default-src 'none'; img-src data:; media-src data:; style-src 'sha256-")
    assert "unsafe" not in said and "http" not in said
    assert policy("a {}", "x()") != policy("a {}", "y()")


def test_curves_confusion_and_figures(make_folder: MakeFolder) -> None:
    found = details_of(read_record(make_folder("20261121-093105-a")), pictures=True)
    assert found["curves"]["loss"]["val"] == [[1, 1.1], [2, 0.55], [3, 0.366667], [4, 0.275], [5, 0.22]]
    assert found["confusion"] == {"classes": ["airplane", "1", "2"], "counts": [[6, 0, 0], [0, 0, 1], [0, 0, 1]]}
    assert found["facts"] == {"parameters": "61,706", "time": "12 s"}
    assert found["environment"]["code"] == "abc123"
    assert len(found["pictures"]) == 1


def test_a_run_that_has_nothing_is_shown_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "20261121-093105-x"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    found = page_of_runs(Runs([read_record(folder)]))
    assert found["runs"][0]["status"] == "damaged"
    assert found["runs"][0]["curves"] == {}


def test_only_so_many_runs_are_shown_in_detail(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(4):
        make_folder(f"20261121-09310{place}-a", seed=place)
    monkeypatch.setattr(page_content, "MOST_DETAILED", 2)
    found = page_of_runs(Runs(read_records(find_runs([tmp_path / "outputs"]))))
    assert [run["detailed"] for run in found["runs"]] == [True, True, False, False]
    assert "first 2 runs" in found["notes"][0]
    monkeypatch.setattr(page_content, "MOST_PICTURE_BYTES", 1)
    again = page_of_runs(Runs(read_records(find_runs([tmp_path / "outputs"]))))
    assert [len(run.get("pictures", [])) for run in again["runs"]] == [1, 0, 0, 0]


def test_pictures_are_png_and_no_links(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("20261121-093105-a")
    (folder / "pictures" / "samples.png").write_text("<svg onload=x>")
    (tmp_path / "secret.png").write_bytes((folder / "pictures" / "predictions.png").read_bytes())
    (folder / "pictures" / "reconstructions.png").symlink_to(tmp_path / "secret.png")
    assert [one["name"] for one in embedded(folder)] == ["predictions"]
    (folder / "pictures").rename(tmp_path / "elsewhere")
    (folder / "pictures").symlink_to(tmp_path / "elsewhere")
    assert embedded(folder) == []


def test_a_large_picture_becomes_a_jpeg_and_a_bomb_nothing(make_folder: MakeFolder) -> None:
    folder = make_folder("20261121-093105-a")
    path = folder / "pictures" / "predictions.png"
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    (one,) = embedded(folder)
    kind, _, content = one["source"].partition(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(BytesIO(base64.b64decode(content))) as image:
        assert image.size == (400, 400)
    bomb = Image.new("1", (20_000, 20_000))
    bomb.save(path, compress_level=0)
    assert path.stat().st_size > 200_000
    assert embedded(folder) == []


def test_the_surest_mistakes_come_first() -> None:
    rows = [
        {"index": "0", "file": "a", "target": "cat", "prediction": "dog", "probability": "0.6"},
        {"index": "1", "file": "b", "target": "cat", "prediction": "cat", "probability": "0.9"},
        {"index": "2", "file": "c", "target": "dog", "prediction": "cat", "probability": "0.8"},
    ]
    found = worst_mistakes(rows)
    assert [(one.index, one.said, one.name) for one in found.mistakes] == [
        (2, "cat (0.80), is dog", "c"),
        (0, "dog (0.60), is cat", "a"),
    ]
    assert found.note.startswith("2 of 3 test pictures are wrong")


@pytest.mark.parametrize(("column", "worst"), [("mse", 1), ("pixel_accuracy", 0), ("psnr", 0)])
def test_the_worst_scores_come_first(column: str, worst: int) -> None:
    rows = [{"index": str(place), column: value} for place, value in enumerate(["0.1", "0.9", "0.5"])]
    found = worst_mistakes(rows)
    assert found.mistakes[0].index == worst
    assert found.drawn


def test_boxes_have_no_worst_picture() -> None:
    found = worst_mistakes([{"index": "0", "prediction": "RBC", "score": "0.9"}])
    assert found.mistakes == () and "no score of single pictures" in found.note
