"""``cnnexp summary``: layers, output shapes and parameters of a net."""

from __future__ import annotations

import argparse
import re
from typing import Any

from cnnexp.commands.arguments import add_overrides
from cnnexp.errors import InputError

EXAMPLE = "cnnexp summary model=resnet50 --input 3x224x224 --classes 1000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument("--input", metavar="CxHxW", default=None, help="picture size, channels first, in place of data")
    parser.add_argument("--classes", type=int, metavar="N", default=None, help="number of classes, in place of data's")
    parser.add_argument("--json", action="store_true", help="as JSON, with totals.parameters")


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import compose_run

    size = _size(arguments.input)
    config = compose_run([*_compatible_data(arguments.overrides, size is not None)], arguments.config_dir)

    from cnnexp.visualize.summary import describe, print_summary

    content = describe(*_net(config, size, arguments))
    if arguments.json:
        import json

        print(json.dumps(content, indent=2))
    else:
        print_summary(content)
    return 0


def _compatible_data(overrides: list[str], free: bool) -> list[str]:
    """With ``--input`` no data set is needed, so one that suits the net stands in where none was named."""
    if not free or any(word.lstrip("+").startswith(("data=", "dataset=")) for word in overrides):
        return overrides
    from cnnexp.config.options import config_folders, option_files, task_of_model

    model = next((word.split("=", 1)[1] for word in overrides if word.startswith("model=")), "lenet5")
    path = option_files("model", config_folders()).get(model)
    task = task_of_model(path) if path is not None else None
    return [*overrides, *(["data=digit_scenes"] if task in ("segmentation", "detection") else [])]


def _size(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)[xX×](\d+)[xX×](\d+)", text)
    if not found or min(map(int, found.groups())) < 1:
        raise InputError(f"--input {text}: expected channels x height x width, for example 3x224x224")
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _net(config: dict[str, Any], size: tuple[int, int, int] | None, arguments: argparse.Namespace) -> tuple[Any, ...]:
    from dataclasses import replace

    from cnnexp.builders.build import build_dataset, build_task, find_facts, provisional_facts

    if size is None:
        facts = find_facts(config, build_dataset(config, arguments.trust))
    else:
        channels, height, width = size
        facts = provisional_facts(config)
        facts = replace(facts, channels=channels, height=height, width=width)
        facts = replace(facts, mean=(0.5,) * channels, std=(0.25,) * channels)
    if arguments.classes is not None:
        if arguments.classes < 1:
            raise InputError(f"--classes {arguments.classes}: expected a number of at least 1")
        names = tuple(str(i) for i in range(arguments.classes))
        facts = replace(facts, classes=names, mask_classes=names if facts.mask_classes else ())
    net = build_task(config, facts, arguments.trust).net
    return net, (facts.channels, facts.height, facts.width), config["choices"]["model"]
