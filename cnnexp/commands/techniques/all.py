"""``cnnexp visualize all``: every technique that fits a net, on one page."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import folder_of
from cnnexp.commands.looking import Subject, add_subject, open_subject
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError
from cnnexp.notice import loaded

if TYPE_CHECKING:
    from cnnexp.visualize.section import Section

LINE = "what a net has learnt: a page of all that looks into a trained net, and fits it"
EXAMPLE = """cnnexp visualize all last
  cnnexp visualize all RUN --picture photo.jpg
  cnnexp visualize all model=squeezenet1_0 model.weights=torchvision photo.jpg"""
FILE = "all.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument("--picture", metavar="FILE", help="the same as FILE: a picture in place of test samples")


def run(arguments: argparse.Namespace) -> int:
    if arguments.picture is not None:
        arguments.files.append(arguments.picture)
    subject = open_subject(arguments, "all")
    sections, left_out = _looked(subject)
    loaded()
    if not sections:
        raise InputError(f"{subject.name}: no technique fits it", *(f"{name}: {why}" for name, why in left_out))

    from cnnexp.report.page.inside import page_of_inside
    from cnnexp.report.page.write import write_page

    net = subject.name if subject.record is None else f"{subject.record.id} · {subject.name}"
    path = folder_of(arguments) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(page_of_inside(sections, left_out, title="What this net has learnt", net=net), path)
    _print({name: section for name, (_, section) in sections.items()}, left_out, path, as_json=arguments.json)
    return 0


def _looked(subject: Subject) -> tuple[dict[str, tuple[str, Section]], list[tuple[str, str]]]:
    """What each technique shows at its defaults, with its line; and those that do not fit, with the reason."""
    from cnnexp.commands.visualize import in_reading_order

    modules = in_reading_order()
    sections: dict[str, tuple[str, Section]] = {}
    left_out = []
    for name, where in watched(modules.items(), len(modules), "looking"):
        technique = import_module(where)
        parser = argparse.ArgumentParser()
        technique.add_arguments(parser)
        try:
            sections[name] = (technique.LINE, technique.section(subject, parser.parse_args(["last"])))
        except InputError as error:
            left_out.append((name, " ".join(error.lines)))
    return sections, left_out


def _print(sections: dict[str, Section], left_out: list[tuple[str, str]], path: Path, *, as_json: bool) -> None:
    if as_json:
        import json

        figures = {name: {"title": section.title, **section.figures} for name, section in sections.items()}
        print(json.dumps({"sections": figures, "left_out": dict(left_out), "written": [str(path)]}, indent=2))
        return
    width = max(map(len, [*sections, *dict(left_out)]))
    for name, section in sections.items():
        print(f"{name:<{width}}  {section.title}")
    for name, why in left_out:
        print(f"{name:<{width}}  left out: {why}")
    print(path)
