"""``cnnexp test``: a run's weights, evaluated again or on other data."""

from __future__ import annotations

import argparse
from typing import Any

from cnnexp.commands.arguments import add_own_code, add_run, add_words
from cnnexp.config.overrides import read_words
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

EXAMPLE = "cnnexp test last data=mnist"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    add_words(parser, "other data: data=NAME and data.… keys")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights [best]")
    parser.add_argument("--split", choices=("test", "val"), default="test", help="which split [test]")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.builders.revive import checked_config

    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    config = _on_other_data(checked_config(record), record, arguments)
    results = _evaluate(record, config, arguments)
    if arguments.json:
        import json

        print(json.dumps({"id": record.id, "data": config["choices"]["data"], "metrics": results}, indent=2))
    else:
        _print(record, config, results, arguments)
    return 0


def _on_other_data(config: dict[str, Any], record: Record, arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's configuration with another data set in it, brought to the pictures that the net knows.

    Raises:
        InputError: something other than the data is overridden.
    """
    words = read_words(arguments.overrides)
    for word in words:
        if word.key != "data" and not word.key.startswith("data."):
            raise InputError(f"{word.text}: test takes data=… and data.… only; the rest is the run's own")
    if not words:
        return config
    from cnnexp.config.compose import compose_run

    model = f"model={record.choices['model']}"
    given = [word.text for word in words]
    same = [] if any(word.key == "data" for word in words) else [f"data={record.choices['data']}"]
    composed = compose_run([model, *same, *given], arguments.config_dir)
    keep = {key: config["data"][key] for key in ("channels", "image_size", "mean", "std")}
    return {
        **config,
        "data": {**composed["data"], **keep},
        "choices": {**config["choices"], "data": composed["choices"]["data"]},
    }


def _evaluate(record: Record, config: dict[str, Any], arguments: argparse.Namespace) -> dict[str, float]:
    from rich.console import Console

    from cnnexp.builders.build import Experiment, build_data, build_dataset, find_facts, with_classes
    from cnnexp.builders.hardware import resolve_hardware, set_up_process
    from cnnexp.builders.revive import revive
    from cnnexp.fit.console import RunLog
    from cnnexp.fit.evaluate import evaluate

    log = RunLog(Console(quiet=True))
    try:
        hardware = {**config["hardware"], "accelerator": "auto", "devices": 1, "nodes": 1, "strategy": "auto"}
        config = resolve_hardware({**config, "hardware": hardware})
        set_up_process(config["hardware"])
        _refuse_other_classes(record, config)
        dataset = build_dataset(config, arguments.trust)
        dataset.prepare()
        facts = find_facts(config, dataset)
        config = with_classes(config, facts)
        _refuse_other_classes(record, config)
        task = revive(record, config, arguments.checkpoint, arguments.trust)
        return dict(evaluate(Experiment(build_data(config, dataset, facts), task), config, [arguments.split]))
    finally:
        log.close()


def _refuse_other_classes(record: Record, config: dict[str, Any]) -> None:
    """As many classes as the net knows; a number that only the user's folder tells is not known before it is read."""
    task, data = config["task"], config["data"]
    if task["target"] is None:
        return
    if task["target"] not in data["targets"]:
        raise InputError(f"data={config['choices']['data']} has no {task['target']}, which {task['name']} needs")
    key = "mask_classes" if task["target"] == "mask" else "classes"
    trained, found = (one["data"].get(key) for one in (record.config, config))
    if found is not None and trained is not None and len(found) != len(trained):
        raise InputError(
            f"data={config['choices']['data']} has {len(found)} classes, {record.id} was trained on {len(trained)}: "
            "not comparable; take data with the same classes"
        )


def _print(record: Record, config: dict[str, Any], results: dict[str, float], arguments: argparse.Namespace) -> None:
    print(f"{record.id}, {arguments.checkpoint} weights, on the {arguments.split} split of {config['choices']['data']}")
    for name, value in results.items():
        print(f"  {name:<24}{value:.4f}")
