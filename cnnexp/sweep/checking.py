"""``python -m cnnexp.sweep.checking FILE``: do the classes take the arguments? Before a sweep's first trial.

Binding needs torch, which the controller does not import; so this runs in a child of its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.errors import InputError, RunFailed
from cnnexp.runs.atomic import write_json
from cnnexp.runs.lock import RunLock, is_locked
from cnnexp.runs.read import read_json
from cnnexp.sweep.executors import Executor, Forking, Fresh
from cnnexp.sweep.trial import output_lines, process_of, write_job

MODULE = "cnnexp.sweep.checking"
QUESTION, ANSWER = "configs.json", "problems.json"
LONGEST_S = 600


def refuse_unfitting(configs: Sequence[Mapping[str, Any]], trusted: Sequence[str], executor: Executor) -> None:
    """Bind every configuration to the classes that it names, in a child.

    Raises:
        InputError: a line for each argument that does not fit. RunFailed: the child ended without an answer.
    """
    executor = executor if isinstance(executor, Forking) else Fresh()
    with tempfile.TemporaryDirectory(prefix="cnnexp-") as name:
        folder = Path(name)
        write_json(folder / QUESTION, {"configs": list(configs), "trusted": list(trusted)})
        lock = RunLock(folder)
        lock.take()
        executor.start(write_job(folder, MODULE, [str(folder)], {}), lock)
        end = time.monotonic() + LONGEST_S
        while is_locked(folder) and time.monotonic() < end:
            executor.wait(0.5)
        if process_of(folder).get("status") != 0:
            said = output_lines(folder)
            raise RunFailed(f"the space could not be checked: {said[-1] if said else 'its process was killed'}")
        problems = read_json(folder / ANSWER)["problems"]
    if problems:
        raise InputError(*problems)


def main() -> None:
    folder = Path(sys.argv[1])
    question = read_json(folder / QUESTION)
    problems: dict[str, None] = {}
    for config in question["configs"]:
        problems.update(dict.fromkeys(_problems(config, question["trusted"])))
    write_json(folder / ANSWER, {"problems": list(problems)})


def _problems(config: Mapping[str, Any], trusted: Sequence[str]) -> Sequence[str]:
    from cnnexp.builders.binding import bind_run
    from cnnexp.builders.datasets import build_dataset
    from cnnexp.builders.facts import provisional_facts
    from cnnexp.builders.refusing import refuse_unfit

    try:
        build_dataset(config, trusted)
        refuse_unfit(config, bind_run(config, trusted), provisional_facts(config, trusted))
    except InputError as error:
        return error.lines
    return []


if __name__ == "__main__":
    main()
