"""`Witness`: looks at both hosts' sockets before and after everything that may move them.

A look that differs from the last one dates a move between the two; the tracepoint then gives
its exact moment, and the states that began and ended in between. What the tracepoint tells
and no look can explain is a contradiction, and the record is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tcptrace.tcp.states import State

from .kernel_trace import Move
from .sock_diag import Found, SockDiag

TRACE_STEP_NS = 1000  # the trace prints whole microseconds
TRACE_SLACK_NS = 2 * TRACE_STEP_NS


@dataclass
class Step:
    """One move of a life: it happened in [earliest, latest], monotonic ns."""

    earliest: int
    latest: int
    state: State
    transit: bool = False


@dataclass
class Life:
    """One socket from birth to death, under one four-tuple."""

    side: str
    found: Found
    steps: list[Step] = field(default_factory=list)

    @property
    def state(self) -> State:
        return self.steps[-1].state


class Witness:
    """The lives of all sockets of both hosts, in order of birth."""

    def __init__(self, asked: dict[str, SockDiag], clock: Callable[[], int]) -> None:
        self._clock = clock
        self._asked = asked
        self._last_look = dict.fromkeys(asked, 0)
        self._found: dict[str, dict[bytes, Found]] = {side: {} for side in asked}
        self._lives: dict[tuple[str, bytes], Life] = {}

    def look(self, side: str | None = None, fresh: int = 0) -> None:
        """Ask both hosts now, or one side's, and note what has changed since the last look.

        A look that is not yet `fresh` ns old is not repeated.
        """
        for whose in self._asked if side is None else [side]:
            if not fresh or self._clock() - self._last_look[whose] >= fresh:
                self._look_at(whose, self._asked[whose])

    def states(self, side: str) -> list[State]:
        """Where the sockets of a side were at the last look, in order of birth."""
        return [life.state for life in self._lives.values() if life.side == side]

    def lives(self, moves: list[Move]) -> list[Life]:
        """Every life with the kernel's own moments; ValueError if the two contradict."""
        lives = list(self._lives.values())
        for move in moves:
            if not any(_explains(life, move) for life in lives):
                own = [life.steps for life in lives if _same_socket(life, move)]
                raise ValueError(f"the trace tells of a move that no look has seen: {move}, {own}")
        for life in lives:
            places = range(len(life.steps))
            life.steps = [step for place in places for step in _refined(life, place, moves)]
        return sorted(lives, key=lambda life: life.steps[0].earliest)

    def close(self) -> None:
        """Ask no more."""
        for diag in self._asked.values():
            diag.close()

    def _look_at(self, side: str, diag: SockDiag) -> None:
        before = self._clock()
        found = {socket.cookie: socket for socket in diag.sockets()}
        now = self._clock()
        if found != self._found[side]:
            self._compare(side, found, now)
        self._found[side] = found
        self._last_look[side] = before

    def _compare(self, side: str, found: dict[bytes, Found], now: int) -> None:
        for cookie, socket in found.items():
            life = self._lives.setdefault((side, cookie), Life(side, socket))
            self._note(life, socket.state, now)
        for cookie in self._found[side].keys() - found.keys():
            self._note(self._lives[side, cookie], State.CLOSED, now)

    def _note(self, life: Life, state: State, now: int) -> None:
        if not life.steps or life.state is not state:
            life.steps.append(Step(self._last_look[life.side], now, state))


def _same_socket(life: Life, move: Move) -> bool:
    return (life.found.port, life.found.peer_port) == (move.port, move.peer_port)


def _within(step: Step, move: Move) -> bool:
    return step.earliest - TRACE_SLACK_NS <= move.at <= step.latest + TRACE_SLACK_NS


def _explains(life: Life, move: Move) -> bool:
    """CLOSED may be the birth of a minisocket, LISTEN is no connection's."""
    if move.state in (State.CLOSED, State.LISTEN) or move.peer_port == 0:
        return True
    return _same_socket(life, move) and any(_within(step, move) for step in life.steps)


def _refined(life: Life, place: int, moves: list[Move]) -> list[Step]:
    """The step with its exact moment, after the states that the looks were too slow for.

    A socket is never twice in the same state, so a state that some look has seen is no transit.
    """
    step, later = life.steps[place], life.steps[place + 1 :]
    looked = {State.CLOSED, *(seen.state for seen in life.steps)}
    told = [move for move in moves if _same_socket(life, move) and _within(step, move)]
    exact = [_moment(move, False) for move in told if move.state is step.state]
    transits = [
        _moment(move, True)
        for move in told
        if move.state not in looked and not any(_within(other, move) for other in later)
    ]
    return [*transits, *(exact[-1:] or [step])]


def _moment(move: Move, transit: bool) -> Step:
    return Step(move.at, move.at + TRACE_STEP_NS, move.state, transit)
