"""`PROGRAMS`: what is measured, ours and the peers, each with its command line.

A row more is all that a further peer takes. Results go into a folder that vanishes; what a program
prints goes nowhere.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = sys.executable
OURS = (HERE, "-m", "tcptrace")
REFERENCE = "tcptrace connections"
ENGINE = "engine alone"
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
NFSTREAM = (
    "import sys, nfstream; "
    "nfstream.NFStreamer(source=sys.argv[1], statistical_analysis=False).to_csv(sys.argv[2])"
)
NFSTREAM_VERSION = "from importlib.metadata import version; print('nfstream', version('nfstream'))"


@dataclass(frozen=True)
class Program:
    """name : also says of which kind the run is; `tool` is the name without that, if it differs
    command : its words; LOAD and OUT, where results may go, stand for paths
    asks : words that make it tell its version; says : a pattern of the answer, which tells it
    from another program of that name, and whose group is the version
    """

    name: str
    command: tuple[str, ...]
    asks: tuple[str, ...]
    says: str
    tool: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is this project's."""
        return self.command[:2] == (HERE, "-m")

    def on(self, load: Path, out: Path, path: str) -> list[str]:
        """The command line, for one load."""
        words = [{"LOAD": str(load), "OUT": str(out)}.get(word, word) for word in self.command]
        return [path, *words[1:]]


def _ours(name: str, *words: str) -> Program:
    return Program(name, (*OURS, *words), ("-m", "tcptrace", "--version"), r"tcptrace (\S+)")


PARQUET = ("-q", "LOAD", "-T", "parquet", "-o", "OUT")
TSHARK = (("--version",), r"TShark \(Wireshark\) (\S+?)\.? ", "tshark")
FIELDS = (
    "-e frame.number -e frame.time_epoch -e tcp.stream -e ip.src -e ip.dst -e tcp.srcport "
    "-e tcp.dstport -e tcp.flags"
)

PROGRAMS = (
    _ours(REFERENCE, "connections", *PARQUET),
    _ours("tcptrace timeline", "timeline", *PARQUET),
    _ours("tcptrace (report)", "-q", "LOAD"),
    Program(
        ENGINE,
        (HERE, "-m", "tests.benchmarks.engine", "LOAD"),
        ("-c", "import sys; print('Python', sys.version)"),
        r"Python (\S+)",
    ),
    Program("cat", ("cat", "LOAD"), ("--version",), r"cat \(GNU coreutils\) (\S+)"),
    Program(
        "tcpdump -w /dev/null",
        ("tcpdump", "-r", "LOAD", "-w", "/dev/null"),
        ("--version",),
        r"tcpdump version (\S+)",
        "tcpdump",
    ),
    Program("argus", ("argus", "-r", "LOAD", "-w", "OUT"), ("-h",), r"Argus Version (\S+)"),
    Program("nfpcapd", ("nfpcapd", "-r", "LOAD", "-w", "."), ("-V",), r"Version: ([\d.]+)"),
    Program(
        "C tcptrace", ("tcptrace", "-n", "-l", "LOAD"), ("-v",), r"Ostermann's.* version (\S+)"
    ),
    Program(
        "tcpflow -FX",
        ("tcpflow", "-r", "LOAD", "-o", "OUT", "-FX", "-q"),
        ("-V",),
        r"TCPFLOW (\S+)",
        "tcpflow",
    ),
    Program("ndpiReader", ("ndpiReader", "-i", "LOAD", "-q"), ("-h",), r"nDPI ([\d.]+)"),
    Program(
        "nfstream",
        (HERE, "-c", NFSTREAM, "LOAD", "OUT"),
        ("-c", NFSTREAM_VERSION),
        r"nfstream (\S+)",
    ),
    Program("tshark -z conv,tcp", ("tshark", "-n", "-q", "-r", "LOAD", "-z", "conv,tcp"), *TSHARK),
    Program(
        "tshark -T fields",
        ("tshark", "-n", "-r", "LOAD", "-T", "fields", *FIELDS.split()),
        *TSHARK,
    ),
)


@dataclass(frozen=True)
class Found:
    """A program that is here: where, and its version."""

    program: Program
    path: str
    version: str


def found(program: Program) -> Found | None:
    """The first on the path that answers as the program does; None if there is none."""
    for path in _candidates(program.command[0]):
        said = _answer([path, *program.asks])
        match = re.search(program.says, said)
        if match:
            return Found(program, path, match[1].rstrip(",:"))
    return None


def _candidates(name: str) -> Iterator[str]:
    if "/" in name:
        yield name
        return
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *MORE_FOLDERS):
        path = Path(folder, name)
        if path.is_file() and os.access(path, os.X_OK):
            yield str(path)


def _answer(command: list[str]) -> str:
    """What a program prints of itself, on whichever stream."""
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout + told.stderr
