"""What kernels may call and read of each other at C speed: the `.pxd` beside them, from the `.py`.

`python -m tests.declarations` writes them all anew; a test says whether they are up to date. A
kernel has one where it uses a class of another kernel, or is used so.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from tcptrace.compiled import KERNELS

ROOT = Path(__file__).resolve().parent.parent
TYPES = {
    "longlong": "long long",
    "int": "int",
    "bint": "bint",
    "Py_ssize_t": "Py_ssize_t",
    "longlong[::1]": "long long[::1]",
    "const[uchar][::1]": "const unsigned char[::1]",
}
PUBLIC = {"Connection", "Side"}  # their attributes are read in Python, too
MOST = 100


def source(kernel: str) -> Path:
    return ROOT.joinpath(*kernel.split(".")).with_suffix(".py")


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    found = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [node for node in found if "cython.cclass" in _decorators(node)]


def _decorators(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    return [ast.unparse(each) for each in node.decorator_list]


def _type(node: ast.expr) -> str:
    """A C type, or the name of a Python type or of a kernel's class."""
    text = ast.unparse(node).replace("cython.", "").strip("'\"")
    return TYPES.get(text, text)


def _method(node: ast.FunctionDef) -> str | None:
    decorators = _decorators(node)
    kinds = {"cython.cfunc": "cdef", "cython.ccall": "cpdef"}
    kind = next((kinds[each] for each in decorators if each in kinds), None)
    if kind is None:
        return None
    assert node.returns is not None
    arguments = ["self"]
    for each in node.args.args[1:]:
        assert each.annotation is not None
        arguments.append(f"{_type(each.annotation)} {each.arg}")
    raises = next((each for each in decorators if each.startswith("cython.exceptval")), None)
    assert raises is not None, f"{node.name}: say what it returns with an exception"
    nogil = " nogil" if "cython.nogil" in decorators else ""
    head = f"    {kind} {_type(node.returns)} {node.name}("
    whole = f"{head}{', '.join(arguments)}) {_raises(raises)}{nogil}"
    if len(whole) <= MOST:
        return whole
    return f"{head}\n        {', '.join(arguments)}\n    ) {_raises(raises)}{nogil}"


def _raises(exceptval: str) -> str:
    arguments = exceptval.removeprefix("cython.exceptval(").removesuffix(")").split(", ")
    if arguments == ["check=False"]:
        return "noexcept"
    return f"except {arguments[0]}" if "check=False" in arguments else f"except? {arguments[0]}"


def _declared(node: ast.ClassDef) -> list[str]:
    marks = [f"@{each}" for each in _decorators(node) if each in ("cython.final", "cython.no_gc")]
    seen = "public " if node.name in PUBLIC else ""
    body = [
        f"    cdef {seen}{_type(each.annotation)} {ast.unparse(each.target)}"
        for each in node.body
        if isinstance(each, ast.AnnAssign)
    ]
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    told = [line for each in methods if (line := _method(each))]
    return ["", "", *marks, f"cdef class {node.name}:", *body, *([""] if body else []), *told]


def declarations() -> dict[Path, str]:
    """The text of each `.pxd`, by its path."""
    trees = {kernel: ast.parse(source(kernel).read_text()) for kernel in KERNELS}
    classes = {kernel: {node.name for node in _classes(tree)} for kernel, tree in trees.items()}
    uses: dict[str, list[tuple[str, str]]] = {}
    for kernel, tree in trees.items():
        for node in tree.body:  # what is imported for types alone is none of it
            if isinstance(node, ast.ImportFrom) and node.module in classes:
                names = [each.name for each in node.names if each.name in classes[node.module]]
                uses.setdefault(kernel, []).extend((node.module, name) for name in names)
    used = {module for pairs in uses.values() for module, _ in pairs}
    found = {}
    for kernel in sorted(used | {kernel for kernel, pairs in uses.items() if pairs}):
        lines = [f"# Made by tests/declarations.py from {source(kernel).name}."]
        told = _classes(trees[kernel]) if kernel in used else []
        declared = [line for node in told for line in _declared(node)]
        if any("@cython." in line for line in declared):
            lines.append("cimport cython")
        pairs = sorted(set(uses.get(kernel, [])))
        lines += [f"from {module} cimport {name}" for module, name in pairs]
        lines += declared
        found[source(kernel).with_suffix(".pxd")] = "\n".join(lines) + "\n"
    return found


if __name__ == "__main__":
    for path, text in declarations().items():
        path.write_text(text)
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
