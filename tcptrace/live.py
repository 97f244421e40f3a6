"""`Live`: a capture that is still going on. Packets are taken in beside; updates are asked for.

A thread of its own reads, decodes and feeds the very tracker that reads files. Who asks for an
update has the connections judged as of now, from copies of their evidence, so that asking changes
nothing: the trace at the end is that of a file with the same packets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType

from tcptrace.decode.decoder import Decoder
from tcptrace.look import Heard, Look, Update
from tcptrace.pipeline import checked_count, profile_named
from tcptrace.sources import privileges
from tcptrace.sources.counters import Counters
from tcptrace.sources.filter import Filter
from tcptrace.sources.interface import BUFFER, Interface
from tcptrace.sources.live_source import LiveSource
from tcptrace.sources.packets import Packets
from tcptrace.tables.capture_facts import CaptureFacts, Loss
from tcptrace.tcp.profile import Profile
from tcptrace.trace import Trace
from tcptrace.tracker.current import Current
from tcptrace.tracker.present import Present
from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.transitions import EndReason, Transitions
from tcptrace.tracker.verdict import Verdict

OPEN_MOST = 200_000
KEPT_MOST = 500_000
RECENT = 20_000
AT_ONCE = 1024
INTERVAL = 1.0
SHARE = 4  # a look may take 1/SHARE of the time; the next one waits for so much longer


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
        self.source = source
        self._filter = filter
        self._left = count
        self._decoder = Decoder()
        self._tracker = Tracker(profile, OPEN_MOST)
        self._current = Current(self._tracker, profile)
        self._present = Present(RECENT)
        self._facts = CaptureFacts()
        self._told = 0
        self._evicted = 0
        self._forgotten = 0
        self._heard = Heard()
        self._moves = Transitions.zeros(0)
        self._trace: Trace | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._take_in, name="tcptrace-live", daemon=True)

    def start(self) -> Live:
        """Begin to take packets in."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take no more packets in; what was taken in can still be asked for."""
        self.source.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._ended.set()
        self.source.close()

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
        while not self._ended.wait(pause):
            began = time.monotonic()
            yield self.update()
            spent = time.monotonic() - began
            pause = max(self.interval - spent, spent * SHARE)
        yield self.update()
        if self._failure is not None:
            raise self._failure

    @property
    def ended(self) -> bool:
        """Whether the source has come to its end."""
        return self._ended.is_set()

    @property
    def counters(self) -> Counters:
        """What was taken in, and what was lost on the way."""
        return replace(self.source.counters(), evicted=self._evicted, forgotten=self._forgotten)

    def update(self) -> Update:
        """What has changed since the last update, as of now."""
        now = self.source.now()
        judged = self._judge(now)
        with self._lock:
            told = self._tracker.told(self._told)
            self._told += len(told)
            self._evicted += sum(_evicted(verdict) for verdict in told)
            self._forgotten += self._tracker.forget(KEPT_MOST)
            facts = self._facts_now(now)
        touched = self._present.take(told, judged)
        found, ordinals = self._present.reconstruction()
        facts.take_reconstruction(found)
        look = Look(found, ordinals, facts, self.profile, now)
        news = self._heard.news(look.anomalies)
        update = Update(look, self._moves, touched, news, self.counters)
        self._moves = look.moves
        return update

    @property
    def trace(self) -> Trace:
        """All that was seen; as a file of the same packets once the capture is over.

        Until then as of now, of open connections and of those that ended lately.
        """
        if not self._ended.is_set():
            return self.update().trace
        if self._trace is None:
            found = self._tracker.finish()
            facts = self._facts_now(None)
            facts.take_reconstruction(found)
            self._trace = Trace(found, facts, self.profile)
        return self._trace

    def _judge(self, now: int) -> list[Verdict]:
        """The connections that are due, judged a few at a time: between them packets are fed."""
        with self._lock:
            due = self._current.due(now)
        judged = []
        for start in range(0, len(due), AT_ONCE):
            with self._lock:
                judged.append(self._current.judge(due[start : start + AT_ONCE], now))
            time.sleep(0)
        return judged

    def _facts_now(self, now: int | None) -> CaptureFacts:
        """The facts so far; with `now`, of a capture that lasts until then."""
        self.source.counters()
        facts = replace(
            self._facts,
            loss=Loss(),
            skipped=self._decoder.skipped,
            counters=self._decoder.counters,
        )
        facts.take_files([self.source.facts], whole=False)
        if now is not None:
            facts.end = max(now, facts.end or now)
            facts.start = facts.end if facts.start is None else facts.start
        return facts

    def _take_in(self) -> None:
        """The other thread: from packets to the tracker, until the source ends."""
        try:
            for packets in self.source.batches():
                with self._lock:
                    self._feed(packets)
                if self._left == 0:
                    break
        except BaseException as error:  # it is raised again where the updates are asked for
            self._failure = error
        finally:
            self._ended.set()

    def _feed(self, packets: Packets) -> None:
        if self._filter is not None:
            packets = self._filter.apply(packets)
        if self._left is not None:
            packets = packets.take(slice(self._left))
            self._left -= len(packets)
        self._facts.take(packets)
        segments = self._decoder.feed(packets)
        self._facts.segments += len(segments)
        self._tracker.feed(segments)
        self._current.touch(segments)


def _evicted(verdict: Verdict) -> int:
    return int((verdict.connections.end_reason == EndReason.EVICTED).sum())
