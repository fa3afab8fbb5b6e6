"""The shape of the package in numbers: `python -m tests.structure` prints them.

Circles count imports inside functions, too: they only hide that two modules are one. What type
checkers alone import is no import.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
MAX_LINES: Final = 350
MAX_PARAMETERS: Final = 6
MAX_SHARE: Final = 0.01
VERBS: Final = frozenset({"detect_drift", "embed", "fit_baseline"})
"""What people call by keyword; each keyword is a line of its documentation."""


@dataclass(frozen=True)
class Module:
    """A module of the package, parsed.

    Parameters
    ----------
    name
        Such as `monitor.drift.judge`; a package is its `__init__`.
    """

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def n_lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Function:
    """A function or method and how many parameters it takes, `self` aside."""

    place: str
    name: str
    n_parameters: int


def modules(package: str = "monitor", root: Path = ROOT) -> list[Module]:
    """Every module of the package, by name."""
    paths = sorted((root / package).rglob("*.py"))
    names = [path.relative_to(root).with_suffix("").parts for path in paths]
    return [
        Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path)
        for parts, path in zip(names, paths, strict=True)
    ]


def imports(found: list[Module]) -> dict[str, set[str]]:
    """Which modules of the package each module imports, at its top or in a function."""
    names = {module.name for module in found}
    return {
        module.name: {
            target
            for node in _import_nodes(module.tree)
            for target in _targets(node, module, names)
            if target != module.name
        }
        for module in found
    }


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that import each other, directly or around corners (Tarjan, 1972).

    Examples
    --------
    >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})
    [['b', 'c']]
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    rings: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in order:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], order[target])
        if lowest[name] == order[name]:
            ring = stack[stack.index(name) :]
            del stack[-len(ring) :]
            if len(ring) > 1:
                rings.append(sorted(ring))

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return rings


def functions(found: list[Module]) -> list[Function]:
    """Every function of the modules but the public verbs, those within functions included."""
    return [
        Function(f"{module.path.relative_to(ROOT)}:{node.lineno}", node.name, _n_parameters(node))
        for module in found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in VERBS
    ]


def extensions(root: Path = ROOT) -> list[tuple[str, int, str]]:
    """What may be added, how many files of the package that touches, and the test that adds it.

    Such a test carries the marker `extension(what, files)`.
    """
    return sorted(
        (*ast.literal_eval(ast.Tuple(mark.args)), f"{path.relative_to(root)}::{node.name}")
        for path in (root / "tests").rglob("test_*.py")
        if "pytest.mark.extension" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.extension"
    )


def _import_nodes(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    is_for_checkers = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    children = node.orelse if is_for_checkers else ast.iter_child_nodes(node)  # type: ignore[attr-defined]
    for child in children:
        yield from _import_nodes(child)


def _targets(node: ast.Import | ast.ImportFrom, module: Module, names: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in names)
        return
    parts = module.name.split(".")
    home = parts[: len(parts) - node.level + module.is_package] if node.level else []
    base = ".".join([*home, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        if inner in names:
            yield inner
        elif base in names:
            yield base


def _n_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    open_ended = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return len([a for a in named if a.arg not in {"self", "cls"}]) + len(open_ended)


def main() -> int:
    """Print the numbers; 1 if one is beyond its bound."""
    found = modules()
    rings = circles(imports(found))
    long = sorted((m for m in found if m.n_lines > MAX_LINES), key=lambda m: -m.n_lines)
    longest = max(found, key=lambda m: m.n_lines)
    all_functions = functions(found)
    wide = [f for f in all_functions if f.n_parameters > MAX_PARAMETERS]
    share = len(wide) / len(all_functions)
    print(f"import circles, function-level imports included: {len(rings)}")
    for ring in rings:
        print(f"  {' '.join(ring)}")
    print(
        f"longest of {len(found)} modules: {longest.name}, {longest.n_lines} lines ({MAX_LINES} at most)"
    )
    for module in long:
        print(f"  {module.name} {module.n_lines}")
    print(
        f"functions with more than {MAX_PARAMETERS} parameters: {len(wide)} of {len(all_functions)}, "
        f"{share:.2%} ({MAX_SHARE:.0%} at most)"
    )
    for function in sorted(wide, key=lambda f: -f.n_parameters):
        print(f"  {function.place} {function.name} {function.n_parameters}")
    print("files of the package to touch for")
    for what, files, test in extensions():
        print(f"  {what}: {files} (proved by {test})")
    return int(bool(rings or long or share > MAX_SHARE))


if __name__ == "__main__":
    sys.exit(main())
