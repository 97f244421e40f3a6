"""A copy of tcptrace whose kernels count the branches they take and abort where a number overflows.

    python -m tests.fuzz.build DIRECTORY [FLOOR...]    takes clang, gcc and Cython

Without a floor, every kernel; those of `tracker` are many, and only the target `whole` runs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tcptrace.compiled import KERNELS

ROOT = Path(__file__).resolve().parent.parent.parent
SANITIZERS = "-fsanitize=fuzzer-no-link,signed-integer-overflow,shift -fno-sanitize-recover=all"


def build(directory: Path, floors: list[str]) -> None:
    """Compile the floors' kernels of a copy in `directory`, with the sanitizers of libFuzzer."""
    package = directory / "tcptrace"
    shutil.rmtree(package, ignore_errors=True)
    ignored = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
    shutil.copytree(ROOT / "tcptrace", package, ignore=ignored)
    kernels = [name for name in KERNELS if not floors or name.split(".")[1] in floors]
    files = [name.replace(".", "/") + ".py" for name in kernels]
    # What the sanitizers call is in atheris' preloaded library, so that a plain linker will do.
    setting = {"CC": f"clang {SANITIZERS}", "LDSHARED": "gcc -shared", "CFLAGS": "-O1 -g1"}
    command = [str(Path(sys.executable).with_name("cythonize")), "-i", "-q", "-3", *files]
    subprocess.run(command, cwd=directory, env={**os.environ, **setting}, check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2:])
