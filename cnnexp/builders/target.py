"""From a ``_target_`` to a class, through a narrow list, and from a configuration to arguments that it takes.

A configuration may come from a stranger's run, so a name is checked twice: as text before anything is imported, and by
what the imported object says of itself afterwards (``cnnexp.paths.os.getcwd`` would pass a check of its beginning).
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from cnnexp.config.nearest import any_of, did_you_mean
from cnnexp.errors import InputError

GROUP_PACKAGES = {
    "model": "cnnexp.models",
    "data": "cnnexp.data",
    "task": "cnnexp.tasks",
    "scheduler": "cnnexp.training",
    "augmentation": "cnnexp.augmentation",
    "transfer": "cnnexp.training",
    "loss": "cnnexp.losses",
    "sampling": "cnnexp.sampling",
    "input": "cnnexp.inputs",
    "target": "cnnexp.answers",
    "operation": "cnnexp.augmentation",
}
GROUP_BASES = {
    "model": "torch.nn.Module",
    "data": "cnnexp.data.base.DataSet",
    "task": "cnnexp.tasks.base.Task",
    "optimizer": "torch.optim.Optimizer",
    "scheduler": "cnnexp.training.schedules.Schedule",
    "augmentation": "cnnexp.augmentation.base.Augmenting",
    "operation": "builtins.object",
    "transfer": "cnnexp.training.transfer.Transfer",
    "loss": "cnnexp.losses.term.Loss",
    "sampling": "cnnexp.sampling.base.Sampling",
    "input": "cnnexp.inputs.base.Input",
    "target": "cnnexp.answers.base.Answer",
}
"""What a group's class is one of: the packages hold functions too, some of which write files."""
NEVER_TRUSTED = frozenset(sys.stdlib_module_names) | {"torch", "numpy", "hydra", "omegaconf", "yaml", "cnnexp"}
"""Nobody's own package, and full of functions that run what they are given."""
OPTIMIZERS = frozenset(
    f"torch.optim.{name}"
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop")
)
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def import_target(target: Any, group: str, trusted: Sequence[str] = ()) -> Any:
    """The class that a group's ``_target_`` names; in a trusted package it may be a function that makes a net.

    Args:
        target: a dotted name. group: one of the configuration's groups. trusted: packages of the user's own, which
            only the command line can give.

    Raises:
        InputError: the name is not on the list for this group, or does not lead to a class of that place and kind; a
            package is trusted that is nobody's own.
    """
    refuse_trust(trusted)
    if not isinstance(target, str) or not _NAME.fullmatch(target):
        raise InputError(f"{group}._target_={target!r}: not the dotted name of a class")
    module_name, name = target.rsplit(".", 1)
    if group == "optimizer" and target in OPTIMIZERS:
        return getattr(import_module(module_name), name)
    packages = [GROUP_PACKAGES[group]] if group in GROUP_PACKAGES else []
    if not any(module_name.startswith(f"{package}.") for package in packages) and not _is_trusted(target, trusted):
        top = target.split(".")[0]
        hint = "" if top in NEVER_TRUSTED else f"; --trust {top} allows a package of yours"
        raise InputError(f"{group}._target_={target}: not a class of cnnexp for {group}, so it is not run{hint}")
    if _is_trusted(target, trusted) and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where a user's own package lies; the console script does not look there
    found = _own_object(module_name, name, group)
    _refuse_other_kind(found, group, target)
    return found


def dotted(package: str, word: str) -> str:
    """A class by its file's name: ``pictures`` is ``cnnexp.inputs.pictures.Pictures``; what is dotted stays."""
    return word if "." in word else f"{package}.{word}.{''.join(part.capitalize() for part in word.split('_'))}"


def refuse_trust(trusted: Sequence[str]) -> None:
    """Refuse packages that are nobody's own.

    Raises:
        InputError: names the first.
    """
    wrong = [package for package in trusted if package.split(".")[0] in NEVER_TRUSTED]
    if wrong:
        raise InputError(f"--trust {wrong[0]}: names a package of your own, not one of a library")


