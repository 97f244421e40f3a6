"""Fixtures that more than one floor's tests use."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from tcptrace.compiled import KERNELS

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
INTERPRETED = "__interpreted"

settings.register_profile("any machine", deadline=None)  # a busy one may stall for seconds
settings.load_profile("any machine")


def pytest_configure() -> None:
    """A run in the background ignores Ctrl-C; what it interrupts must not inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def load_interpreted(name: str) -> ModuleType:
    """The kernel `name` run from its `.py` file, even where a compiled module stands beside it.

    So are the kernels whose classes it subclasses, for a subclass must see their C methods.
    """
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name + INTERPRETED, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[spec.name] = module
    with pytest.MonkeyPatch.context() as patch:
        for above in _kernels_above(ast.parse(path.read_text())):
            interpreted = sys.modules.get(above + INTERPRETED) or load_interpreted(above)
            patch.setitem(sys.modules, above, interpreted)
        spec.loader.exec_module(module)
    return module


def _kernels_above(tree: ast.Module) -> set[str]:
    """The kernels that the base classes of a kernel's classes are imported from."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    bases = {ast.unparse(base) for node in classes for base in node.bases}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    found = {node.module for node in imports if bases & {each.name for each in node.names}}
    return {module for module in found if module in KERNELS}


@pytest.fixture(params=["compiled", "interpreted"])
def kernel(request: pytest.FixtureRequest) -> Callable[[str], ModuleType]:
    """A loader of kernels: the test runs once on the compiled module, once on the same file."""

    def load(name: str) -> ModuleType:
        if request.param == "interpreted":
            return load_interpreted(name)
        module = importlib.import_module(name)
        if (module.__file__ or "").endswith(".py"):
            pytest.skip(f"{name} is not compiled here")
        return module

    return load


@pytest.fixture
def shared() -> Path:
    """The folder of shared captures and judges; the test is skipped where it is not there."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared captures at {SHARED}")
    return SHARED


@pytest.fixture
def loopback() -> None:
    """Connections of this host to itself; the test is skipped where even they cannot be made."""
    with socket.socket() as server, socket.socket() as client:
        try:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
        except OSError as error:
            pytest.skip(f"no network, not even the loopback interface: {error}")
