"""`rendered`: README's tables of a record. Nothing in them is typed by hand."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from .programs import ENGINE, PROGRAMS, REFERENCE
from .record import Load, Record
from .runs import DONE, TIMEOUT, Run

NOTHING = "Not measured yet.\n"
Cell = Callable[[Load, str], str]


def rendered(record: Record) -> str:
    """When, where and with what it was measured; then speed and memory, a row a load."""
    if not record.loads:
        return NOTHING
    names = [program.name for program in PROGRAMS if program.name in record.versions]
    speed = table(record, names, lambda load, name: speed_cell(load, name, record))
    memory = table(record, names, lambda load, name: memory_cell(load, name, record))
    return (
        f"{caption(record)}\n"
        f"Million packets per second; in parentheses how many times as long as `{REFERENCE}` it "
        f"took:\n\n{speed}\n"
        f"Memory at most, MB:\n\n{memory}"
    )


def caption(record: Record) -> str:
    """All that a figure depends on."""
    machine = record.machine
    versions = [f"{name} {version}" for name, version in _peers(record).items()]
    lines = [
        f"Measured on {record.date} with tcptrace {record.commit} (Python "
        f"{record.versions[ENGINE]}) on {machine.cpu}, {machine.cores} cores, "
        f"{machine.memory / 2**30:.0f} GB, {machine.system}. The whole process is timed, but for "
        f"*{ENGINE}* only its work; the median of {record.repetitions} runs of each, in turns, the "
        "capture in the page cache. What took more than "
        f"{record.patience:g} s was run once, what took more than {record.limit:g} s was stopped. "
        f"Runs differ from their median by at most {spread(record):.0%}.",
        f"Peers: {', '.join(versions) or 'none'}.",
        f"Not measured, for not installed there: {', '.join(record.absent) or 'none'}.",
    ]
    return "\n".join(lines) + "\n"


def table(record: Record, names: list[str], cell: Cell) -> str:
    """Markdown, a row a load, a column a program."""
    head = ["load", "packets", "connections", *names]
    lines = [_line(head), f"{'|---' * len(head)}|\n"]
    for load in record.loads:
        facts = [f"`{load.name}`", f"{load.packets:,}", f"{load.connections:,}"]
        lines.append(_line([*facts, *(cell(load, name) for name in names)]))
    return "".join(lines)


def speed_cell(load: Load, name: str, record: Record) -> str:
    """Such as `0.98 (2.1)`; how it ended, if it did not."""
    runs = load.runs[name]
    failed = _failure(runs, record)
    if failed:
        return failed
    seconds, reference = _seconds(runs), load.runs[REFERENCE]
    rate = short(load.packets / seconds / 1e6)
    if name == REFERENCE or _failure(reference, record):
        return rate
    return f"{rate} ({short(seconds / _seconds(reference))})"


def memory_cell(load: Load, name: str, record: Record) -> str:
    """The median of the peaks; a bound where the system cannot tell less, or it was not all."""
    runs = load.runs[name]
    peak = median(run.peak for run in runs)
    if peak <= record.floor:
        return f"< {record.floor / 1e6:.0f}"
    return f"{'> ' if _failure(runs, record) else ''}{peak / 1e6:,.0f}"


def short(number: float) -> str:
    """Two figures, or all before the point; never an exponent."""
    if number < 1e-4:
        return "< 0.0001"
    return f"{number:,.0f}" if number >= 9.95 else f"{number:.2g}"


def spread(record: Record) -> float:
    """The largest share by which a run's time differs from the median of its kind."""
    shares = [0.0]
    for load in record.loads:
        for runs in load.runs.values():
            middle = _seconds(runs)
            shares += [abs(run.seconds - middle) / middle for run in runs if run.outcome == DONE]
    return max(shares)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _failure(runs: list[Run], record: Record) -> str:
    ends = [run.outcome for run in runs if run.outcome != DONE]
    if not ends:
        return ""
    return f"> {record.limit:g} s" if ends[0] == TIMEOUT else ends[0]


def _seconds(runs: list[Run]) -> float:
    return median(run.seconds for run in runs)


def _peers(record: Record) -> dict[str, str]:
    peers = [program for program in PROGRAMS if not program.is_ours]
    return {
        program.tool or program.name: record.versions[program.name]
        for program in peers
        if program.name in record.versions
    }
