"""libFuzzer on one target, through atheris, until it is told to stop; README.md has the command.

    python -m tests.fuzz.run BUILD TARGET [CORPUS...] [libFuzzer's options]

BUILD is where `tests.fuzz.build` made its copy, TARGET a name of `targets.TARGETS`.
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRELOADED = "TCPTRACE_FUZZ_PRELOADED"


def preload(build: str) -> None:
    """Begin again with the libraries that the kernels count branches with, and use the copy.

    The library that calls a mutator of our own must be there before libFuzzer looks for it.
    """
    spec = importlib.util.find_spec("atheris")
    assert spec is not None and spec.origin is not None, "pip install atheris"
    package = Path(spec.origin).parent
    (mutator,) = package.glob("custom_mutator.*.so")
    libraries = f"{package.parent / 'ubsan_with_fuzzer.so'}:{mutator}"
    paths = [build, str(package.parent), str(ROOT)]
    environment = {**os.environ, PRELOADED: "1", "LD_PRELOAD": libraries}
    environment |= {"PYTHONPATH": ":".join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONSAFEPATH"] = "1"  # else this tree's own tcptrace would be found first
    os.execve(sys.executable, [sys.executable, "-m", "tests.fuzz.run", *sys.argv[1:]], environment)


def fuzz(target: str, options: list[str]) -> None:
    """Fuzz it, in a process that `preload` began."""
    import atheris

    from tests.fuzz.mutation import mutated_capture, mutated_packets

    with atheris.instrument_imports(include=["tcptrace.sources", "tcptrace.decode"]):
        from tests.fuzz.targets import TARGETS

    change = mutated_packets if target == "decode" else mutated_capture

    def mutator(octets: bytes, most: int, seed: int) -> bytes:
        return change(octets, most, atheris.Mutate, random.Random(seed))

    atheris.Setup([sys.argv[0], *options], TARGETS[target], custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    if os.environ.get(PRELOADED):
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        preload(sys.argv[1])
