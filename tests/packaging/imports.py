"""Reads which modules a source file imports, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cnnexp"


@dataclass(frozen=True)
class Import:
    """One imported module: its dotted name, where it stands, and whether importing the file already runs it."""

    module: str
    file: str
    line: int
    at_import: bool

    @property
    def library(self) -> str:
        return self.module.partition(".")[0]

    @property
    def part(self) -> str | None:
        """The part of cnnexp that is imported (`data` for `cnnexp.data.base`), "" for cnnexp itself, else None."""
        if self.library != "cnnexp":
            return None
        return self.module.partition(".")[2].partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def parts(package: Path) -> dict[str, list[Path]]:
    """Every top-level module and package under `package`, with its source files; "" is the package's own `__init__`."""
    found: dict[str, list[Path]] = {}
    for file in sorted(package.rglob("*.py")):
        first = file.relative_to(package).parts[0].removesuffix(".py")
        found.setdefault("" if first == "__init__" else first, []).append(file)
    return found


def imports_of(file: Path, package: Path) -> list[Import]:
    """All imports of one file, those inside functions and under TYPE_CHECKING marked as not run at import."""
    where = file.relative_to(package.parent)
    own_package = list(where.parent.parts)
    found = []
    for node, at_import in _walk(ast.parse(file.read_text(encoding="utf-8")), True):
        for module in _modules(node, own_package, package):
            found.append(Import(module, str(where), node.lineno, at_import))
    return found


def source_of(module: str, package: Path) -> Path | None:
    """The file or folder of a module of the package; None for anything else."""
    path = package.parent.joinpath(*module.split("."))
    if not path.is_relative_to(package):
        return None
    return path if path.is_dir() else next((file for file in [path.with_suffix(".py")] if file.is_file()), None)


def reached(file: Path, package: Path) -> dict[Path, str]:
    """The files of the package that `file` can load, at import or later, each with the way that leads to it."""
    ways = {file: str(file.relative_to(package))}
    waiting = [file]
    while waiting:
        here = waiting.pop()
        for one in imports_of(here, package):
            for target in _loaded_by(one.module, package):
                if target not in ways:
                    ways[target] = f"{ways[here]} → {target.relative_to(package)}"
                    waiting.append(target)
    return ways


def _loaded_by(module: str, package: Path) -> list[Path]:
    names = module.split(".")
    sources = [source_of(".".join(names[:count]), package) for count in range(1, len(names) + 1)]
    files = [source / "__init__.py" if source.is_dir() else source for source in sources if source]
    return [file for file in files if file.is_file()]


def _walk(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_import
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for inner in child.body:
                yield from _walk(ast.Module([inner], []), False)
            for inner in child.orelse:
                yield from _walk(ast.Module([inner], []), at_import)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, at_import and not is_function)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _modules(node: ast.Import | ast.ImportFrom, own_package: list[str], package: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    above = own_package[: len(own_package) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    if base.partition(".")[0] != package.name:
        return [base]
    # `from cnnexp import data` names a module; `from cnnexp import __version__` names what is in one.
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [module if source_of(module, package) else base for module in inner]
