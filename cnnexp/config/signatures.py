"""What the classes of cnnexp say of their arguments, read from their source: nothing of them is imported."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnnexp.config.nearest import any_of
from cnnexp.paths import PACKAGE

_SECTION = re.compile(r"^\s*(Args|Raises|Returns|Attributes|Yields):\s*$")
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a word", "None": "null"}


@dataclass(frozen=True)
class Argument:
    """One argument of a class or function.

    Attributes:
        meaning: from the ``Args`` of the docstring, "" where they do not say. kind: what it may be, in words; "" where
            the annotation is of another kind. choices: words and numbers that it may be, where these are all.
    """

    meaning: str
    kind: str
    choices: tuple[str, ...] = ()


def arguments_of(target: str) -> dict[str, Argument]:
    """The arguments of a class or function of cnnexp by name; none for what lies elsewhere.

    Args:
        target: dotted, as ``_target_`` has it.
    """
    module, _, name = target.rpartition(".")
    tree = _tree(module)
    own = tree and next((one for one in tree.body if isinstance(one, _DEFINITIONS) and one.name == name), None)
    if not tree or not own:
        return {}
    given = _annotations(own)
    said = _said(ast.get_docstring(own) or "", list(given))
    return {one: _argument(said.get(one, ""), annotation, module) for one, annotation in given.items()}


def constant_of(target: str, name: str) -> Any:
    """What stands behind a name in the body of a class of cnnexp: words, numbers and what holds such; None for nothing.

    Args:
        target: the class, dotted.
    """
    module, _, own = target.rpartition(".")
    tree = _tree(module)
    found = tree and next((one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == own), None)
    for one in found.body if found else ():
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id == name and one.value:
            return ast.literal_eval(one.value)
    return None


_DEFINITIONS = (ast.ClassDef, ast.FunctionDef)


@lru_cache(maxsize=128)
def _tree(module: str) -> ast.Module | None:
    root, *rest = module.split(".")
    path = PACKAGE.joinpath(*rest).with_suffix(".py") if root == PACKAGE.name and rest else Path()
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None


def _annotations(own: ast.ClassDef | ast.FunctionDef) -> dict[str, ast.expr | None]:
    """Of a function, of ``__init__``, or of the fields of a dataclass."""
    made: ast.stmt | None = own
    if isinstance(own, ast.ClassDef):
        made = next((one for one in own.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if isinstance(made, ast.FunctionDef):
        arguments = [*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs]
        return {one.arg: one.annotation for one in arguments if one.arg != "self"}
    fields = [one for one in own.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    return {one.target.id: one.annotation for one in fields if isinstance(one.target, ast.Name)}


def _said(docstring: str, names: list[str]) -> dict[str, str]:
    """What the ``Args`` say of each name; several may stand in one line, and several share one text."""
    inside, words = False, []
    for line in docstring.splitlines():
        section = _SECTION.match(line)
        if section:
            inside = section[1] == "Args"
        elif inside and line.strip():
            words.append(line.strip())
    if not names or not words:
        return {}
    name = f"(?:{'|'.join(map(re.escape, names))})"
    parts = re.split(rf"(?:^|(?<=[.;:] ))({name}(?:, {name})*): ", " ".join(words))
    found = {}
    for shared, text in zip(parts[1::2], parts[2::2], strict=True):
        found.update(dict.fromkeys(shared.split(", "), text.strip().rstrip(".")))
    return found


def _argument(meaning: str, annotation: ast.expr | None, module: str) -> Argument:
    choices = _choices(annotation, module)
    return Argument(meaning, any_of(choices) if choices else _kind(annotation, module), tuple(choices))


def _kind(annotation: ast.expr | None, module: str) -> str:
    """A type in words; "" where there are none for it."""
    if isinstance(annotation, ast.BinOp):
        parts = [_kind(one, module) for one in (annotation.left, annotation.right)]
        return ", or ".join(parts) if all(parts) else ""
    if isinstance(annotation, ast.Constant):
        return _KINDS.get(str(annotation.value), "")
    if isinstance(annotation, ast.Name):
        return _KINDS.get(annotation.id, "")
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        if annotation.value.id == "Literal":
            return any_of(_choices(annotation, module))
        return "a list" if annotation.value.id in ("tuple", "list", "Sequence") else ""
    return ""


def _choices(annotation: ast.expr | None, module: str) -> list[str]:
    """The values of a ``Literal``, also where it has a name, there or in a module that it is imported from."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        if annotation.value.id != "Literal":
            return []
        inner = annotation.slice
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        return [_shown(one.value) for one in items if isinstance(one, ast.Constant)]
    tree = _tree(module)
    if not isinstance(annotation, ast.Name) or tree is None:
        return []
    for one in tree.body:
        if isinstance(one, ast.Assign) and any(isinstance(t, ast.Name) and t.id == annotation.id for t in one.targets):
            return _choices(one.value, module)
        if isinstance(one, ast.ImportFrom) and one.module and annotation.id in [name.name for name in one.names]:
            return _choices(annotation, one.module)
    return []


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
