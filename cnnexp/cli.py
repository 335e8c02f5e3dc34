"""The command line: a table of commands, each imported when it is called for and not before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from cnnexp import __version__
from cnnexp.errors import InputError, Interrupted, RunFailed


@dataclass(frozen=True)
class Command:
    """One row of the table; the rest of a command lives in ``cnnexp/commands/NAME.py``."""

    name: str
    purpose: str
    help: str


COMMANDS = (
    Command("train", "Run", "train a net on a data set, test it, record everything"),
    Command("resume", "Run", "go on with a run that was interrupted, stopped or killed"),
    Command("test", "Use a run", "evaluate a run's weights again, or on other data"),
    Command("predict", "Use a run", "pictures in; labels, boxes, masks or reconstructions out"),
    Command("compare", "Look", "a table of runs, with the settings in which they differ"),
    Command("list", "Look", "every option of every group, with its one line"),
    Command("config", "Look", "the configuration that a command line composes"),
    Command("summary", "Look", "layers, output shapes and parameters of a net"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 done, 1 failed, 2 bad input, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"cnnexp {__version__}")
        return 0
    command = next((row for row in COMMANDS if row.name == words[0]), None)
    if command is None:
        return _unknown(words[0])
    return _call(command, words[1:])


def _call(command: Command, words: Sequence[str]) -> int:
    module = import_module(f"cnnexp.commands.{'listing' if command.name == 'list' else command.name}")
    parser = argparse.ArgumentParser(
        prog=f"cnnexp {command.name}",
        description=command.help[0].upper() + command.help[1:] + ".",
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args(words)
    try:
        return int(module.run(arguments) or 0)
    except (InputError, RunFailed, Interrupted) as error:
        if arguments.debug:
            raise
        print(f"cnnexp {command.name}: {error}".replace("\n", f"\ncnnexp {command.name}: "), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print(f"cnnexp {command.name}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if arguments.debug:
            raise
        print(f"cnnexp {command.name}: {_described(error)} (--debug shows where)", file=sys.stderr)
        return 1


def _described(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _overview() -> str:
    lines = ["Experiments with convolutional networks from the command line.", "", "usage: cnnexp COMMAND …", ""]
    for purpose in dict.fromkeys(row.purpose for row in COMMANDS):
        lines.append(f"{purpose}:")
        lines.extend(f"  {row.name:<10}{row.help}" for row in COMMANDS if row.purpose == purpose)
        lines.append("")
    lines += [
        "Each command answers --help with an example. To begin:",
        "  cnnexp train model=lenet5 data=mnist5k",
        "  cnnexp train model=resnet50 data=cifar10",
        "  cnnexp compare outputs/",
    ]
    return "\n".join(lines)


def _unknown(word: str) -> int:
    import difflib

    close = difflib.get_close_matches(word, [row.name for row in COMMANDS], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else "cnnexp --help lists them"
    print(f"cnnexp: there is no command {word}; {hint}", file=sys.stderr)
    return 2
