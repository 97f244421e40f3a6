"""`instructions`: how many instructions ran inside each shared object, as callgrind counts them.

They are the same in every run, on a busy machine, too. callgrind's file is told in valgrind's
manual, "Callgrind Format Specification".
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

OBJECT = re.compile(r"c?ob=\((\d+)\)(?: (.*))?")
COST = re.compile(r"[\d+*-]")


def instructions(command: list[str], into: Path, environment: dict[str, str]) -> Counter[str]:
    """Run a command under callgrind, which writes the file `into`; the counts by object's path."""
    words = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={into}", *command]
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if told.returncode:
        raise SystemExit(f"{' '.join(words)}\n{told.stderr}")
    with into.open() as lines:
        return by_object(lines)


def by_object(lines: Iterable[str]) -> Counter[str]:
    """Self cost by object; the line that follows `calls=` tells what the callee cost, again."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    here, of_callee = "", False
    for line in lines:
        named = OBJECT.match(line)
        if named:
            number, name = named.groups()
            if name:
                names[number] = name.strip()
            if line.startswith("ob="):
                here = number
        elif line.startswith("calls="):
            of_callee = True
        elif COST.match(line):
            if not of_callee:
                counts[names[here]] += int(line.split()[1])
            of_callee = False
    return counts
