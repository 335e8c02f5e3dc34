"""``cnnexp test``: a run's weights, evaluated again, on other data, or averaged over views of each picture.

A net with weights of its own may stand in place of a run: ``model=… model.weights=FILE data=…``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run, add_words, weights_named
from cnnexp.commands.watching import terminal, watched
from cnnexp.config.overrides import read_words
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from cnnexp.averaging.words import Choice
    from cnnexp.fit.module import TaskModule

WITHOUT_RUN = "cnnexp test model=resnet20 model.weights=resnet20.th data=cifar10"
EXAMPLE = f"cnnexp test last data=mnist\n  cnnexp test last tta=ten_crop tta.crop=0.9\n  {WITHOUT_RUN}"
WITHOUT_RUN_KEYS = ("model", "data", "hardware", "batch_size")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_words(parser, "data=NAME and data.… keys; tta=flip, dihedral, ten_crop or multi_scale averages over views")
    add_checkpoint(parser)
    parser.add_argument("--split", choices=("test", "val"), default="test", help="which split [test]")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    if "=" in arguments.run and not Path(arguments.run).exists():
        return _test_weights([arguments.run, *arguments.overrides], arguments)
    return _test_run(arguments)


def _test_weights(texts: list[str], arguments: argparse.Namespace) -> int:
    """A net with weights from elsewhere, on the data that the words say."""
    from cnnexp.config.compose import compose_run

    wrong = [word.text for word in read_words(texts) if word.key.split(".")[0] not in WITHOUT_RUN_KEYS]
    if wrong:
        raise InputError(
            f"{wrong[0]}: without a run test takes {', '.join(WITHOUT_RUN_KEYS)} and their keys only, as in: "
            f"{WITHOUT_RUN}"
        )
    config = compose_run(texts, arguments.config_dir)

    from cnnexp.builders.pretrained import pretrained_experiment
    from cnnexp.fit.console import quiet_log
    from cnnexp.fit.evaluate import evaluate
    from cnnexp.fit.module import TaskModule
    from cnnexp.fit.progress import evaluation_bars

    with quiet_log():
        experiment, config, begun = pretrained_experiment(config, arguments.trust)
        bars = evaluation_bars(terminal())
        module = TaskModule(experiment.task)
        metrics = evaluate(module, experiment.data, config, [arguments.split], callbacks=bars)
    given = experiment.facts.input
    content = {
        "id": config["choices"]["model"],
        "data": config["choices"]["data"],
        "weights": begun.as_record(),
        **_mapped(None if experiment.match is None or experiment.match.same else experiment.match.described()),
        "normalisation": dict(zip(("mean", "std"), map(list, getattr(given, "normalised_by", ())), strict=False)),
        "metrics": dict(metrics),
        **_counted(module),
    }
    if arguments.json:
        print(json.dumps(content, indent=2))
        return 0
    print(f"{content['id']} on the {arguments.split} split of {content['data']}")
    print(f"  {begun.described()}")
    if "classes" in content:
        print(f"  {content['classes']}")
    how = config["model"]["normalisation"]
    print(f"  model.normalisation={how}: {given.prepared_by().removeprefix('; ')}")
    _print_metrics(content)
    return 0


def _test_run(arguments: argparse.Namespace) -> int:
    from cnnexp.averaging.words import read_choice

    choice, words = read_choice(read_words(arguments.overrides))
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    arguments.checkpoint = weights_named(record, arguments.checkpoint)

    from cnnexp.builders.reopen import on_other_data
    from cnnexp.builders.revive import checked_config
    from cnnexp.fit.console import quiet_log

    with quiet_log():
        config = on_other_data(checked_config(record), record, words, arguments.config_dir, arguments.trust)
        content = _averaged(record, config, choice, arguments) if choice.name != "none" else {}
        content = content or _evaluate(record, config, arguments)
    content = {
        "id": record.id,
        "checkpoint": arguments.checkpoint,
        "data": config["choices"]["data"],
        **content,
    }
    if arguments.json:
        print(json.dumps(content, indent=2))
    else:
        _print(content, arguments)
    return 0


def _evaluate(record: Record, config: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's metrics, and how classes were mapped where the data's are others."""
    from cnnexp.builders.reopen import reopen_data
    from cnnexp.builders.revive import revive
    from cnnexp.fit.console import quiet_log
    from cnnexp.fit.evaluate import evaluate
    from cnnexp.fit.module import TaskModule
    from cnnexp.fit.progress import evaluation_bars

    opened = reopen_data(record, config, arguments.trust)
    task = revive(record, opened.config, arguments.checkpoint, arguments.trust, opened.data.facts.shown)
    with quiet_log():  # Lightning, which speaks up when it is imported, is here by now
        bars = evaluation_bars(terminal())
        module = TaskModule(task)
        metrics = evaluate(module, opened.data, opened.config, [arguments.split], callbacks=bars)
    return {**_mapped(opened.mapped), "metrics": dict(metrics), **_counted(module)}


def _counted(module: TaskModule) -> dict[str, Any]:
    found = {"per_kind": dict(module.kinds), "counts": dict(module.counts)}
    return {name: values for name, values in found.items() if values}


def _mapped(line: str | None) -> dict[str, str]:
    return {} if line is None else {"classes": line}


def _averaged(record: Record, config: dict[str, Any], choice: Choice, arguments: argparse.Namespace) -> dict[str, Any]:
    """The run as it is and averaged over views, as plain values."""
    from cnnexp.averaging.merged import compare_merged
    from cnnexp.averaging.panel import Panel
    from cnnexp.averaging.verdict import compare_views
    from cnnexp.averaging.views import views_of
    from cnnexp.builders.facts import build_input
    from cnnexp.builders.reopen import is_dense, judged_by, merges

    if not merges(config, arguments.trust):
        judged_by(record, config, f"tta={choice.name}", arguments.trust)
    views = views_of(choice, build_input(config, arguments.trust), is_dense(config, arguments.trust))
    panel = Panel.open([record], [config], arguments.checkpoint, arguments.trust)
    compare = compare_merged if merges(config, arguments.trust) else compare_views
    return {**_mapped(panel.mapped), **compare(panel, choice.name, views, arguments.split, watched)}


def _print(content: dict[str, Any], arguments: argparse.Namespace) -> None:
    where = f"on the {arguments.split} split of {content['data']}"
    print(f"{content['id']}, {arguments.checkpoint} weights, {where}")
    if "classes" in content:
        print(f"  {content['classes']}")
    if "tta" in content:
        from rich.console import Console

        from cnnexp.report.averages import views_table

        Console(highlight=False).print(views_table(content))
        return
    _print_metrics(content)


def _print_metrics(content: Mapping[str, Any]) -> None:
    import textwrap

    from cnnexp.report.notation import counts_in_words
    from cnnexp.report.plain_text import printable

    for name, value in content["metrics"].items():
        print(f"  {name:<24}{value:.4f}")
    for name, values in content.get("per_kind", {}).items():
        for kind, value in values.items():  # words of the run's input.json, which may be a stranger's
            print(f"  {printable(f'{name}, {kind}'):<40}{value:.4f}")
    for title, said in counts_in_words(content).items():
        print(textwrap.fill(printable(said), 80, initial_indent=f"  {title:<24}", subsequent_indent=" " * 26))
