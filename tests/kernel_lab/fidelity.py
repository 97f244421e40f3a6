"""`python -m tests.kernel_lab.fidelity`: how often tcptrace says what the kernels recorded.

Plays storms from fresh seeds (as root), reads each from its three taps, and prints README's table:
the four figures of `score` for the captures as they are and for worse ones (`tampering`). With
`--storms FOLDER` the storms are kept there, and those that are there already are judged anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import tcptrace

from .capture_file import LINKTYPE_ETHERNET, CaptureFile, read_pcap
from .facts import profile_of
from .play import STORMS_AT_A_TIME, play_all
from .score import Score, score
from .storm import storm
from .tampering import TAMPERINGS, Records
from .wire import TAPS

SEEDS = 20
SEED_LIMIT = 1 << 32
BEGIN, END = "<!-- fidelity -->\n", "<!-- end of fidelity -->"
README = Path(__file__).resolve().parents[2] / "README.md"
HEAD = """\
| captures | endpoints | exact | on time | claims | bounds | their width, median and 90 % |
|---|---|---|---|---|---|---|
"""


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as passing:
        storms = asked.storms or Path(passing)
        if not any(storms.glob("storm_*")):
            seeds = asked.seed or fresh_seeds(asked.seeds)
            print("seeds", *seeds, file=sys.stderr)
            _report(play_all([storm(seed) for seed in seeds], storms, STORMS_AT_A_TIME))
        folders = sorted(path.parent for path in storms.glob("storm_*/states.json"))
        table = judged(folders, asked.misses)
    print(table, end="")
    if asked.readme:
        _write_into_readme(table)
    return 0


def fresh_seeds(number: int) -> list[int]:
    """Seeds that nobody has chosen, as many over IPv4 as over IPv6."""
    chance = Random(os.urandom(8))
    return [chance.randrange(SEED_LIMIT // 2) * 2 + place % 2 for place in range(number)]


def judged(folders: list[Path], misses: Path | None = None) -> str:
    """README's table, a row for each tampering; what is missed is put into a folder."""
    rows = []
    for name in TAMPERINGS:
        total = Score()
        for folder in folders:
            total += _judged(folder, name, misses)
        rows.append(_row(name, total))
    return HEAD + "".join(rows)


def scored(facts: dict[str, Any], capture: Path, since: int = 0) -> Score:
    """The score of tcptrace on one capture, told the settings of its hosts."""
    profile = tcptrace.profile("linux", **profile_of(facts))
    return score(facts, tcptrace.read(capture, profile=profile, progress=False).timeline, since)


def _judged(folder: Path, name: str, misses: Path | None) -> Score:
    """One storm from its three taps."""
    total = Score()
    facts = json.loads((folder / "states.json").read_text())
    for tap in TAPS:
        whole = read_pcap(folder / f"{tap}.pcap")
        records = TAMPERINGS[name](whole, Random(f"{folder.name} {tap} {name}"))
        with tempfile.TemporaryDirectory() as passing:
            capture = Path(passing) / f"{tap}.pcap"
            CaptureFile(LINKTYPE_ETHERNET, records=records).write(capture)
            made = scored(facts, capture, _beginning(whole, records, name))
            if misses and made.faults:
                _keep(misses / name.replace(" ", "_") / folder.name, capture, folder, made.faults)
        total += made
    return total


def _beginning(whole: Records, records: Records, name: str) -> int:
    """When a capture without its head began; 0 for one that saw it all."""
    return records[0][0] if name == "head cut off" and records != whole else 0


def _keep(into: Path, capture: Path, folder: Path, faults: Iterable[str]) -> None:
    into.mkdir(parents=True, exist_ok=True)
    shutil.copy(capture, into)
    shutil.copy(folder / "states.json", into)
    (into / f"{capture.stem}.txt").write_text("".join(f"{fault}\n" for fault in faults))


def _row(name: str, total: Score) -> str:
    widths = sorted(total.widths) or [0]
    middle, most = (widths[int(len(widths) * share)] / 1e6 for share in (0.5, 0.9))
    figures = " | ".join(
        f"{total.share(of):.4f}" for of in ("exact", "on_time", "claims", "bounds")
    )
    return f"| {name} | {total.endpoints} | {figures} | {middle:.1f} ms, {most:.1f} ms |\n"


def _report(troubles: dict[str, str]) -> None:
    for name, trouble in troubles.items():
        if trouble:
            print(f"{name}: {trouble}", file=sys.stderr)


def _write_into_readme(table: str) -> None:
    page = README.read_text()
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"README.md has no place for the table: {BEGIN.strip()} ... {END}")
    README.write_text(before + BEGIN + table + end + after)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kernel_lab.fidelity", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many; {SEEDS} by default")
    parser.add_argument("--seed", type=int, action="append", help="this one; may be repeated")
    parser.add_argument("--storms", type=Path, metavar="FOLDER", help="keep the storms there")
    parser.add_argument("--misses", type=Path, metavar="FOLDER", help="put what is missed there")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
