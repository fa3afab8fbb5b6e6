"""The package keeps its shape: no import circle, short modules, few parameters."""

import ast
from pathlib import Path

import pytest

from tests.structure import (
    MAX_LINES,
    MAX_PARAMETERS,
    MAX_SHARE,
    Module,
    circles,
    extensions,
    functions,
    imports,
    modules,
)


@pytest.fixture(scope="module")
def package():
    return modules()


def test_no_import_circle(package):
    assert circles(imports(package)) == []


def test_modules_are_short(package):
    assert [module.name for module in package if module.n_lines > MAX_LINES] == []


def test_few_functions_take_many_parameters(package):
    found = functions(package)
    wide = [function for function in found if function.n_parameters > MAX_PARAMETERS]
    assert len(wide) / len(found) <= MAX_SHARE, wide


def test_the_doors_are_proved():
    """What may be added, and how many files of the package that touches."""
    assert [n_files for _, n_files, _ in extensions()] == [0, 2, 2, 2]


@pytest.fixture
def house(tmp_path: Path):
    def build(**files: str) -> list[Module]:
        (tmp_path / "house").mkdir()
        for name, text in files.items():
            (tmp_path / "house" / f"{name}.py").write_text(text)
        return modules("house", tmp_path)

    return build


def test_an_import_in_a_function_closes_a_circle(house):
    built = house(
        __init__="",
        a="from house.b import x",
        b="def f():\n    from house import c",
        c="from . import a",
        d="import house.a",
    )
    assert circles(imports(built)) == [["house.a", "house.b", "house.c"]]


def test_what_type_checkers_alone_import_closes_none(house):
    built = house(
        __init__="",
        a="from house.b import x",
        b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import y\nelse:\n"
        "    from house import c",
        c="",
    )
    assert imports(built)["house.b"] == {"house.c"}
    assert circles(imports(built)) == []


def test_a_module_that_asks_its_own_package_closes_a_circle(house):
    built = house(__init__="from house.a import x", a="from house import name")
    assert circles(imports(built)) == [["house", "house.a"]]


@pytest.mark.parametrize(
    ("signature", "n_parameters"),
    [("self, a, /, b, *c, d=1, **e", 5), ("", 0), ("cls", 0), ("a, b", 2)],
)
def test_parameters_are_counted_but_for_self(signature, n_parameters):
    from tests.structure import _n_parameters

    function = ast.parse(f"def f({signature}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert _n_parameters(function) == n_parameters
