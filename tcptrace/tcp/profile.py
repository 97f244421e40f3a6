"""`Profile`: the timers of one system, and what follows from them for a silent endpoint.

Durations are int64 ns, NEVER where a system has no such timer. A derived moment is a `Window`
[earliest, latest] after its cause, because timers fire late and never early: Linux rounds an
expiry up to its timer wheel's granularity (kernel/time/timer.c:calc_index).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from tcptrace.columns import Rows

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
NEVER = -1

_WHEEL_BITS = 3
_WHEEL_SLOTS = 63
_WHEEL_LEVELS = 9


class Window(NamedTuple):
    """Bounds of a moment, ns after its cause; both NEVER where it does not come."""

    earliest: int
    latest: int


class Retries(NamedTuple):
    """Retransmissions of one segment: when the first and the last were sent, ns, the gap before
    the last, and how many were made."""

    first: int
    last: int
    gap: int
    made: int

    @classmethod
    def of(cls, sends: Sequence[int]) -> Retries:
        """From the times of the segment and of its retransmissions, in order."""
        if len(sends) < 2:
            return cls(NEVER, NEVER, NEVER, 0)
        return cls(sends[1], sends[-1], sends[-1] - sends[-2], len(sends) - 1)


class TimerCells(Rows):
    """A profile as one row of int64, for kernels; ns unless said otherwise, NEVER (-1) for none."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "rto_init": "first retransmission timeout of a SYN and of a SYN,ACK",
        "rto_min": "least retransmission timeout",
        "rto_max": "greatest",
        "syn_retries": "how many SYNs follow the first",
        "syn_linear_timeouts": "how many of them come at the same distance before backoff begins",
        "syn_give_up_min": "SYN_SENT ends this long after the first SYN, earliest",
        "syn_give_up_max": "latest",
        "syn_ack_retries": "how many SYN,ACKs follow the first, without the peer's asking",
        "syn_ack_wait_min": "SYN_RCVD ends this long after the last of those SYN,ACKs, earliest",
        "syn_ack_wait_max": "latest",
        "syn_ack_give_up_min": "SYN_RCVD ends this long after the first SYN,ACK, earliest",
        "syn_ack_give_up_max": "latest",
        "fin_wait_2_min": "an orphan's FIN_WAIT_2 ends this long after its beginning, earliest",
        "fin_wait_2_max": "latest",
        "fin_wait_2_rto": "a retransmission timeout may make it longer if it is longer than this",
        "fin_wait_2_held": "the same while the socket is held",
        "time_wait_min": "TIME_WAIT ends this long after it was last restarted, earliest",
        "time_wait_max": "latest",
        "data_retries": "retransmissions of data before giving up",
        "data_give_up": "given up at the first expiry so long after the first retry; -1: by count",
        "orphan_retries": "the same of a closed socket's data and FIN",
        "orphan_give_up": "the same of a closed socket; -1: by count",
        "silent_give_up": "1 if giving up sends no RST",
        "rfc1337": "1 if a RST does not end TIME_WAIT",
        "tw_reuse": "1 if connect() may replace its own TIME_WAIT, 2 on loopback only",
        "tw_reuse_delay": "not before this age",
        "tw_by_timestamp": "1 if a newer TSval lets a SYN replace TIME_WAIT",
        "max_tw_buckets": "how many TIME_WAIT are kept on a host; more skip the state",
        "keepalive": "1 if every connection has keep-alive on",
        "keepalive_time": "idle for this long before the first probe",
        "keepalive_give_up": "an unanswered connection ends this long after its last segment",
        "tick": "granularity of the timer wheel's first level; 0 for no wheel",
        "slack": "how late timers fire where there is no wheel",
    }


