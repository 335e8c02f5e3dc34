"""The command line: a table of commands, each imported when it is called for and not before."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cnnexp import __version__, notice
from cnnexp.errors import InputError, Interrupted, RunFailed


@dataclass(frozen=True)
class Command:
    """One row of the table; the rest of a command lives in ``cnnexp/commands/NAME.py``."""

    name: str
    purpose: str
    help: str
    loads: bool = False
    """Whether it imports libraries that take seconds."""


COMMANDS = (
    Command("train", "Run", "train a net on a data set, test it, record everything", loads=True),
    Command("sweep", "Run", "many runs from one command line, searched for the best"),
    Command("resume", "Run", "go on with a run that was interrupted, stopped or killed", loads=True),
    Command("test", "Use a run", "evaluate a run's weights again, or on other data", loads=True),
    Command("predict", "Use a run", "pictures in; labels, boxes, masks or reconstructions out", loads=True),
    Command("match", "Use a run", "one person on two pictures? or who of those enrolled is it?", loads=True),
    Command("enrol", "Use a run", "a folder a person: a gallery of people, for match", loads=True),
    Command("generate", "Use a run", "pictures made up by a net that learnt to, on a sheet", loads=True),
    Command("ensemble", "Use a run", "several runs asked together: what it gains, what it costs", loads=True),
    Command("preview", "Look", "what a net will see, or the learning rate, as a picture", loads=True),
    Command("visualize", "Look", "look inside: kernels, shifts, backpropagation, gradients"),
    Command("compare", "Look", "a table of runs, with the settings in which they differ"),
    Command("diff", "Look", "two runs held against each other: settings, code, versions, result"),
    Command("report", "Look", "one run as a page for a browser: curves, classes, mistakes, machine"),
    Command("runs", "Keep", "list, show, tag, remove, prune, export and import runs"),
    Command("reproduce", "Keep", "run a run again and say whether it comes out the same"),
    Command("list", "Look", "every option of every group, with its one line"),
    Command("config", "Look", "the configuration that a command line composes"),
    Command("summary", "Look", "a net layer by layer: sizes, costs, reach; or nets side by side", loads=True),
    Command("layer", "Look", "size, parameters and cost of one layer, with the formulas"),
    Command("bench", "Look", "cnnexp beside other ways to train, timed on this machine"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 failed, 2 bad input, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"cnnexp {__version__}")
        return 0
    command = next((row for row in COMMANDS if row.name == words[0]), None)
    if command is None:
        print(f"cnnexp: {_unknown(words)}", file=sys.stderr)
        return 2
    pressed = CtrlC()
    if command.loads and not {"-h", "--help"} & set(words):
        notice.loading()
    try:
        with pressed:
            status = _call(command, words[1:])
            sys.stdout.flush()
        return status
    except (InputError, RunFailed, Interrupted) as error:
        if "--debug" in words:
            raise
        return _complain(command, str(error).splitlines(), error.exit_status)
    except KeyboardInterrupt:
        return _complain(command, ["interrupted"], Interrupted.exit_status)
    except BrokenPipeError:  # the reader has seen enough, as `head` does; nothing is left to say at the exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in words:
            raise
        if pressed.seen:
            return _complain(command, ["interrupted"], Interrupted.exit_status)
        return _complain(command, [f"{_described(error)} (--debug shows where)"], 1)
    finally:
        notice.loaded()


class CtrlC:
    """Remembers that Ctrl-C was pressed: a library that is being imported may turn it into an error of its own."""

    def __init__(self) -> None:
        self.seen = False
        self._old: Any = None

    def __enter__(self) -> None:
        self._old = signal.getsignal(signal.SIGINT)
        if self._old is signal.default_int_handler and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._received)

    def __exit__(self, *error: object) -> None:
        if signal.getsignal(signal.SIGINT) == self._received:
            signal.signal(signal.SIGINT, self._old)

    def _received(self, number: int, frame: Any) -> None:
        self.seen = True
        raise KeyboardInterrupt


def _call(command: Command, words: Sequence[str]) -> int:
    from cnnexp.commands.parser import CommandParser

    module = import_module(f"cnnexp.commands.{'listing' if command.name == 'list' else command.name}")
    name, purpose = command.name, command.help
    if part := module.chosen(words) if hasattr(module, "chosen") else None:  # a command that has commands of its own
        module = import_module(part.module)
        name, purpose, words = f"{name} {part.name}", part.line, part.words
    parser = CommandParser(name, purpose, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return int(module.run(parser.read(words)) or 0)


def _complain(command: Command, lines: Sequence[str], status: int) -> int:
    """Each line on stderr behind the command's name, without anything that a terminal could act on."""
    notice.loaded()
    for line in lines:
        print(f"cnnexp {command.name}: {_harmless(line)}", file=sys.stderr)
    return status


def _described(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _overview() -> str:
    lines = ["Experiments with convolutional networks from the command line.", "", "usage: cnnexp COMMAND …", ""]
    for purpose in dict.fromkeys(row.purpose for row in COMMANDS):
        lines.append(f"{purpose}:")
        lines.extend(f"  {row.name:<11}{row.help}" for row in COMMANDS if row.purpose == purpose)
        lines.append("")
    lines += [
        "Each command answers --help with an example. To begin:",
        "  cnnexp train model=lenet5 data=mnist5k",
        "  cnnexp train model=resnet50 data=cifar10",
        "  cnnexp compare outputs/",
    ]
    return "\n".join(lines)


def _unknown(words: Sequence[str]) -> str:
    """What to say of a first word that is no command."""
    import difflib

    names = [row.name for row in COMMANDS]
    later = next((word for word in words[1:] if word in names), None)
    if later is not None or "=" in words[0]:
        rest = " ".join([later or "train", *(word for word in words if word != later)])
        return f"{_harmless(words[0])}: the command comes first, as in: cnnexp {_harmless(rest)}"
    close = difflib.get_close_matches(words[0].lower().lstrip("-"), names, n=1, cutoff=0.5)
    kind = "option" if words[0].startswith("-") else "command"
    hint = f"did you mean {close[0]}?" if close else "cnnexp --help lists the commands"
    return f"there is no {kind} {_harmless(words[0])}; {hint}"


def _harmless(text: str) -> str:
    """Nothing in it that a terminal could act on."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