def _refuse_other_kind(found: Any, group: str, target: str) -> None:
    if group not in GROUP_BASES:
        return
    module_name, name = GROUP_BASES[group].rsplit(".", 1)
    base = getattr(import_module(module_name), name)
    makes_net = group == "model" and inspect.isfunction(found) and _promises_net(found, target)
    if not makes_net and not (inspect.isclass(found) and issubclass(found, base)):
        raise InputError(f"{group}._target_={target}: not a {name}, so it is not run")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise InputError(f"{group}._target_={target}: not whole, it lacks {missing}")


def _promises_net(function: Any, target: str) -> bool:
    """A function of the user's own is taken at its word; one of cnnexp says in its signature that it makes a net."""
    return not target.startswith("cnnexp.") or _hints(function).get("return") is import_module("torch.nn").Module


def _is_trusted(target: str, trusted: Sequence[str]) -> bool:
    return any(target.startswith(f"{package}.") for package in trusted)


def _own_object(module_name: str, name: str, group: str) -> Any:
    try:
        found = getattr(import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{group}._target_={module_name}.{name}: there is no such class ({error})") from error
    own = inspect.isclass(found) or inspect.isfunction(found)
    if not own or found.__module__ != module_name or found.__qualname__ != name or name.startswith("_"):
        raise InputError(f"{group}._target_={module_name}.{name}: not a class or function of {module_name}; not run")
    return found


def bind(
    callable_: Any, given: Mapping[str, Any], injected: Mapping[str, Any], group: str
) -> tuple[dict[str, Any], list[str]]:
    """Arguments for a class from its part of the configuration, checked against its signature.

    Args:
        given: what the configuration says, without ``_target_``. injected: what the run knows; handed over where the
            signature asks for it, unless the configuration says otherwise.

    Returns:
        The arguments, and a line for each problem: a key that nothing reads, a value of another type, a missing one.
    """
    parameters = inspect.signature(callable_).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    hints = _hints(callable_)
    problems = []
    for key, value in given.items():
        if key not in parameters and not takes_any:
            hint = did_you_mean(key, [n for n in parameters if n != "self"])
            problems.append(f"{group}.{key}: nothing reads it in {callable_.__name__}; {hint}")
        elif key in hints and (expected := mismatch(value, hints[key])):
            problems.append(f"{group}.{key}={value}: expected {expected}")
    arguments = {key: value for key, value in injected.items() if key in parameters} | dict(given)
    for name, parameter in parameters.items():
        optional = parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        if not optional and name not in arguments:
            problems.append(f"{group}.{name}: missing; {callable_.__name__} needs it")
    return arguments, problems


def _hints(callable_: Any) -> dict[str, Any]:
    function = callable_.__init__ if inspect.isclass(callable_) else callable_
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        return {}


def mismatch(value: Any, hint: Any) -> str | None:
    """What an annotation expects, where a value from YAML is not that; None where it is, or where nobody can say."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is inspect.Parameter.empty:
        return None
    if origin is typing.Literal:
        fits = any(type(value) is type(one) and value == one for one in arguments)
        return None if fits else any_of(_word(one) for one in arguments)
    if origin in (typing.Union, types.UnionType):
        problems = [mismatch(value, one) for one in arguments]
        return None if None in problems else " or ".join(p for p in problems if p)
    if hint is type(None):
        return None if value is None else "null"
    if origin in (tuple, list, Sequence):
        return _list_mismatch(value, origin, arguments)
    return _plain_mismatch(value, hint)


def _plain_mismatch(value: Any, hint: Any) -> str | None:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    if hint not in names:
        return None
    fits = isinstance(value, (int, float)) if hint is float else isinstance(value, hint)
    return None if fits and (hint is bool or not isinstance(value, bool)) else names[hint]


def _list_mismatch(value: Any, origin: Any, arguments: tuple[Any, ...]) -> str | None:
    if not isinstance(value, (list, tuple)):
        return "a list such as [1,2]"
    if origin is tuple and arguments and arguments[-1] is not Ellipsis and len(value) != len(arguments):
        return f"a list of {len(arguments)} values"
    hints = (
        arguments if origin is tuple and arguments and arguments[-1] is not Ellipsis else [arguments[0]] * len(value)
    )
    found = next((p for item, hint in zip(value, hints, strict=False) if (p := mismatch(item, hint))), None)
    return f"a list of which each item is {found}" if found else None


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
