"""``cnnexp ensemble``: several runs asked together, and what that gains and costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_checkpoint, add_outputs, add_own_code, weights_named
from cnnexp.commands.watching import watched
from cnnexp.config.overrides import read_words
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

EXAMPLE = (
    "cnnexp ensemble RUN RUN RUN --weights 2,1,1 --out answers.csv\n  cnnexp ensemble outputs/2026*resnet20* tta=flip"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="two runs or more on the same classes; data=… and tta=… words as in test"
    )
    add_outputs(parser)
    parser.add_argument("--weights", metavar="W,W,…", default=None, help="of the runs' probabilities [all 1]")
    add_checkpoint(parser)
    parser.add_argument("--split", choices=("test", "val"), default="test", help="which split [test]")
    parser.add_argument("--out", metavar="FILE", default=None, help="write the answers, a row for each picture, as CSV")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.averaging.words import read_choice

    named = [text for text in arguments.runs if not _is_setting(text)]
    choice, words = read_choice(read_words([text for text in arguments.runs if _is_setting(text)]))
    outputs = outputs_folder(arguments.outputs)
    records = _opened(named, outputs)
    kinds = dict.fromkeys(weights_named(record, arguments.checkpoint) for record in records)
    weights = _weights(arguments.weights, len(records))
    out = None if arguments.out is None else _writable(arguments.out)

    from cnnexp.averaging.panel import Panel
    from cnnexp.averaging.verdict import compare_members
    from cnnexp.averaging.views import views_of
    from cnnexp.builders.facts import build_input
    from cnnexp.builders.reopen import is_dense, judged_by, on_other_data
    from cnnexp.builders.revive import checked_config
    from cnnexp.fit.console import quiet_log

    with quiet_log():
        given = words, arguments.config_dir, arguments.trust
        configs = [on_other_data(checked_config(one), one, *given) for one in records]
        for record, config in zip(records, configs, strict=True):
            judged_by(record, config, "ensemble", arguments.trust)
        views = views_of(choice, build_input(configs[0], arguments.trust), is_dense(configs[0], arguments.trust))
        panel = Panel.open(records, configs, arguments.checkpoint, arguments.trust)
        found, together = compare_members(panel, weights, views, arguments.split, watched)
    if out is not None:
        from cnnexp.fit.results import write_rows

        member = panel.members[0]
        names = member.data.split(arguments.split).names
        write_rows(out, together.rows, names, member.task.answer.names)
    mapped = {} if panel.mapped is None else {"classes": panel.mapped}
    content = {"data": configs[0]["choices"]["data"], "split": arguments.split, "tta": choice.name, **mapped, **found}
    _print(content, records, outputs, arguments, " and ".join(kinds))
    return 0


def _is_setting(text: str) -> bool:
    """``data=mnist``, but not a folder whose name happens to hold an equals sign."""
    return "=" in text and not Path(text).exists()


def _opened(named: Sequence[str], outputs: Path) -> list[Record]:
    if len(named) < 2:
        raise InputError(f"{' '.join(named) or 'no run'}: an ensemble takes two runs at least; name them one by one")
    records: list[Record] = []
    problems: list[str] = []
    for text in named:
        try:
            records.append(open_run(text, outputs))
        except InputError as error:
            problems.extend(error.lines)
    if problems:
        raise InputError(*problems)
    twice = {record.id for record in records if [one.id for one in records].count(record.id) > 1}
    if twice:
        raise InputError(*(f"{one}: given twice; --weights says how much a run counts" for one in sorted(twice)))
    return records


def _weights(text: str | None, count: int) -> list[float]:
    if text is None:
        return [1.0] * count
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--weights {text}: expected numbers with commas between them, such as 2,1,1") from None
    if len(weights) != count:
        raise InputError(f"--weights {text}: {len(weights)} weights for {count} runs; give one for each")
    if not all(0 < weight < float("inf") for weight in weights):
        raise InputError(f"--weights {text}: each must be a finite number above 0; leave a run out instead of 0")
    return weights


def _writable(text: str) -> Path:
    from cnnexp.runs.write import writable_folder

    path = Path(text)
    if path.is_dir():
        raise InputError(f"--out {text}: this is a folder; name a file, such as {text.rstrip('/')}/answers.csv")
    writable_folder(path.parent, "--out FILE")
    return path


def _print(
    content: dict[str, Any],
    records: Sequence[Record],
    outputs: Path,
    arguments: argparse.Namespace,
    kinds: str = "best",
) -> None:
    if arguments.json:
        import json

        print(json.dumps(content, indent=2))
        return
    from rich.console import Console

    from cnnexp.report.averages import ensemble_table
    from cnnexp.report.table import short_id

    averaged = "" if content["tta"] == "none" else f", each averaged over {content['tta']}"
    print(
        f"{len(records)} runs, {kinds} weights, on the {content['samples']:,} {content['noun']}s",
        end=" ",
    )
    print(f"of {content['data']}'s {content['split']} split{averaged}\n")
    if "classes" in content:
        print(f"{content['classes']}\n")
    names = [short_id(record.id, {one.id for one in records}) for record in records]
    Console(highlight=False).print(ensemble_table(content, names))
    if arguments.out is not None:
        print(f"\n{arguments.out}")
    sys.stdout.flush()
