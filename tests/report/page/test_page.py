"""The page in a real browser: read, clicked through, and attacked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from cnnexp.report.comparison import Runs
from cnnexp.report.examples import predictions_of
from cnnexp.report.page.content import page_of_run, page_of_runs
from cnnexp.report.page.worst import worst_mistakes
from cnnexp.report.page.write import write_page
from cnnexp.runs.find import find_runs
from cnnexp.runs.read import read_record, read_records
from tests.report.page.chromium import Page, browser
from tests.report.page.conftest import EVIL, MakeFolder

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser for all tests of this file."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def opened(page: Page, outputs: Path, file: Path) -> Page:
    page.complaints.clear()
    page.open(write_page(page_of_runs(Runs(read_records(find_runs([outputs])))), file))
    return page


def column(page: Page, number: int) -> list[str]:
    return page.texts(f"#runs tbody td:nth-child({number})")


def heads(page: Page) -> list[str]:
    return [text.rstrip("↕↑↓ ") for text in page.texts("#runs thead th")]


def test_the_page_shows_every_run_and_asks_the_network_for_nothing(
    page: Page, three_tasks: Path, tmp_path: Path
) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    assert heads(page)[:3] == ["curves", "run", "status"]
    statuses = column(page, 3)
    assert sorted(statuses) == ["damaged", "failed", "finished", "finished", "finished", "finished"]
    assert page.texts("h1") == ["6 runs"]
    address = (tmp_path / "page.html").as_uri()
    assert [one for one in page.requests if not one.startswith("data:")] == [address]
    assert page.complaints == []


def test_a_column_is_sorted_by_its_value_both_ways(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    place = heads(page).index("score")
    page.click("#runs th button", place - 1)
    down = [text for text in column(page, place + 1) if text != "-"]
    assert down == ["0.9400", "0.9000", "0.8600", "0.8100", "0.5500"], "the best score comes first"
    page.click("#runs th button", place - 1)
    assert [text for text in column(page, place + 1) if text != "-"] == down[::-1]
    assert column(page, place + 1)[-1] == "-", "what has no score comes last both ways"
    assert page.evaluate("document.querySelectorAll('#runs th[aria-sort=ascending]').length") == 1


def test_words_leave_the_rows_that_hold_them(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    page.click("input[type=search]")
    page.type("lenet5 finished")
    assert len(column(page, 2)) == 2
    assert page.texts("#count") == ["2 of 6 runs"]


def test_curves_come_and_go_with_their_boxes(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    lines = "document.querySelectorAll('#curves svg path').length"
    before = page.evaluate(lines)
    assert before >= 4
    assert len(page.texts("#legend li")) == 5, "the damaged run has no curves"
    page.click("#runs input[type=checkbox]", 0)
    assert page.evaluate(lines) < before
    assert len(page.texts("#legend li")) == 4
    page.click("#runs input[type=checkbox]", 0)
    assert page.evaluate(lines) == before
    assert page.evaluate("document.querySelectorAll('#runs input')[5].disabled") is True


def test_the_mouse_over_a_curve_tells_its_values(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    middle = page.evaluate(
        "(() => { const e = document.querySelector('#curves svg'); e.scrollIntoView({block: 'center'}); "
        "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
    )
    page.move(*middle)
    page.until("!document.querySelector('#curves .tip').hidden")
    told = page.texts("#curves .tip")[0]
    assert told.startswith("epoch 3")
    assert "0.36667" in told, "1.1 / 3 is the validation loss of epoch 3"


def test_two_runs_show_where_they_differ(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    rows = page.texts("#differences tbody tr")
    keys = [row.split("\t")[1] for row in rows]
    assert {"seed", "optimizer.lr", "test/accuracy"} <= set(keys)
    assert "optimizer" not in keys
    page.evaluate(
        "(() => { const s = document.querySelector('select[aria-label=B]'); s.value = '0'; "
        "s.dispatchEvent(new Event('change')); })()"
    )
    assert page.texts("#differences tbody tr") == []


def test_a_run_is_opened_by_its_name_with_its_confusion_matrix_and_pictures(
    page: Page, three_tasks: Path, tmp_path: Path
) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    page.click("#runs .link", 1)
    assert page.texts(".matrix tbody td") == ["6", "", "", "", "", "1", "", "", "1"]
    assert page.evaluate(
        "(() => { const range = document.createRange(); const ends = [...document.querySelectorAll('.matrix thead th')]"
        ".map(head => { range.selectNodeContents(head); return range.getBoundingClientRect().bottom; });"
        " return Math.max(...ends) <= document.querySelector('.matrix tbody').getBoundingClientRect().top; })()"
    ), "names stand above the matrix"
    assert page.evaluate("document.querySelector('#details figure img').naturalWidth") == 60
    page.click("#runs .link", 2)
    assert page.texts(".matrix") == []
    assert "miou" in page.texts("#details .metrics")[0]


def test_a_report_of_one_run(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    record = read_record(three_tasks / "20261121-093105-lenet5-mnist5k-aaaa")
    found = worst_mistakes(predictions_of(record.folder))
    worst = {
        "mistakes_title": found.title,
        "mistakes": [{"said": one.said, "name": one.name, "source": None, "wide": False} for one in found.mistakes],
        "mistakes_note": found.note,
    }
    page.open(write_page(page_of_run(record, worst), tmp_path / "report.html"))
    headings = page.texts("h2")
    assert headings == [
        "Result", "Learning curves", "By class", "Confusion matrix", "Worst mistakes",
        "Samples of the test", "Predictions", "Command", "Environment", "Settings",
    ]  # fmt: skip
    assert page.texts(".gallery figcaption") == ["2 (0.80), is 1\nfile6"]
    assert page.texts("pre") == ["cnnexp train model=lenet5"]
    assert page.complaints == []


def test_a_text_that_was_mistaken_is_read_and_taken_for_no_markup(
    page: Page, three_tasks: Path, tmp_path: Path
) -> None:
    record = read_record(three_tasks / "20261121-093105-lenet5-mnist5k-aaaa")
    said = "who wrote <b>hamlet</b> ?\nwhere is denver ?"
    worst = {
        "mistakes_title": "Worst mistakes",
        "mistakes": [{"said": "human (0.80), is location", "name": "test/7", "written": said, "wide": True}],
        "mistakes_note": "",
    }
    page.open(write_page(page_of_run(record, worst), tmp_path / "report.html"))
    assert page.texts(".gallery blockquote") == [said.replace("\n", " ")]
    assert page.texts(".gallery img") == [] and page.complaints == []


def test_the_bars_of_the_classes_begin_at_one_place_and_are_as_long_as_the_figures_say(
    page: Page, make_folder: MakeFolder, tmp_path: Path
) -> None:
    folder = make_folder("20261121-093105-lenet5-mnist5k-aaaa")
    figures = {"airplane": 0.9, "automobile": 0.87654, "cat": 0.05, "frog": 1.0}
    content = json.loads((folder / "summary.json").read_text())
    content["per_class"] = {"test/accuracy": figures, "test/iou": {"airplane": 0.5, "cat": 0.7125}}
    (folder / "summary.json").write_text(json.dumps(content))
    page.open(write_page(page_of_run(read_record(folder), {}), tmp_path / "report.html"))
    assert page.texts(".classes td:nth-child(2)") == ["0.9000", "0.8765", "0.0500", "1.0000"]
    assert page.texts(".classes td:nth-child(4)") == ["0.5000", "–", "0.7125", "–"]
    for cell, values in ((3, [0.9, 0.87654, 0.05, 1.0]), (5, [0.5, 0.7125])):
        bars = page.evaluate(
            f"[...document.querySelectorAll('.classes td:nth-child({cell}) .bar')]"
            ".map(e => e.getBoundingClientRect()).map(r => [r.left, r.width])"
        )
        assert len({left for left, _ in bars}) == 1
        assert [width for _, width in bars] == pytest.approx([90 * value for value in values], abs=0.1)
    assert page.evaluate("document.querySelectorAll('.classes .weakest').length") == 2


def test_nothing_of_a_strangers_run_is_executed_styled_or_fetched(page: Page, hostile: Path, tmp_path: Path) -> None:
    opened(page, hostile, tmp_path / "page.html")
    for place in range(len(EVIL)):
        page.click("#runs .link", place)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.scripts.length") == 2
    assert (
        page.evaluate("document.querySelectorAll('main script, main style, main iframe, main svg[onload]').length") == 0
    )
    assert page.evaluate("document.querySelectorAll('style').length") == 1
    assert [one for one in page.requests if not one.startswith(("data:", "file:"))] == []
    assert "<script>window.hacked = 1</script>" in "".join(page.texts("#runs tbody"))
    assert "\u202e" not in page.evaluate("document.body.innerText")
    for folder in find_runs([hostile]):
        record = read_record(folder)
        page.open(write_page(page_of_run(record, {}), tmp_path / "report.html"))
        assert page.evaluate("window.hacked") is None
    assert [one for one in page.complaints if "Content Security Policy" in one] == []


def test_the_policy_stops_what_escaping_would_miss(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_page(page_of_runs(Runs(read_records(find_runs([three_tasks])))), file)
    attack = "<script>window.hacked=1</script><img src='https://example.org/x.png' onerror='window.hacked=1'>"
    file.write_text(file.read_text().replace('<main id="page">', f'{attack}<main id="page">'))
    page.complaints.clear()
    page.open(file)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in one for one in page.complaints)
    assert page.stopped == ["https://example.org/x.png"]
    assert not [one for one in page.requests if one.startswith("https:")]
    page.complaints.clear()


def test_the_page_is_drawn_in_colour(page: Page, three_tasks: Path, tmp_path: Path) -> None:
    opened(page, three_tasks, tmp_path / "page.html")
    with Image.open(page.screenshot(tmp_path / "page.png")) as image:
        assert image.width >= 1200
        colours = {colour for _, colour in image.convert("RGB").getcolors(10_000_000) or []}
    assert {(0, 114, 178), (213, 94, 0)} <= colours, "the first two runs' curves"


def test_it_begins_with_runs_that_scored_however_the_table_begins(
    page: Page, three_tasks: Path, tmp_path: Path
) -> None:
    (three_tasks / "20261121-093105-lenet5-mnist5k-aaaa" / "run.json").write_text("{")
    opened(page, three_tasks, tmp_path / "page.html")
    assert column(page, 3)[0] == "damaged"
    chosen = page.evaluate("[...document.querySelectorAll('select')].map((one) => one.selectedOptions[0].text)")
    assert [text.split()[0] for text in chosen] == ["20261121-093205", "20261121-093305", "20261121-093205"]
    assert "accuracy" in page.texts("#details td")