@dataclass(frozen=True)
class Profile:
    """Timers and limits of one system; change fields with `dataclasses.replace`.

    Field names follow net.ipv4.tcp_* where Linux has the setting; `settings` holds the settings
    that were asked for and bear on no timeline.
    """

    name: str
    rto_init: int = SECOND
    rto_min: int = 200 * MILLISECOND
    rto_max: int = 120 * SECOND
    rto_slop: int = 0
    syn_retries: int = 6
    syn_linear_timeouts: int = 0
    syn_give_up: int = NEVER
    synack_retries: int = 5
    retries2: int = 15
    orphan_retries: int = 0
    count_retries: bool = False
    silent_give_up: bool = True
    fin_timeout: int = 60 * SECOND
    fin_timeout_split: int = NEVER
    fin_wait_2_late: int = 0
    fin_wait_2_held: int = NEVER
    time_wait: int = 60 * SECOND
    keepalive: bool = False
    keepalive_time: int = 7200 * SECOND
    keepalive_intvl: int = 75 * SECOND
    keepalive_probes: int = 9
    rfc1337: bool = False
    tw_reuse: int = 0
    tw_reuse_delay: int = SECOND
    tw_by_timestamp: bool = False
    max_tw_buckets: int = NEVER
    tick: int = 0
    late: int = 0
    settings: dict[str, int | str] = field(default_factory=dict, hash=False)

    def slack(self, duration: int) -> int:
        """How late a timer of `duration` ns may fire.

        Linux keeps timers in a wheel of levels, each eight times coarser than the one below; HZ
        gives the tick (kernel/time/timer.c). At most 13 % of the duration, and three ticks.
        """
        if not self.tick:
            return self.late
        return self.granularity(self.level(duration)) + 2 * self.tick

    def level(self, duration: int) -> int:
        """The level of Linux's timer wheel on which a timer of `duration` ns is; 0: the first."""
        level = 0
        while level < _WHEEL_LEVELS - 1 and duration >= self._begins(level + 1):
            level += 1
        return level

    def granularity(self, level: int) -> int:
        """The distance of the moments at which the timers of a level fire, ns."""
        return self.tick << (level * _WHEEL_BITS)

    def sure_level(self, waited: int) -> int:
        """The least level of a timer that fired after `waited` ns, late as it may have been."""
        level = 0
        while level < _WHEEL_LEVELS - 1 and waited >= self.least_wait(level + 1):
            level += 1
        return level

    def least_wait(self, level: int) -> int:
        """Whoever waits longer than that, ns, waits for a timer of the level or of a higher one."""
        return self._begins(level) + self.granularity(level - 1) + 2 * self.tick

    def _begins(self, level: int) -> int:
        """The shortest timer of a level but the first, ns."""
        return (self.tick * _WHEEL_SLOTS) << ((level - 1) * _WHEEL_BITS)

    def window(self, duration: int) -> Window:
        """When a timer of `duration` ns fires."""
        if duration == NEVER:
            return Window(NEVER, NEVER)
        return Window(duration, duration + self.slack(duration))

    def syn_schedule(self) -> list[int]:
        """When SYNs are sent, ns after the first, which is the 0 at the head of the list."""
        return [moment.earliest for moment in self._syn_moments[:-1]]

    def syn_gives_up(self) -> Window:
        """When SYN_SENT ends unanswered, after the first SYN (tcp_timer.c:tcp_write_timeout)."""
        if self.syn_retries == NEVER:
            return Window(NEVER, NEVER)
        return self._syn_moments[-1]

    def syn_ack_schedule(self) -> list[int]:
        """When SYN,ACKs are sent, ns after the first, if the peer repeats nothing."""
        moments = [0]
        for retry in range(max(self.synack_retries, 0)):
            moments.append(moments[-1] + self._backoff(retry))
        return moments

    def syn_ack_wait(self) -> Window:
        """When SYN_RCVD ends after its last SYN,ACK (Linux reqsk_timer_handler)."""
        if self.synack_retries == NEVER:
            return Window(NEVER, NEVER)
        return self.window(self._backoff(self.synack_retries))

    def syn_ack_gives_up(self) -> Window:
        """When SYN_RCVD ends unanswered, after its first SYN,ACK; the same function."""
        if self.synack_retries == NEVER:
            return Window(NEVER, NEVER)
        waits = [self.window(self._backoff(n)) for n in range(self.synack_retries + 1)]
        return Window(sum(w.earliest for w in waits), sum(w.latest for w in waits))

    def fin_wait_2(self, rto: int | None = None) -> Window:
        """When an orphan's FIN_WAIT_2 ends, after it began; `rto` is its timeout, if known.

        tcp.h:tcp_fin_time has a floor of 3.5 RTO. Above 60 s Linux waits twice for what exceeds
        60: tcp_rcv_state_process and tcp_keepalive_timer both take TCP_TIMEWAIT_LEN off, so 61
        gives 2 s and 120 gives 120 s.
        """
        if self.fin_timeout == NEVER:
            return Window(NEVER, NEVER)
        if self.fin_timeout_split == NEVER:
            return Window(
                self.fin_timeout, self.window(self.fin_timeout + self.fin_wait_2_late).latest
            )
        duration = self._fin_time(rto)
        if duration <= self.fin_timeout_split:
            return self.window(duration)
        stretch = self.window(duration - self.fin_timeout_split)
        return Window(2 * stretch.earliest, 2 * stretch.latest)

    def fin_wait_2_timer(self) -> int:
        """How long the last timer of an orphan's FIN_WAIT_2 is, ns; NEVER for none."""
        if self.fin_timeout == NEVER or self.fin_timeout_split == NEVER:
            return self.fin_timeout
        duration = self._fin_time(None)
        split = self.fin_timeout_split
        return duration if duration <= split else duration - split

    def _fin_time(self, rto: int | None) -> int:
        """tcp.h:tcp_fin_time, ns."""
        return max(self.fin_timeout, (self.rto_min if rto is None else rto) * 7 // 2)

    def _longest_rto(self) -> int:
        """The longest timeout that leaves FIN_WAIT_2's timer as it is; NEVER: each does."""
        if NEVER in (self.fin_timeout, self.fin_timeout_split):
            return NEVER
        return (2 * self._fin_time(None) + 1) // 7

    def time_waits(self) -> Window:
        """When TIME_WAIT ends, after it was last restarted (tcp_minisocks.c:tcp_time_wait)."""
        return self.window(self.time_wait)

    def retries(self, orphan: bool) -> int:
        """How many retransmissions of data (an orphan: data or FIN) come before giving up.

        tcp_timer.c:tcp_orphan_retries takes 0 as 8 while the path is alive.
        """
        if not orphan or self.count_retries or self.retries2 == NEVER:
            return self.retries2
        return self.orphan_retries or 8

    def patience(self, orphan: bool) -> int:
        """What must have passed since the first retry for an expiry to give up; NEVER: by count.

        tcp_timer.c:tcp_model_timeout: the time that so many retries would take from rto_min.
        """
        if self.count_retries or self.retries2 == NEVER:
            return NEVER
        return self._model(self.retries(orphan), self.rto_min)

    def gives_up(self, retries: Retries, orphan: bool) -> Window:
        """When an endpoint whose segment stays unacknowledged is CLOSED, in the clock of `retries`.

        Each wait is twice the one before, and only an expiry gives up
        (tcp_timer.c:retransmits_timed_out). A first retry may be a loss probe, which doubles
        nothing; a measured gap holds the slack of its timer.
        """
        patience, limit = self.patience(orphan), self.retries(orphan)
        if limit == NEVER or not retries.made:
            return Window(NEVER, NEVER)
        soonest = latest = retries.last
        short = max(retries.gap - self.slack(retries.gap), 1) << (retries.made > 1)
        long = max(2 * retries.gap, 1)
        earliest, made = NEVER, retries.made
        while True:
            long = min(long, self.rto_max)
            short = min(short, long)
            soonest, latest = soonest + short, latest + long + self.slack(long)
            by_count = patience == NEVER and made >= limit
            if earliest == NEVER and (by_count or 0 <= patience <= latest - retries.first):
                earliest = soonest
            if by_count or 0 <= patience <= soonest - retries.first:
                return Window(earliest, latest)
            short, long, made = 2 * short, 2 * long, made + 1

    def keepalive_gives_up(self) -> Window:
        """When unanswered keep-alive ends a connection, after its last segment."""
        if self.keepalive_time == NEVER:
            return Window(NEVER, NEVER)
        idle, probe = self.window(self.keepalive_time), self.window(self.keepalive_intvl)
        count = self.keepalive_probes
        return Window(idle.earliest + count * probe.earliest, idle.latest + count * probe.latest)

    def cells(self) -> memoryview:
        """The row of `TimerCells` for kernels, which only read it: int64, one cell a column."""
        return self._row.cells

    @cached_property
    def _row(self) -> TimerCells:
        values = self._values()
        return TimerCells(np.array([[values[name] for name in TimerCells.COLUMNS]], np.int64))

    def _values(self) -> dict[str, int]:
        syn, wait, ack = self.syn_gives_up(), self.syn_ack_wait(), self.syn_ack_gives_up()
        fin_wait_2, time_wait = self.fin_wait_2(), self.time_waits()
        return {
            "rto_init": self.rto_init,
            "rto_min": self.rto_min,
            "rto_max": self.rto_max,
            "syn_retries": len(self.syn_schedule()) - 1,
            "syn_linear_timeouts": self.syn_linear_timeouts,
            "syn_give_up_min": syn.earliest,
            "syn_give_up_max": syn.latest,
            "syn_ack_retries": self.synack_retries,
            "syn_ack_wait_min": wait.earliest,
            "syn_ack_wait_max": wait.latest,
            "syn_ack_give_up_min": ack.earliest,
            "syn_ack_give_up_max": ack.latest,
            "fin_wait_2_min": fin_wait_2.earliest,
            "fin_wait_2_max": fin_wait_2.latest,
            "fin_wait_2_rto": self._longest_rto(),
            "fin_wait_2_held": self.fin_wait_2_held,
            "time_wait_min": time_wait.earliest,
            "time_wait_max": time_wait.latest,
            "data_retries": self.retries(orphan=False),
            "data_give_up": self.patience(orphan=False),
            "orphan_retries": self.retries(orphan=True),
            "orphan_give_up": self.patience(orphan=True),
            "silent_give_up": int(self.silent_give_up),
            "rfc1337": int(self.rfc1337),
            "tw_reuse": self.tw_reuse,
            "tw_reuse_delay": self.tw_reuse_delay,
            "tw_by_timestamp": int(self.tw_by_timestamp),
            "max_tw_buckets": self.max_tw_buckets,
            "keepalive": int(self.keepalive),
            "keepalive_time": self.keepalive_time,
            "keepalive_give_up": self.keepalive_gives_up().latest,
            "tick": self.tick,
            "slack": self.late,
        }

    def _backoff(self, retry: int) -> int:
        """The wait after retransmission number `retry` (0: after the first transmission)."""
        return min((self.rto_init << retry) + (self.rto_slop if retry else 0), self.rto_max)

    def _model(self, retries: int, base: int) -> int:
        """tcp_timer.c:tcp_model_timeout: doubling waits from `base`, then linear at rto_max."""
        doubled = min(retries, max(self.rto_max // base, 1).bit_length() - 1)
        return ((2 << doubled) - 1) * base + (retries - doubled) * self.rto_max

    @cached_property
    def _syn_moments(self) -> list[Window]:
        """What `_each_syn` gives: each connection of a scan asks for it."""
        return list(self._each_syn())

    def _each_syn(self) -> Iterator[Window]:
        """Each SYN's moment, then the moment of giving up.

        Linux gives up at the expiry where either so many SYNs were repeated or the time that
        tcp_syn_retries doublings take has passed: with tcp_syn_retries=2 at 7 s, one SYN early.
        """
        early = late = 0
        retries = max(self.syn_retries, 0) + self.syn_linear_timeouts
        patience = self.syn_give_up
        if patience == NEVER:
            patience = self._model(max(self.syn_retries, 0), self.rto_init)
        yield Window(0, 0)
        for retry in range(retries + 1):
            wait = self._backoff(max(retry - self.syn_linear_timeouts, 0))
            early, late = early + wait, late + wait + self.slack(wait)
            over = retry == retries or early >= patience
            if over and self.syn_give_up != NEVER:
                yield self.window(self.syn_give_up)
            else:
                yield Window(early, late)
            if over:
                return
