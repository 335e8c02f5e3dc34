"""The judge of what a net makes up: a run that is named, one that is at hand, or one that is trained first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import build_task
from cnnexp.builders.facts import names_of, provisional_facts
from cnnexp.builders.from_run import RUN
from cnnexp.builders.judges import RunJudge
from cnnexp.builders.refusing import refuse_transfer
from cnnexp.builders.reopen import is_own, known_to
from cnnexp.config.compose import compose_run
from cnnexp.config.earlier import brought_up
from cnnexp.errors import InputError
from cnnexp.fit.setup import Request
from cnnexp.runs.find import find_runs, open_run
from cnnexp.runs.read import Record, read_record

LABEL = "label"
EPOCHS = 3
"""Of a judge that is trained for the purpose."""
_AS_TRAINED = (
    "epochs", "accumulate", "early_stopping", "model", "optimizer", "scheduler", "regularization", "augmentation",
    "sampling", "loss", "task", "transfer",
)  # fmt: skip
"""What a run has in common with one that is trained for the purpose: what judges differently is another yardstick."""


def with_judge(request: Request, train: Callable[[Request], int], say: Callable[[str], None]) -> Request:
    """The request with its judge named by a run.

    A run that goes on, or is cut short by ``max_steps``, takes no new one; nor does data without classes, or data that
    the net which is named does not take.

    Args:
        train: makes a run, as which the judge is recorded. say: told what happens.

    Raises:
        InputError: the run that is named is no classifier of this data's classes.
    """
    config = request.config
    wished = config["task"].get("judge")
    if wished is None or request.folder is not None:
        return request
    if wished.startswith(RUN):
        record = open_run(wished.removeprefix(RUN), Path(config["outputs"]))
        _refuse_others(RunJudge(record), record, config)
        return _judged_by(request, record)
    _refuse_unfit(request)
    if config["max_steps"] is not None or LABEL not in config["data"]["targets"]:
        return _judged_by(request, None)
    composed = _judge_config(config, wished)
    found = _at_hand(composed)
    if found is not None:
        say(f"task.judge={wished}: the judge is {found.id}")
        return _judged_by(request, found)
    words = [f"model={wished}", f"data={composed['choices']['data']}", f"epochs={composed['epochs']}"]
    say(f"task.judge={wished}: such a net is trained first, as a run of its own")
    try:
        train(Request(composed, ["cnnexp", "train", *words], request.trusted))
    except InputError as error:
        say(f"task.judge={wished}: nobody judges what is made up ({error}); task.judge=run:ID takes any classifier")
        return _judged_by(request, None)
    return _judged_by(request, _at_hand(composed))


def _refuse_unfit(request: Request) -> None:
    """What will be refused of the run itself, before a judge is trained for it."""
    config, trusted = request.config, request.trusted
    build_task(config, provisional_facts(config, trusted), trusted)
    bound = bind_run(config, trusted)
    refuse_transfer(config, bound.transfer(), bound)


def _judged_by(request: Request, record: Record | None) -> Request:
    judge = None if record is None else f"{RUN}{record.id}"
    return replace(request, config={**request.config, "task": {**request.config["task"], "judge": judge}})


def _judge_config(config: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What trains such a net on the same data, as it is read here."""
    composed = compose_run([f"model={model}", "task=classification", "data=mnist5k", f"seed={config['seed']}"])
    same = {group: config["choices"][group] for group in ("data", "hardware")}
    return {
        **composed,
        **{key: config[key] for key in ("data", "hardware", "outputs", "batch_size")},
        "choices": {**composed["choices"], **same},
        "epochs": EPOCHS,
    }


def _at_hand(config: Mapping[str, Any]) -> Record | None:
    """The oldest finished run that was trained so on such data: one yardstick for all runs of a folder."""
    for folder in find_runs([Path(config["outputs"])]):
        if f"-{config['choices']['model']}-" not in folder.name:
            continue
        record = read_record(folder)
        if record.status != "finished" or record.partial or record.choices != config["choices"]:
            continue
        theirs = brought_up(record.config)
        if any(theirs[key] != config[key] for key in _AS_TRAINED):
            continue
        known = {key: theirs["data"][key] for key in ("classes", "targets")}  # found in a user's folder
        same = is_own(record, {**config, "data": {**config["data"], **known}})
        if same and all(theirs["data"][key] == config["data"][key] for key in ("fraction", "labels_per_class")):
            return record
    return None


def _refuse_others(judge: RunJudge, record: Record, config: Mapping[str, Any]) -> None:
    known, own = known_to(record), names_of(config).get(LABEL) if LABEL in config["data"]["targets"] else None
    if own is not None and known is not None and known.names != own:
        raise InputError(
            f"task.judge: {record.id} knows {', '.join(known.names[:4])}, …; data={config['choices']['data']} has "
            f"{', '.join(own[:4])}, …: take a run on the same classes, or task.judge=lenet5, which trains one"
        )
    channels = config["data"]["channels"]
    if channels != judge.given.channels:
        raise InputError(
            f"task.judge: {record.id} looks at {judge.given.channels} channels, and data={config['choices']['data']} "
            f"has {channels}; take a run on such pictures, or task.judge=lenet5, which trains one"
        )
