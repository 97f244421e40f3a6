"""The four mixes: catalogues of scripts, which connections follow step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from numpy.random import Generator

from tcptrace.tcp.flags import ACK, FIN, PSH, RST, SYN

from .wish import Mix

CLIENT, SERVER = 0, 1
MS, SECOND = 1_000_000, 1_000_000_000
CATALOGUE = 300  # scripts of the web
ELEPHANTS = 20
WINDOW = 44  # segments that a server sends before it waits for an acknowledgement


class Step(NamedTuple):
    """A segment of a script; `again`: it repeats the last one of its sender; `flows`: it did not
    wait for what the other side has just sent; wait : ns more."""

    sender: int
    flags: int
    payload: int = 0
    again: bool = False
    wait: int = 0
    flows: bool = False


OPENING = (Step(CLIENT, SYN), Step(SERVER, SYN | ACK), Step(CLIENT, ACK))
UNANSWERED = (Step(CLIENT, SYN),)
INSISTENT = (*UNANSWERED, *(Step(CLIENT, SYN, 0, True, SECOND << n) for n in range(2)))
REFUSED = (Step(CLIENT, SYN), Step(SERVER, RST | ACK))
HALF_OPEN = (*OPENING[:2], Step(SERVER, SYN | ACK, 0, True, SECOND))
STEALTHY = (*OPENING[:2], Step(CLIENT, RST))
Script = tuple[Step, ...]
Catalogue = list[Script]


def closing(kind: float, first: int) -> Script:
    """How a connection ends whose `first` closes first; `kind` is a number from 0 to 1."""
    second = 1 - first
    fins = Step(first, FIN | ACK), Step(second, FIN | ACK)
    if kind < 0.08:
        return (Step(first, RST | ACK),)
    if kind < 0.12:
        return (fins[0], Step(second, ACK))  # and the second never closes
    if kind < 0.16:
        return (fins[0], Step(second, ACK), fins[1], Step(second, FIN | ACK, 0, True, 200 * MS))
    if kind < 0.4:
        return (*fins, Step(first, ACK))
    return (fins[0], Step(second, ACK), fins[1], Step(first, ACK))


def transfer(rng: Generator, segments: int, size: int = 1448) -> Script:
    """So many full segments of the server, every second one acknowledged, 1 % of them twice."""
    steps: list[Step] = []
    lost = rng.random(segments) < 0.01
    for place in range(segments):
        bits = ACK | (PSH if place == segments - 1 else 0)
        steps.append(Step(SERVER, bits, size, flows=place % WINDOW > 0))
        if lost[place]:
            steps.append(Step(SERVER, ACK, size, again=True, wait=30 * MS))
        if place % 2 or place == segments - 1:
            steps.append(Step(CLIENT, ACK))
    return tuple(steps)


def web(rng: Generator, packets: int) -> Catalogue:
    """Requests and answers, and now and then nobody who answers: 33 packets a connection."""
    scripts: Catalogue = []
    for _ in range(CATALOGUE):
        chance = rng.random()
        if chance < 0.04:
            scripts.append(REFUSED if chance < 0.015 else INSISTENT)
            continue
        steps = list(OPENING)
        for _ in range(rng.geometric(0.45)):
            steps.append(Step(CLIENT, PSH | ACK, int(rng.integers(80, 1200)), False, 150 * MS))
            steps.append(Step(SERVER, ACK))
            steps += transfer(rng, int(min(2 + 2.5 * rng.pareto(1.3), 300)))
        scripts.append((*steps, *closing(rng.random(), int(rng.random() < 0.5))))
    return scripts


def elephants(rng: Generator, packets: int) -> Catalogue:
    """A few transfers that last for the whole capture."""
    segments = packets // ELEPHANTS * 2 // 3 + 10
    return [(*OPENING, *transfer(rng, segments), *closing(1, SERVER)) for _ in range(2)]


def scan(rng: Generator, packets: int) -> Catalogue:
    """One host that knocks at many ports."""
    return [UNANSWERED] * 60 + [REFUSED] * 38 + [STEALTHY] * 2


def synflood(rng: Generator, packets: int) -> Catalogue:
    """Senders that nobody knows, each with one SYN for one service."""
    return [UNANSWERED] * 50 + [OPENING[:2]] * 25 + [HALF_OPEN] * 24 + [STEALTHY]


CATALOGUES: dict[Mix, Callable[[Generator, int], Catalogue]] = {
    Mix.WEB: web,
    Mix.ELEPHANTS: elephants,
    Mix.SCAN: scan,
    Mix.SYNFLOOD: synflood,
}
