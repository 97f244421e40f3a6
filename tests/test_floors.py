"""Keeps the house in order: floors, mirrored tests, sizes, kernels, words that say nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcptrace.compiled import KERNELS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tcptrace"
TESTS = ROOT / "tests"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
SOURCES = sorted([*MODULES, *TESTS.rglob("*.py"), *(ROOT / "captures").rglob("*.py")])
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
WORDS_THAT_SAY_NOTHING = {"utils", "common", "base", "core", "helpers", "misc", "manager"}

# Tests that belong to no single module, each with what it looks at instead.
WHOLE = {
    "test_lost_worker.py": "the cluster, with workers as processes",
    "test_floors.py": "the house",
    "test_readme.py": "README.md",
    "test_captures.py": "captures/",
    "test_notebooks.py": "notebooks/",
    "test_conversations.py": "tests/conversations/",
    "test_simulator.py": "the tracker, in simulated worlds",
    "test_tshark.py": "captures/, by tshark's account",
}
# Folders beside the floors, whose tests mirror the files in the folder itself.
BESIDE_THE_FLOORS = ("conversations", "kernel_lab", "benchmarks", "fuzz", "snapshots")

IMPORT_EACH_ALONE = """
import importlib, json, os, sys
for slow in ("click", "cython", "dpkt", "numpy", "pandas", "rich.console", "scapy.all"):
    importlib.import_module(slow)  # once: it is ours that must import alone
failures = {}
for name in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failures[name] = True
json.dump(sorted(failures), sys.stdout)
"""


def dotted(path: Path) -> str:
    """`tcptrace/tcp/states.py` → `tcptrace.tcp.states`; a package is its folder's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_of(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_of(module: Path) -> Path:
    """Where the tests of a module live: the same folder under tests/."""
    return TESTS / module.relative_to(PACKAGE).with_name(f"test_{module.stem.strip('_')}.py")


test_of.__test__ = False  # type: ignore[attr-defined]


def has_logic(module: Path) -> bool:
    """Whether a module holds more than a docstring, imports and names."""
    plain = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return any(not isinstance(node, plain) for node in ast.parse(module.read_text()).body)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file with its length in lines, docstring and signature included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_each_floor_imports_only_what_lies_below() -> None:
    """The import-linter contract of pyproject.toml is kept."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == run.returncode, run.stdout + run.stderr


def test_every_floor_is_in_the_contract() -> None:
    """A new floor or top-level module that the contract does not name would be free of it."""
    contract = pyproject()["tool"]["importlinter"]["contracts"][0]["layers"]
    top = {dotted(path).split(".")[1] for path in MODULES if path.parent != PACKAGE}
    top |= {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    free = {"compiled"}  # read by the faces and by the package itself; imports nothing
    assert {f"tcptrace.{name}" for name in top - free} == set(contract)


def test_each_module_imports_alone() -> None:
    """No module needs another one to have been imported before it."""
    names = json.dumps([dotted(path) for path in MODULES if path.stem != "__main__"])
    command = [sys.executable, "-c", IMPORT_EACH_ALONE]
    run = subprocess.run(command, cwd=ROOT, input=names, capture_output=True, text=True, check=True)
    assert [] == json.loads(run.stdout), run.stderr


def test_each_module_has_its_tests() -> None:
    """The tree of tests is the tree of code: nothing with logic in it goes untested."""
    missing = [path for path in MODULES if has_logic(path) and not test_of(path).is_file()]
    assert [] == names_of(missing)


def test_each_test_has_its_module() -> None:
    """A test file whose module has gone is found, and so is a misspelt one."""
    expected = {test_of(path) for path in MODULES}
    stray = [
        path
        for path in TESTS.rglob("test_*.py")
        if path not in expected
        and path.name not in WHOLE
        and path.relative_to(TESTS).parts[0] not in BESIDE_THE_FLOORS
    ]
    assert [] == names_of(stray)


def test_each_module_says_what_it_holds() -> None:
    """Every file begins with a docstring."""
    silent = [path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [] == names_of(silent)


def test_no_file_is_long() -> None:
    """A file past the limit is to be split by noun."""
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in SOURCES}
    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}


@pytest.mark.parametrize("path", SOURCES, ids=names_of(SOURCES))
def test_no_function_is_long(path: Path) -> None:
    """A function past the limit does more than one thing."""
    long = {name: lines for name, lines in functions(path) if lines > LONGEST_FUNCTION}
    assert {} == long


def test_no_file_is_named_after_nothing() -> None:
    """Names are nouns of the glossary; these say nothing."""
    named = [path for path in SOURCES if WORDS_THAT_SAY_NOTHING & set(path.stem.split("_"))]
    assert [] == names_of(named)


def test_kernels_are_what_is_compiled() -> None:
    """`compiled.KERNELS` and the ext-modules of pyproject.toml are one list."""
    extensions = pyproject()["tool"]["setuptools"].get("ext-modules", [])
    assert sorted(KERNELS) == sorted(extension["name"] for extension in extensions)
    for extension in extensions:
        assert [extension["name"].replace(".", "/") + ".py"] == extension["sources"]
        assert extension["optional"] is True, "installation must succeed without a compiler"
        assert extension["extra-compile-args"] == ["-O2", "-g0"], "installation must be quick"


def test_kernels_are_what_mypy_leaves_out() -> None:
    """Only kernels, whose decorators mypy does not know, escape the type checker."""
    overrides = pyproject()["tool"]["mypy"]["overrides"]
    (free,) = [entry["module"] for entry in overrides if entry.get("ignore_errors")]
    assert sorted(KERNELS) == sorted(free)


def pyproject() -> dict:
    """pyproject.toml, read."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
