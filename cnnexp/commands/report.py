"""``cnnexp report``: one run as a page for a browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_run
from cnnexp.commands.files import check_file, writing
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from cnnexp.report.page.worst import Mistakes
    from cnnexp.runs.read import Record

_MOST_LETTERS = 600
"""Of a text; a review would fill the page."""
EXAMPLE = "cnnexp report last\n  cnnexp report last --html lenet5.html --quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--html", metavar="FILE", help="the page to write [report.html in the run's folder]")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="without the net's profile and the worst mistakes as pictures, which need the net, data and weights",
    )
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help="allow classes of this package")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print where it is.

    Raises:
        InputError: there is no such run, its record is damaged, or the page cannot be written there.
    """
    from cnnexp.report.page.content import page_of_run
    from cnnexp.report.page.write import write_page
    from cnnexp.runs.find import open_run
    from cnnexp.runs.read import refuse_links

    check_file("html", arguments.html)
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    if arguments.html is None:
        refuse_links(record.folder)
    path = Path(arguments.html) if arguments.html else record.folder / "report.html"
    content = page_of_run(record, {**_worst(record, arguments), **_profile(record, arguments)})
    with writing("html", path):
        print(write_page(content, path))
    return 0


def _worst(record: Record, arguments: argparse.Namespace) -> dict[str, Any]:
    """The worst mistakes, as pictures where they can be had."""
    from cnnexp.report.examples import predictions_of
    from cnnexp.report.notation import sample_noun
    from cnnexp.report.page.worst import worst_mistakes

    rows = predictions_of(record.folder)
    if not rows:
        return {}
    found = worst_mistakes(rows, sample_noun(record.summary))
    quick = arguments.quick or not found.mistakes
    shown, note = ([], "") if quick else _shown(record, found, arguments.trust)
    return {
        "mistakes_title": found.title,
        "mistakes": [
            {"said": one.said, "name": one.name, **(shown[place] if shown else {})}
            for place, one in enumerate(found.mistakes)
        ],
        "mistakes_note": "; ".join(filter(None, [found.note, note])),
    }


def _profile(record: Record, arguments: argparse.Namespace) -> dict[str, str]:
    """Where the net's width, resolution, parameters and multiply-adds lie along its depth."""
    if arguments.quick:
        return {}
    from cnnexp.anatomy.subject import described, find_subject
    from cnnexp.builders.revive import checked_config
    from cnnexp.report.page.pictures import as_address
    from cnnexp.report.profile import profile_image
    from cnnexp.visualize.png import png_bytes

    try:
        net = described(find_subject(checked_config(record), arguments.trust), with_step=False)
        image = profile_image(net)
    except InputError as error:
        return {"profile_note": f"the net is not drawn: {error.lines[0]}"}
    return {"profile": as_address(png_bytes(image))}


def _begun(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS].rstrip()} …"


def _shown(record: Record, found: Mistakes, trusted: list[str]) -> tuple[list[dict[str, Any]], str]:
    """What the page shows of each: its text or its picture, and its sound; nothing, and why, where data or weights
    cannot be used any more. A picture is ``wide`` that an answer is drawn on, or that has axes and is listened to."""
    from cnnexp.fit.console import quiet_log
    from cnnexp.fit.drawing import shown_of_test
    from cnnexp.report.page.pictures import as_address, sound_address
    from cnnexp.visualize.png import png_bytes

    try:
        with quiet_log():
            seen = shown_of_test(record, [one.index for one in found.mistakes], found.drawn, trusted)
    except InputError as error:
        return [], f"not drawn: {error.lines[0]}"
    if seen.texts and not found.drawn:
        return [{"written": _begun(text), "wide": True} for text in seen.texts], ""
    shown: list[dict[str, Any]] = [
        {"source": as_address(png_bytes(image)), "wide": found.drawn or bool(seen.sounds)} for image in seen.images
    ]
    for one, sound in zip(shown, seen.sounds, strict=False):
        one["heard"] = sound_address(sound)
    for one, clip in zip(shown, seen.moving, strict=False):
        one["source"] = as_address(clip, "webp")
    return shown, ""
