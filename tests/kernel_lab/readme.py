"""The README of a recorded case: its script's words, the kernel's record, how to read it."""

from __future__ import annotations

from typing import Any

from .case import Case

PAGE = """\
# {title}

{words}

## What the kernels recorded

{table}

When each began, to the microsecond or to what two looks at the sockets enclose, is in
`expected/states.json`. A state in parentheses began and ended within one segment.

## Read it

    tcptrace captures/{name}/{file}
    tcptrace timeline captures/{name}/{file}
    tcptrace anomalies captures/{name}/{file}

## How it was made

`python -m tests.kernel_lab.record {name}` on Linux {kernel}, {recorded}: real
sockets in two network namespaces, joined by a wire of our own that takes {delay} ms for each way.
{tap}{lost}

## Files

| file | holds |
|---|---|
{captures}
| `expected/states.json` | the truth: both hosts' sockets, as their kernel told of them |
| `expected/connections.csv` | what `tcptrace connections -T csv` says of the capture |
| `expected/timeline.csv` | what `tcptrace timeline -T csv` says of it |
| `expected/anomalies.csv` | what `tcptrace anomalies -T csv` says of it |
"""

TAPS = {
    "client": "The tap stands at the client's end of it.",
    "middle": "The tap stands half way.",
    "server": "The tap stands at the server's end of it.",
}
PLACES = {
    "client": "at the client's end",
    "middle": "half way",
    "server": "at the server's end",
}


def readme(case: Case, facts: dict[str, Any]) -> str:
    """The page for captures/`case.name`/README.md."""
    lost = "; ".join(facts["lost"])
    return PAGE.format(
        title=case.title,
        words=case.text.partition("\n")[2].strip(),
        table=_table(facts["endpoints"]),
        name=case.name,
        file=case.file,
        kernel=facts["kernel"],
        recorded=facts["recorded"],
        delay=facts["one_way_delay_ms"],
        tap=_taps(case),
        lost=f"Lost on purpose: {lost}." if lost else "Nothing was lost.",
        captures=_captures(case, facts),
    )


def _taps(case: Case) -> str:
    """Where the tap stands, or where all of them do and which of them is meant by "the tap"."""
    if not case.further:
        return f"{TAPS[case.tap]} "
    ends = " and ".join(PLACES[tap] for tap in case.further)
    return f'"The tap" stands {PLACES[case.tap]}; others stand {ends}.\n'


def _captures(case: Case, facts: dict[str, Any]) -> str:
    """A row of the table of files for each tap."""
    several = {tap: f"the tap {PLACES[tap]}" for tap in case.files}
    where = several if case.further else {case.tap: "the tap"}
    taps = facts.get("further_taps", {}) | {case.tap: facts}
    return "\n".join(
        f"| `{file}` | the {taps[tap]['packets']} packets that passed {where[tap]}, "
        "with nanosecond stamps |"
        for tap, file in case.files.items()
    )


def _table(endpoints: list[dict[str, Any]]) -> str:
    rows = [f"| {e['side']} | {e['ip']} port {e['port']} | {_states(e)} |" for e in endpoints]
    head = ["| side | endpoint | its states |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _states(endpoint: dict[str, Any]) -> str:
    steps = endpoint["states"]
    return " → ".join(f"({s['state']})" if s["transit"] else s["state"] for s in steps)
