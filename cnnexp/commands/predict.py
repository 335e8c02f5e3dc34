"""``cnnexp predict``: files in; labels, boxes, masks or whatever else the net answers out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnexp.commands import film
from cnnexp.commands.answers_page import Lines, refuse_many, source_of, write_answers
from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run, weights_named
from cnnexp.commands.asked import files_in, names_data, refuse_own_size, settings_and_files, suitable_data, views_named
from cnnexp.commands.files import check_file
from cnnexp.commands.predict_questions import add_questions, answer_questions, questions_named, refuse_unasked
from cnnexp.commands.predict_texts import add_texts, answer_texts, texts_named
from cnnexp.commands.saving import folder_or_file, names_of, refuse_file, saved
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.averaging.answering import Asking
    from cnnexp.averaging.words import Choice
    from cnnexp.tasks.base import Task

EXAMPLE = (
    "cnnexp predict last photo.jpg --out drawn/\n  cnnexp predict last photos/ --before --html photos.html\n"
    "  cnnexp predict last film.mp4 --out film-boxes.mp4\n  cnnexp predict last photo.jpg tta=flip"
)
WITHOUT_RUN = "cnnexp predict model=squeezenet1_0 model.weights=torchvision photo.jpg"

Reading: TypeAlias = "Callable[[Path], dict[str, Tensor]]"
"""A file → a batch of one, as the net's data set would store it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="pictures, or what else the net takes; or folders of them; or a film; tta=flip asks about "
        "several views of each",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, an object for each file")
    parser.add_argument(
        "--skip-unreadable", action="store_true", help="leave out files that cannot be read, naming them on stderr"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        default=None,
        help="draw the answers on the pictures, into this folder, with masks of volumes; or on the frames of a film: "
        "FILM.mp4; or FILE.nii.gz for one mask",
    )
    parser.add_argument(
        "--frame-rate",
        type=film.frame_rate,
        metavar="N",
        help="frames a second of a film that is made of pictures [25]",
    )
    parser.add_argument(
        "--own-size",
        action="store_true",
        help="masks of pictures at the files' own size, large ones in tiles, not at the size that the net learnt at",
    )
    parser.add_argument("--html", metavar="FILE", help="a page for a browser: each picture and what the net says of it")
    parser.add_argument(
        "--before",
        action="store_true",
        help="say first what the weights say that the run began with, by the names of their own classes",
    )
    add_texts(parser)
    add_questions(parser)
    add_checkpoint(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    choice, named = views_named(arguments.files)
    words, given = settings_and_files([arguments.run, *named], WITHOUT_RUN)
    record = None if words else open_run(arguments.run, outputs_folder(arguments.outputs))
    texts, questions = texts_named(arguments, given), questions_named(arguments, given)
    if not given and not texts:
        raise InputError(f"missing: FILE, a picture to classify, as in: {WITHOUT_RUN}")
    out = None if arguments.out is None else Path(arguments.out)
    if not questions and film.frame_by_frame([Path(one) for one in given], out, record, words, arguments.config_dir):
        return _run_film(record, words, given, out, choice, arguments)
    if arguments.frame_rate is not None:
        raise InputError("--frame-rate: is of a film that is made of pictures; name it: --out FILM.mp4")
    check_file("html", arguments.html)
    if arguments.before and record is None:
        raise InputError("--before: is about the weights that a run began with; name a run in place of model=…")
    out, file = folder_or_file(out)
    if out is not None:
        from cnnexp.runs.write import writable_folder

        writable_folder(out, "--out DIR")
    from cnnexp.data.reading import refuse_unnameable

    task, read = _of_weights(words, arguments) if record is None else _of_run(record, arguments)
    before = _of_before(record, arguments) if arguments.before and record is not None else None
    if arguments.own_size:
        refuse_own_size(task, choice)
        read = task.facts.input.read_whole
    ask, answer = _over_views(task, choice), task.answer
    if texts:
        return answer_texts(task, ask, texts, as_json=arguments.json)
    if questions:
        return answer_questions(task, ask, given, questions, as_json=arguments.json)
    refuse_unasked(task.facts.input, given)
    files = files_in(given, task.facts.input)
    refuse_unnameable(files)
    files = _readable(read, files, skip=arguments.skip_unreadable)
    refuse_many(files, arguments.html)
    refuse_file(file, files)
    rows, sources, sounds = [], [], []
    for path, drawn in watched(zip(files, names_of(files), strict=True), len(files), "predicting"):
        batch = read(path)
        picture, prediction = task.facts.input.picture(path), ask(batch)[0]
        row = {"file": str(path), **answer.as_json(prediction, picture)}
        if before is not None:
            row["before"] = before.task.answer.as_json(before.ask(before.read(path))[0], picture)
        if out is not None:
            from cnnexp.visualize.png import write_png

            row["drawn"] = str(write_png(answer.image(picture, prediction), out / drawn))
        row |= saved(answer, prediction, path, out, file)
        if arguments.html is not None:
            sounds += task.facts.input.heard(batch)
            drawn_on = None if "top" in row else answer.image(picture, prediction)
            sources.append(source_of(picture, drawn_on, task.facts.input.moving(batch)))
        rows.append(row)
    loaded()
    if arguments.html is not None:
        began_with = None if before is None else before.weights
        write_answers(rows, (sources, sounds), record, words, began_with, answer.lines, Path(arguments.html))
    _print(rows, answer.lines, before, as_json=arguments.json)
    if arguments.html is not None and not arguments.json:
        print(arguments.html)
    return 0


def _run_film(
    record: Record | None,
    words: list[str],
    given: Sequence[str],
    out: Path | None,
    choice: Choice,
    arguments: argparse.Namespace,
) -> int:
    """A film, or pictures that become one."""
    for option in ("html", "before", "skip_unreadable", "own_size"):
        if getattr(arguments, option):
            raise InputError(f"--{option.replace('_', '-')}: is for pictures, and this is a film; leave it out")
    if out is None and not arguments.json:
        raise InputError("a film: say what is wanted of it, --out FILM.mp4 (drawn on each frame), --json, or both")
    film.check_out(out)
    named = [Path(text) for text in given]
    source = film.source_of(named, out, arguments.frame_rate) if any(map(film.is_film, named)) else None
    task, see = _seeing(record, words, arguments)
    if source is None:
        source = film.source_of(files_in(given, task.facts.input), out, arguments.frame_rate)
    row = film.predict_film(task, _over_views(task, choice), see, source, out, arguments.json)
    loaded()
    if arguments.json:
        import json

        print(json.dumps([row], indent=2, ensure_ascii=False))
        return 0
    pace = f"{row['count']:,} frames in {row['seconds']:g} s: {row['frames_per_second']:g} frames a second"
    print(f"{row['file']}\n  {pace}")
    print(f"  drawn: {row['drawn']}")
    return 0


def _seeing(record: Record | None, words: list[str], arguments: argparse.Namespace) -> tuple[Task, film.Seeing]:
    """The net, and what makes a batch of a frame."""
    how = None
    if record is not None:
        task, _ = _of_run(record, arguments)
    else:
        from cnnexp.builders.pretrained import pretrained
        from cnnexp.config.compose import compose_run

        if names_data(words):
            task, _ = _of_weights(words, arguments)
        else:
            task, how = pretrained(compose_run(words, arguments.config_dir), arguments.trust)
    see = getattr(task.facts.input, "of_image", None)
    if see is None:
        raise InputError(f"a film is pictures, and the net takes {task.facts.input.name}")
    if how is None:
        return task, see
    from cnnexp.builders.pretrained import reading_images

    return task, reading_images(how)


@dataclass(frozen=True)
class _Before:
    """The net that a run began with, and the weights in words."""

    task: Task
    ask: Asking
    read: Reading
    weights: str


def _of_before(record: Record, arguments: argparse.Namespace) -> _Before:
    from cnnexp.builders.pretrained import begun_from, reading
    from cnnexp.builders.revive import checked_config

    task, how, weights = begun_from(checked_config(record), arguments.trust)
    return _Before(task, _as_it_is(task), reading(how), weights)


def _of_run(record: Record, arguments: argparse.Namespace) -> tuple[Task, Reading]:
    arguments.checkpoint = weights_named(record, arguments.checkpoint)

    from cnnexp.builders.revive import checked_config, revive

    return _sized_as_trained(revive(record, checked_config(record), arguments.checkpoint, arguments.trust))


def _sized_as_trained(task: Task) -> tuple[Task, Reading]:
    given = task.facts.input
    return task, given.read_whole if task.answer.whole else given.read


def _of_weights(words: list[str], arguments: argparse.Namespace) -> tuple[Task, Reading]:
    from cnnexp.config.compose import compose_run

    config = compose_run(
        words if names_data(words) else [*words, *suitable_data(words, arguments.config_dir)], arguments.config_dir
    )

    from cnnexp.builders.pretrained import for_data, pretrained, reading

    if names_data(words):
        return _sized_as_trained(for_data(config, arguments.trust))
    task, how = pretrained(config, arguments.trust)
    return task, reading(how)


def _readable(read: Reading, files: list[Path], skip: bool) -> list[Path]:
    """Decode every file once before the first is answered, so that nothing is left half done.

    Args:
        skip: those that cannot be decoded are named on stderr and left out.

    Raises:
        InputError: a line for each that is not what the net takes; ``skip``: where nothing is left.
    """
    problems: list[str] = []
    kept: list[Path] = []
    for path in files:
        try:
            read(path)
            kept.append(path)
        except InputError as error:
            problems.extend(error.lines)
    if problems and not (skip and kept):
        way_out = f" (--skip-unreadable leaves such files out; {len(kept)} can be read)" if kept else ""
        raise InputError(*problems[:-1], problems[-1] + way_out)
    if problems:
        loaded()
        for line in problems:
            print(f"cnnexp predict: left out: {line}", file=sys.stderr)
    return kept


def _over_views(task: Task, choice: Choice) -> Asking:
    """How the net is asked: as it is, or over the views that were chosen."""
    if choice.name == "none":
        return _as_it_is(task)
    from cnnexp.averaging.answering import asking
    from cnnexp.averaging.views import views_of

    return asking(task, views_of(choice, task.facts.input, task.answer.dense), task.device, "fp32")


def _as_it_is(task: Task) -> Asking:
    import torch

    def ask(batch: dict[str, Tensor]) -> list[Any]:
        with torch.no_grad():
            return task.predict(task.prepare(batch, train=False))

    return ask


def _print(rows: list[dict[str, Any]], lines: Lines, before: _Before | None, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(row["file"])
        if before is not None:
            print(f"  before: {before.weights}")
            for line in before.task.answer.lines(row["before"]):
                print(f"    {line}")
            print("  after")
        for line in [*lines(row), *(f"{word}: {row[word]}" for word in ("drawn", "saved") if word in row)]:
            print(f"  {'' if before is None else '  '}{line}")
    sys.stdout.flush()
