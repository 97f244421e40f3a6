"""Storms: many connections at once through bad weather, all of it from one seed.

Each connection is a conversation: one generator that plays the programs at both ends and yields
whenever it has to wait. One thread plays all of them, so that each look at the
kernels stands between two single acts, as in every other case.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from random import Random

from .case import Case
from .conversations import CONVERSATIONS, Conversation, Need, Play
from .lab import Lab
from .weather import Weather

CONNECTIONS = 40
BEGINS_WITHIN = 4.0  # seconds: the last conversation has begun by then
LASTS_AT_MOST = 30.0
QUIET_AFTER = 3.0
BACKLOG = 128
JITTER_NS = 20_000_000
LOSS = (0.05, 0.10)
DUPLICATION = (0.01, 0.10)

# Timers that end within a storm; the profile is told of them.
SHORT_TIMERS = {
    "ipv4/tcp_fin_timeout": 3,
    "ipv4/tcp_orphan_retries": 2,
    "ipv4/tcp_syn_retries": 2,
    "ipv4/tcp_synack_retries": 2,
    "ipv4/tcp_retries2": 4,
}


def storm(seed: int) -> Case:
    """The storm of a seed; odd seeds blow over IPv6."""
    chance = Random(seed)
    weather = Weather(
        seed,
        loss=chance.uniform(*LOSS),
        jitter=JITTER_NS,
        duplication=chance.uniform(*DUPLICATION),
    )
    return Case(
        Storm(seed).play,
        None,
        None,
        family=socket.AF_INET6 if seed % 2 else socket.AF_INET,
        sysctls=SHORT_TIMERS,
        weather=weather,
        ports=CONNECTIONS,
        named=f"storm_{seed}",
    )


@dataclass
class Actor:
    """A conversation under way, and what it waits for."""

    talk: Conversation
    play: Play
    need: Need
    deadline: float = field(default=0.0)

    def __post_init__(self) -> None:
        self._wait_for(self.need)

    def advance(self) -> bool:
        """Go on if what it waits for has come, or will come no more; whether it is at its end."""
        while (come := bool(self.need.reached())) or time.monotonic() >= self.deadline:
            try:
                self._wait_for(self.play.send(come))
            except StopIteration:
                return True
        return False

    def _wait_for(self, need: Need) -> None:
        self.need = need
        self.deadline = time.monotonic() + need.limit


class Storm:
    """The script of a storm."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def play(self, lab: Lab) -> None:
        """Storm: many connections of every kind at once, under loss, jitter and duplication."""
        listener = lab.listen(BACKLOG)
        actors = self._actors(lab)
        by_port = {actor.talk.port: actor.talk for actor in actors}

        def advance() -> bool:
            _accept(lab, listener, by_port)
            actors[:] = [actor for actor in actors if not actor.advance()]
            return not actors

        lab.until(advance, limit=LASTS_AT_MOST)
        lab.wait(QUIET_AFTER)

    def _actors(self, lab: Lab) -> list[Actor]:
        chance = Random(self.seed)
        kinds = chance.choices(list(CONVERSATIONS), list(CONVERSATIONS.values()), k=CONNECTIONS)
        actors = []
        for number, kind in enumerate(kinds):
            talk = Conversation(lab, lab.next_port + number, Random(chance.random()))
            begins = Need(lambda: False, chance.uniform(0, BEGINS_WITHIN))
            actors.append(Actor(talk, _begun(kind(talk)), begins))
        for actor in actors:
            next(actor.play)
        return actors


def _begun(play: Play) -> Play:
    """A conversation that may be sent what it has not yet asked for."""
    yield Need(lambda: False, 0)
    yield from play


def _accept(lab: Lab, listener: socket.socket, by_port: dict[int, Conversation]) -> None:
    """Give each accepted socket to its conversation; one that is too late is closed."""
    while select.select([listener], [], [], 0)[0]:
        made = lab.accept(listener)
        _give(lab, made, by_port)


def _give(lab: Lab, made: socket.socket, by_port: dict[int, Conversation]) -> None:
    try:
        port = made.getpeername()[1]
    except OSError:  # reset before it was accepted: the program never learns by whom
        return lab.act(made.close)
    by_port[port].server = made
