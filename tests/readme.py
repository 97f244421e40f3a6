"""`python -m tests.readme`: write the generated parts of README.md anew.

A part stands between `<!-- begin KIND ARGUMENT -->` and `<!-- end -->`; `KINDS` says what makes it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tcptrace.tables.schema import SOCKETS, TABLES
from tcptrace.tcp.diagram import render
from tests.benchmarks.record import Record
from tests.benchmarks.rendering import rendered
from tests.kernel_lab.record import CASES

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
WIDTH = "100"

PART = re.compile(
    r"(?P<begin><!-- begin (?P<kind>\w+) (?P<argument>[^\n]+) -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def fresh(text: str) -> str:
    """The page with every generated part made now."""
    return PART.sub(lambda m: m["begin"] + KINDS[m["kind"]](m["argument"]) + m["end"], text)


def output(command: str) -> str:
    """A command line and what it prints on a pipe, `WIDTH` columns wide."""
    words = [sys.executable, "-m", *shlex.split(command)]
    environment = os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1"}
    run = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    lines = [line.rstrip() for line in run.stdout.splitlines()]
    return _fenced("console", "\n".join([f"$ {command}", *lines]))


def picture(command: str) -> str:
    """A command line that draws, and the file that it writes."""
    path = Path(shlex.split(command)[-1])
    return f"{_fenced('console', f'$ {command}')}\n![{path.stem}]({path})\n"


def drawn(command: str, path: Path) -> str:
    """What a command that draws writes, if it writes to `path` instead."""
    words = [sys.executable, "-m", *shlex.split(command)[:-1], str(path)]
    subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return path.read_text(encoding="utf-8")


def columns(table: str) -> str:
    """The columns of a table, from where they are declared."""
    return (TABLES | {SOCKETS.name: SOCKETS})[table].markdown()


def machine(kind: str) -> str:
    """The reference machine, drawn."""
    return _fenced(kind, render(kind))


def cases(folder: str) -> str:
    """The shipped captures and what each shows."""
    lines = ["| capture | shows |", "|---|---|"]
    for case in CASES.values():
        lines.append(f"| [`{case.name}`]({folder}/{case.name}) | {case.title} |")
    return "\n".join(lines) + "\n"


def measured(record: str) -> str:
    """What was measured of ours and of the peers, from the record that the command keeps."""
    return rendered(Record.read(ROOT / record))


KINDS: dict[str, Callable[[str], str]] = {
    "output": output,
    "picture": picture,
    "columns": columns,
    "machine": machine,
    "cases": cases,
    "measured": measured,
}


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```\n"


if __name__ == "__main__":
    README.write_text(fresh(README.read_text()))
    for part in PART.finditer(README.read_text()):
        if part["kind"] == "picture":
            drawn(part["argument"], ROOT / shlex.split(part["argument"])[-1])
