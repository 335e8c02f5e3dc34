"""``cnnexp list``: every option of every group, with the one line that its file says of itself."""

from __future__ import annotations

import argparse

from cnnexp.commands.arguments import add_own_code
from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import LISTED, config_folders, option_files, purpose
from cnnexp.errors import InputError
from cnnexp.notice import loaded

EXAMPLE = "cnnexp list models data\n  cnnexp list models --pretrained --sort top1"
SORTS = ("name", "top1", "size", "parameters", "depth")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"only these groups: {', '.join(LISTED)}")
    parser.add_argument("--json", action="store_true", help="as JSON: group → option → its line")
    parser.add_argument("--markdown", action="store_true", help="the nets as a page: parameters, costs, papers")
    parser.add_argument(
        "--pretrained", action="store_true", help="nets whose weights are published: how large, how good"
    )
    parser.add_argument("--sort", metavar="BY", default=None, help=f"of --pretrained: {', '.join(SORTS)} [name]")
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.sort is not None and not arguments.pretrained:
        raise InputError("--sort: is for the nets with weights; cnnexp list models --pretrained --sort top1")
    if arguments.pretrained:
        return _show_pretrained(arguments)
    if arguments.markdown:
        print(_page(arguments), end="")
        return 0
    folders = config_folders(arguments.config_dir)
    wanted = [_group(word) for word in arguments.groups] or LISTED
    content = {group: {name: purpose(path) for name, path in option_files(group, folders).items()} for group in wanted}
    if arguments.json:
        import json

        print(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        print(_text(content))
    return 0


def _show_pretrained(arguments: argparse.Namespace) -> int:
    if [_group(word) for word in arguments.groups] != ["model"]:
        raise InputError("--pretrained: is for the nets; cnnexp list models --pretrained")
    if arguments.markdown:
        raise InputError("--markdown and --pretrained: give one of them")
    if arguments.sort not in (None, *SORTS):
        raise InputError(f"--sort {arguments.sort}: expected one of {', '.join(SORTS)}")
    from cnnexp.anatomy.pretrained import pretrained_nets
    from cnnexp.report.pretrained import PretrainedTable, as_content, ordered

    nets = ordered(pretrained_nets(arguments.config_dir), arguments.sort or SORTS[0])
    loaded()
    if arguments.json:
        import json

        print(json.dumps(as_content(nets), indent=2))
    else:
        from rich.console import Console

        Console(highlight=False).print(PretrainedTable(nets))
    return 0


def _page(arguments: argparse.Namespace) -> str:
    if [_group(word) for word in arguments.groups] != ["model"]:
        raise InputError("--markdown: is for the nets; cnnexp list models --markdown")
    from cnnexp.anatomy.zoo import zoo_rows
    from cnnexp.report.zoo import as_markdown

    return as_markdown(zoo_rows(arguments.config_dir, arguments.trust))


def _group(word: str) -> str:
    """A group by its name, its plural, or another word for it."""
    plurals = {"dataset": "data", "datasets": "data", "regularizations": "regularization"}
    known = {**{group: group for group in LISTED}, **{f"{group}s": group for group in LISTED}, **plurals}
    if word not in known:
        raise InputError(f"{word}: there is no such group; {did_you_mean(word, LISTED)}")
    return known[word]


def _text(content: dict[str, dict[str, str]]) -> str:
    import shutil
    import textwrap

    width = max(60, min(shutil.get_terminal_size().columns, 120))
    column = 2 + max((len(name) for options in content.values() for name in options), default=0) + 2
    lines = []
    for group, options in content.items():
        lines.append(f"{group}=")
        for name, line in options.items():
            wrapped = textwrap.wrap(line, width - column) or [""]
            lines.append(f"  {name:<{column - 2}}{wrapped[0]}")
            lines.extend(" " * column + rest for rest in wrapped[1:])
        lines.append("")
    return "\n".join(lines).rstrip()
