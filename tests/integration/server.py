"""A process that has imported what the command line needs, and forks itself for every call.

Importing torch and Lightning takes longer than a tiny training. Imports alone are safe to fork; this process computes
nothing itself. It reads a JSON object a line: argv, cwd, environment, and where to kill (see ``killing.py``); it
answers with the exit status, negative for a signal.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

# What the commands import when they are called
IMPORTED = (
    "cnnexp.commands.predict",
    "cnnexp.commands.resume",
    "cnnexp.commands.test",
    "cnnexp.fit.run",
    "cnnexp.report.export",
    "cnnexp.report.table",
    "hydra._internal.config_loader_impl",
    "hydra.core.override_parser.overrides_parser",
)


def main() -> None:
    for module in IMPORTED:
        import_module(module)

    print("ready", flush=True)
    for line in sys.stdin:
        call = json.loads(line)
        process = os.fork()
        if process == 0:
            os._exit(_child(call))
        _, status = os.waitpid(process, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _child(call: dict[str, Any]) -> int:
    """One call of the command line, in a process of its own."""
    for number, path in ((1, call["out"]), (2, call["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(call["cwd"])
    os.environ.update(call["environment"])
    sys.argv = ["cnnexp", *call["argv"]]
    try:
        if call["kill"]:
            sys.path.insert(0, str(Path(__file__).parent))
            from killing import kill_at

            kill_at(call["kill"])
        from cnnexp.cli import main as command_line

        return command_line(call["argv"])
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
