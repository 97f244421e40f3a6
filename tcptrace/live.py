"""`sniff`, and `Live`: a capture that is still going on, and what changed in it.

Packets are taken in beside (`intake`). Who asks for an update has the connections judged as of
now, from copies of their evidence, so that asking changes nothing: the trace at the end is that of
a file with the same packets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType

import numpy as np

from tcptrace.columns import Matrix
from tcptrace.intake import Intake
from tcptrace.look import Heard, Known, Look, Update
from tcptrace.pipeline import checked_count, profile_named
from tcptrace.sources import privileges
from tcptrace.sources.filter import Filter
from tcptrace.sources.interface import BUFFER, Interface
from tcptrace.sources.live_source import Counters, LiveSource
from tcptrace.tables.wording import counted
from tcptrace.tcp.profile import Profile
from tcptrace.trace import Trace
from tcptrace.tracker.present import Present
from tcptrace.tracker.transitions import Transitions

AT_HAND = 50_000
INTERVAL = 1.0
PAUSE = 1.0  # a look is followed by a pause of as much time again, at the least
FINDINGS_PAUSE = 5.0  # the detectors look at everything: they pause for longer


def sniff(
    interface: str,
    *,
    filter: str | None = None,
    profile: str | Profile | None = None,
    count: int | None = None,
    interval: float = INTERVAL,
    buffer: int = BUFFER,
    user: str | None = None,
) -> Live:
    """Listen to a network interface and rebuild the states of both endpoints as traffic flows.

    interface : its name; "any" is all of them
    filter : which packets to take in, in tcpdump's language; by default TCP, the ICMP errors
        about it, and both of them in VLANs
    profile : timers of the silent states, by name or as `tcptrace.profile` made them; linux
    count : take in at most so many packets
    interval : seconds between two updates, at the least
    buffer : octets of memory in which packets wait
    user : whom this process is to be once it listens, for it needs no rights then; by default it
        stays who it is

    CaptureError without the right to listen (root, or CAP_NET_RAW) or without such an interface;
    UsageError for a filter, a profile, a user or a count that makes no sense.
    """
    timers, left = profile_named(profile), checked_count(count)
    source = Interface(interface, filter, buffer)
    if user is not None:
        privileges.become(user)
    return Live(source, timers, count=left, interval=interval)


class Live:
    """A live capture; iterate it for what changed, an `Update` each `interval` seconds.

        with tcptrace.sniff("eth0") as live:
            for update in live:
                print(update.timeline)

    Without `with`, `start` and `stop` begin and end it, and `update` may be asked for at any
    time: packets are taken in while other things go on. `trace` is all of it.
    """

    def __init__(
        self,
        source: LiveSource,
        profile: Profile,
        filter: Filter | None = None,
        count: int | None = None,
        interval: float = INTERVAL,
    ) -> None:
        self.interval = interval
        self.profile = profile
        self._intake = Intake(source, profile, filter, count)
        self._present = Present()
        self._touched: list[Matrix] = []
        self._look: Look | None = None
        self._told = Transitions.zeros(0)
        self._heard = Heard()
        self._next_findings = 0.0
        self._trace: Trace | None = None

    def __repr__(self) -> str:
        state = "ended" if self.ended else "running"
        received = counted(self._intake.source.counters().received, "packet")
        return f"<Live capture of {self._intake.source.facts.path}, {state}: {received}>"

    def start(self) -> Live:
        """Begin to take packets in."""
        self._intake.start()
        return self

    def stop(self) -> None:
        """Take no more packets in; what was taken in can still be asked for."""
        self._intake.stop()

    def __enter__(self) -> Live:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Update]:
        """An update each interval, and a last one at the end of the source.

        CaptureError, after the last update, where the source broke off.
        """
        pause = self.interval
        while not self._intake.ended.wait(pause):
            began = time.monotonic()
            yield self.update()
            spent = time.monotonic() - began
            pause = max(self.interval - spent, spent * PAUSE)
        yield self.update()
        if self._intake.failure is not None:
            raise self._intake.failure

    @property
    def ended(self) -> bool:
        """Whether the source has come to its end."""
        return self._intake.ended.is_set()

    @property
    def counters(self) -> Counters:
        """What was taken in, and what was lost on the way."""
        return self._intake.counters()

    def update(self) -> Update:
        """What has changed since the last update, as of now."""
        look = self._refresh()
        touched = np.unique(np.concatenate(self._touched))
        news = self._heard.news(look.known.table)
        before = self._told.take(np.isin(self._told.conn, touched))
        update = Update(look, before, touched, news, self.counters)
        self._touched = []
        self._remember(look)
        return update

    @property
    def trace(self) -> Trace:
        """All that was seen; as a file of the same packets once the capture is over.

        Until then as of now, of open connections and of those that ended lately.
        """
        if not self.ended:
            return self._refresh().trace
        if self._trace is None:
            found = self._intake.finish()
            facts = self._intake.facts(None)
            facts.add_reconstruction(found)
            self._trace = Trace(found, facts, self.profile)
        return self._trace

    def _refresh(self) -> Look:
        """Everything at hand as of now."""
        ended = self.ended
        now = self._intake.source.now()
        judged = self._intake.judge(now)
        self._touched.append(self._present.take(self._intake.told(), judged))
        found, ordinals = self._present.reconstruction()
        facts = self._intake.facts(now)
        facts.add_reconstruction(found)
        known = Known.nothing() if self._look is None else self._look.known
        look = Look(found, ordinals, facts, self.profile, now, known)
        began = time.monotonic()
        if ended or began >= self._next_findings:
            look = look.with_findings()
            ready = time.monotonic()
            self._next_findings = ready + FINDINGS_PAUSE * (ready - began)
        self._look = look
        if len(ordinals) > AT_HAND:
            self._present.give_up(look.over()[: len(ordinals) - AT_HAND])
        return look

    def _remember(self, look: Look) -> None:
        """What moves were told of each connection that may still move or is at hand."""
        gone = ~np.isin(self._told.conn, look.ordinals)
        still = np.isin(self._told.conn, self._intake.open())
        self._told = Transitions.concat([self._told.take(gone & still), look.moves])
