"""What kernels may call and read of each other at C speed: the `.pxd` beside them, from the `.py`.

`python -m tests.declarations` writes them all anew; a test says whether they are up to date. A
kernel has one where it uses a class of another kernel, or subclasses it, or is used so.

A method that other kernels are to inline is in the `.pxd` with its body, for which Cython wants
it to be final and nowhere else: in the `.py` it stands under `if not cython.compiled:`. So does the
import of what `memory.pxd`, written by hand, declares of C, and so do a kernel's constants: what
they amount to is in the `.pxd`, for only of a number does a C compiler know that it never changes.
"""

from __future__ import annotations

import ast
import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from textwrap import indent

from tcptrace.compiled import KERNELS

ROOT = Path(__file__).resolve().parent.parent
TYPES = {
    "longlong": "long long",
    "int": "int",
    "bint": "bint",
    "Py_ssize_t": "Py_ssize_t",
    "size_t": "size_t",
    "ulonglong": "unsigned long long",
    "longlong[::1]": "long long[::1]",
    "p_int": "int *",
    "p_longlong": "long long *",
    "ulonglong[::1]": "unsigned long long[::1]",
    "uchar[::1]": "unsigned char[::1]",
    "const[uchar][::1]": "const unsigned char[::1]",
}
INLINE = "not cython.compiled"
# Their attributes are read in Python, too.
PUBLIC = {
    "FourTuples",
    "Odds",
    "Packing",
    "Pages",
    "Queues",
    "Recent",
    "Silence",
    "Streams",
    "TakenBack",
    "Trains",
    "Waits",
    "Witness",
    "ZeekConnections",
    "ZeekHistories",
    "ZeekPackets",
    "ZeekSides",
}
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


def _method(node: ast.FunctionDef, within: bool) -> str | None:
    """A method's declaration; the whole of it where it stands `within` INLINE's block."""
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
    inline = "inline " if within else ""
    final = "    @cython.final\n" if "cython.final" in decorators else ""
    head = f"{final}    {kind} {inline}{_type(node.returns)} {node.name}("
    tail = f"{_raises(raises)}{nogil}{_body(node) if within else ''}"
    whole = f"{head}{', '.join(arguments)}) {tail}"
    if max(map(len, whole.splitlines())) <= MOST:
        return whole
    return f"{head}\n        {', '.join(arguments)}\n    ) {tail}"


def _body(node: ast.FunctionDef) -> str:
    """A method's statements, which are Cython's as they are where they declare nothing."""
    told = [each for each in node.body if each is not node.body[0] or not ast.get_docstring(node)]
    assert not any(isinstance(each, ast.AnnAssign) for each in ast.walk(node)), node.name
    return ":\n" + indent("\n".join(map(ast.unparse, told)), " " * 8)


def _raises(exceptval: str) -> str:
    arguments = exceptval.removeprefix("cython.exceptval(").removesuffix(")").split(", ")
    if arguments == ["check=False"]:
        return "noexcept"
    return f"except {arguments[0]}" if "check=False" in arguments else f"except? {arguments[0]}"


def _attribute(node: ast.ClassDef, annotation: ast.expr) -> str:
    """An attribute's type, and whether Python reads it, which has no pointers."""
    named = _type(annotation)
    return named if node.name not in PUBLIC or named.endswith("*") else f"public {named}"


def _declared(node: ast.ClassDef) -> list[str]:
    marks = [f"@{each}" for each in _decorators(node) if each in ("cython.final", "cython.no_gc")]
    body = [
        f"    cdef {_attribute(node, each.annotation)} {ast.unparse(each.target)}"
        for each in node.body
        if isinstance(each, ast.AnnAssign)
    ]
    found = [(each, False) for each in node.body]
    for block in node.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == INLINE:
            found += [(each, True) for each in block.body]
    methods = [(each, within) for each, within in found if isinstance(each, ast.FunctionDef)]
    told = [line for each, within in methods if (line := _method(each, within))]
    bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
    head = f"cdef class {node.name}{bases}:"
    return ["", "", *marks, head, *body, *([""] if body else []), *told]


def _of_interpreters(tree: ast.Module) -> list[ast.stmt]:
    """What stands in a kernel for interpreters alone, but in its classes."""
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return [each for node in blocks if ast.unparse(node.test) == INLINE for each in node.body]


def _of_c(tree: ast.Module) -> list[tuple[str, str]]:
    """Module and name of what an interpreter imports, and a compiled kernel has from C."""
    imports = [each for each in _of_interpreters(tree) if isinstance(each, ast.ImportFrom)]
    return [(str(each.module), name.name) for each in imports for name in each.names]


def _constants(tree: ast.Module) -> list[str]:
    """Those that a kernel tells interpreters, as numbers."""
    told = [each for each in _of_interpreters(tree) if isinstance(each, ast.Assign)]
    if not told:
        return []
    imports = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module not in KERNELS
    ]
    known: dict[str, int] = {}
    exec(compile(ast.Module([*imports, *told], []), "constants", "exec"), known)
    values = {
        name: int(known[name])
        for name in (ast.unparse(target) for each in told for target in each.targets)
    }
    small = {name: value for name, value in values.items() if abs(value) < 1 << 31}
    large = {name: value for name, value in values.items() if name not in small}
    lines = ["", "", "cdef enum:", *(f"    {name} = {value}" for name, value in small.items())]
    if large:  # Cython would have them as Python's integers
        lines += ["", "cdef extern from *:"]
        lines += [f'    const long long {name} "{value:#x}LL"' for name, value in large.items()]
    return lines


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
    calling = {kernel for kernel, tree in trees.items() if uses.get(kernel) or _of_c(tree)}
    for kernel in sorted(used | calling):
        lines = [f"# Made by tests/declarations.py from {source(kernel).name}."]
        directives = source(kernel).read_text().partition("\n")[0]
        told = _classes(trees[kernel]) if kernel in used else []
        declared = [line for node in told for line in _declared(node)]
        if any("@cython." in line for line in declared):
            lines.append("cimport cython")
        if any(" inline " in line for line in declared):  # bounds are checked as in the `.py`
            lines.insert(0, directives)
        pairs = sorted(set(uses.get(kernel, [])) | set(_of_c(trees[kernel])))
        lines += [f"from {module} cimport {name}" for module, name in pairs]
        lines += _constants(trees[kernel])
        lines += declared
        found[source(kernel).with_suffix(".pxd")] = "\n".join(lines) + "\n"
    return found


class _AsWritten:
    """Finds kernels as their `.py`: what is compiled may be of before the change."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return spec_from_file_location(name, source(name)) if name in KERNELS else None


if __name__ == "__main__":
    sys.meta_path.insert(0, _AsWritten())
    for path, text in declarations().items():
        path.write_text(text)
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
