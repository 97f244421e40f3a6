"""`Intake`: a thread that takes packets in as they come: decoded, and fed to the tracker.

It is the very tracker that reads files. What is asked of it meanwhile is answered from copies, a
few connections at a time, so that the packets never wait for long.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from tcptrace.columns import Matrix
from tcptrace.decode.decoder import Decoder
from tcptrace.sources.filter import Filter
from tcptrace.sources.live_source import Counters, LiveSource
from tcptrace.sources.packets import Packets
from tcptrace.tables.capture_facts import CaptureFacts, Loss
from tcptrace.tcp.profile import Profile
from tcptrace.tracker.current import Current
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import EndReason
from tcptrace.tracker.verdict import Verdict

OPEN_MOST = 100_000
KEPT_MOST = 500_000
AT_ONCE = 256


class Intake:
    """Packets of a source, as far as `filter` lets them through and `count` goes.

    failure : what ended it before its time, once `ended` is set; None if nothing did
    """

    def __init__(
        self,
        source: LiveSource,
        profile: Profile,
        filter: Filter | None = None,
        count: int | None = None,
    ) -> None:
        self.source = source
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self._filter = filter
        self._left = count
        self._decoder = Decoder()
        self._tracker = Tracker(profile, OPEN_MOST)
        self._current = Current(self._tracker, profile)
        self._facts = CaptureFacts()
        self._told = self._evicted = self._forgotten = self._behind = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tcptrace-intake", daemon=True)

    def start(self) -> None:
        """Begin to take packets in."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more packets in, and close the source; what was taken in stays."""
        self.source.stop()
        if self._thread.is_alive():
            self._thread.join()
        self.ended.set()
        self.source.close()

    def judge(self, now: int) -> list[Verdict]:
        """What is said, as of `now`, of the connections for which that may have changed."""
        with self._lock:
            due = self._current.due(now)
        judged = []
        for start in range(0, len(due), AT_ONCE):
            with self._lock:
                judged.append(self._current.judge(due[start : start + AT_ONCE], now))
            time.sleep(0)  # else the thread that waits for the lock would rarely get it
        return judged

    def told(self) -> list[Verdict]:
        """What was said for good since the last time that this was asked."""
        with self._lock:
            told = self._tracker.told(self._told)
            self._told += len(told)
            self._evicted += sum(_evicted(verdict) for verdict in told)
            self._forgotten += self._tracker.forget(KEPT_MOST)
        return told

    def open(self) -> Matrix:
        """The ordinals of the connections that may still move."""
        with self._lock:
            table = self._tracker.table()
            ordinals: Matrix = table.ordinal[table.used != 0]
        return ordinals

    def counters(self) -> Counters:
        """What was taken in and lost; `behind` is the longest wait since the last call."""
        counters = replace(self.source.counters(), evicted=self._evicted, forgotten=self._forgotten)
        counters.behind = max(counters.behind, self._behind)
        self._behind = 0
        return counters

    def facts(self, now: int | None) -> CaptureFacts:
        """The facts so far; with `now`, of a capture that lasts until then."""
        self.source.counters()
        with self._lock:
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

    def finish(self) -> Reconstruction:
        """All of it, once it has ended; may be asked for once."""
        return self._tracker.finish()

    def _run(self) -> None:
        try:
            for packets in self.source.batches():
                self._behind = max(self._behind, self.source.counters().behind)
                with self._lock:
                    self._take(packets)
                if self._left == 0:
                    break
        except BaseException as error:  # told to whoever asks for updates, in another thread
            self.failure = error
        finally:
            self.ended.set()

    def _take(self, packets: Packets) -> None:
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
