# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Waits`: how long an endpoint waits before it repeats what was not acknowledged.

It goes by its own estimate of the round trip (RFC 6298 section 2; Linux tcp_rtt_estimator), which
the tap can follow: it sees what was acknowledged, and about when.
"""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.witness import Witness

KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
HAS_TIMESTAMP = cython.declare(cython.Py_ssize_t, Evidence.index("has_timestamp"))
TSVAL = cython.declare(cython.Py_ssize_t, Evidence.index("tsval"))
TSECR = cython.declare(cython.Py_ssize_t, Evidence.index("tsecr"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
BEGIN = cython.declare(cython.Py_ssize_t, Evidence.index("begin"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
REPEAT = cython.declare(cython.Py_ssize_t, Evidence.index("repeat"))
DOUBT = cython.declare(cython.Py_ssize_t, Evidence.index("doubt"))
SENT = cython.declare(cython.Py_ssize_t, Evidence.index("sent"))
ARRIVES = cython.declare(cython.Py_ssize_t, Evidence.index("arrives"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
RTO_MIN = cython.declare(cython.longlong, 200_000_000)
FINE_UNTIL = cython.declare(cython.longlong, 252_000_000)  # the timer wheel's first level
FINE = cython.declare(cython.longlong, 4_000_000)
COARSE = cython.declare(cython.longlong, 16_000_000)  # half of the second level's granularity
LOOK_BACK = cython.declare(cython.Py_ssize_t, 64)
NEVER = cython.declare(cython.longlong, -1)


@cython.final
@cython.cclass
class Waits:
    """The estimate of one side at one moment, which `measure` makes; ns.

    srtt : smoothed round trip; NEVER if nothing that it sent was acknowledged
    rto : retransmission timeout, as long as nothing is repeated
    """

    r: cython.longlong[::1]
    srtt: cython.longlong
    rto: cython.longlong
    mdev: cython.longlong
    mdev_max: cython.longlong
    rttvar: cython.longlong
    rtt_seq: cython.longlong
    nxt: cython.longlong

    def __init__(self, witness: Witness) -> None:
        self.r = witness.r
        self.srtt = self.rto = NEVER
        self.mdev = self.mdev_max = self.rttvar = self.rtt_seq = self.nxt = 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def measure(
        self,
        first: cython.Py_ssize_t,
        last: cython.Py_ssize_t,
        side: cython.longlong,
        moment: cython.longlong,
    ) -> cython.int:
        """Follow a side of the connection whose rows are [first, last) up to a moment."""
        self.srtt = self.rto = NEVER
        self.rtt_seq = self.nxt = 0
        una: cython.longlong = 0
        row: cython.Py_ssize_t
        for row in range(first, last):
            k: cython.Py_ssize_t = row * WIDTH
            if (
                self.r[k + SENDER] == side
                or self.r[k + KIND] != SEGMENT
                or self.r[k + COPY]
                or self.r[k + DOUBT]
            ):
                continue
            acks: cython.bint = self.r[k + FLAGS] & (ACK_BIT | RST) == ACK_BIT
            if acks and self.r[k + ACKED] > una and self.r[k + ARRIVES] <= moment:
                if self._lacks(last, side, row, una):
                    continue
                sample: cython.longlong = self._sample(first, side, row, una)
                una = self.r[k + ACKED]
                if sample >= 0:
                    self._learn(sample, una)
        if self.srtt != NEVER:
            self.rto = self.srtt + self.rttvar
        return 0

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _lacks(
        self,
        last: cython.Py_ssize_t,
        side: cython.longlong,
        ack: cython.Py_ssize_t,
        una: cython.longlong,
    ) -> cython.bint:
        """Whether an ACK was lost behind the tap: the side repeats what it acknowledges."""
        a: cython.Py_ssize_t = ack * WIDTH
        row: cython.Py_ssize_t
        for row in range(ack + 1, min(last, ack + LOOK_BACK)):
            k: cython.Py_ssize_t = row * WIDTH
            again: cython.bint = (
                self.r[k + SENDER] == side and self.r[k + REPEAT] != 0 and not self.r[k + COPY]
            )
            later: cython.bint = self.r[k + SENT] > self.r[a + ARRIVES] + COARSE
            if again and later and una < self.r[k + END] and self.r[k + BEGIN] < self.r[a + ACKED]:
                return True
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _sample(
        self,
        first: cython.Py_ssize_t,
        side: cython.longlong,
        ack: cython.Py_ssize_t,
        una: cython.longlong,
    ) -> cython.longlong:
        """How long ago the oldest newly acknowledged octet was sent; by TSecr if it was repeated.

        `nxt` is one past the highest octet that had been sent by then. -2 where nothing tells.
        """
        a: cython.Py_ssize_t = ack * WIDTH
        oldest: cython.longlong = NEVER
        echoed: cython.longlong = NEVER
        repeated: cython.bint = False
        row: cython.Py_ssize_t
        for row in range(max(first, ack - LOOK_BACK), ack):
            k: cython.Py_ssize_t = row * WIDTH
            if self.r[k + SENDER] != side or self.r[k + KIND] != SEGMENT or self.r[k + COPY]:
                continue
            self.nxt = max(self.nxt, self.r[k + END])
            if (
                self.r[k + END] <= una
                or self.r[k + BEGIN] >= self.r[a + ACKED]
                or self.r[k + END] <= self.r[k + BEGIN]
            ):
                continue
            if (
                self.r[k + HAS_TIMESTAMP]
                and self.r[a + HAS_TIMESTAMP]
                and self.r[k + TSVAL] == self.r[a + TSECR]
            ):
                echoed = self.r[k + SENT]
            repeated = repeated or self.r[k + REPEAT] != 0
            if oldest == NEVER:
                oldest = self.r[k + SENT]
        if repeated or oldest == NEVER:
            oldest = echoed
        return max(0, self.r[a + ARRIVES] - oldest) if oldest != NEVER else -2

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def _learn(self, sample: cython.longlong, una: cython.longlong) -> cython.int:
        """Linux tcp_rtt_estimator; `rttvar` is four times the deviation, and RTO_MIN at least."""
        if self.srtt == NEVER:
            self.srtt, self.mdev = sample, 2 * sample
            self.mdev_max = self.rttvar = max(self.mdev, RTO_MIN)
            self.rtt_seq = self.nxt
            return 0
        error: cython.longlong = sample - self.srtt
        self.srtt += error // 8
        if error < 0:
            error = -error - self.mdev // 4
            error = error // 8 if error > 0 else error
        else:
            error -= self.mdev // 4
        self.mdev += error
        if self.mdev > self.mdev_max:
            self.mdev_max = self.mdev
            self.rttvar = max(self.rttvar, self.mdev_max)
        if una > self.rtt_seq:
            if self.mdev_max < self.rttvar:
                self.rttvar -= (self.rttvar - self.mdev_max) // 4
            self.rtt_seq = self.nxt
            self.mdev_max = RTO_MIN
        return 0

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def of_probe(self) -> cython.longlong:
        """How long after the last of its segments a tail-loss probe repeats it; 0: not known.

        Twice the round trip and the delayed ACK that the peer may make, but no longer than the
        timeout (Linux tcp_schedule_loss_probe); the wheel rounds longer ones up.
        """
        if self.srtt == NEVER:
            return 0
        wait: cython.longlong = min(2 * self.srtt + RTO_MIN, self.rto)
        return wait + (FINE if wait < FINE_UNTIL else COARSE)

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1, check=True)
    def timeout(self) -> cython.longlong:
        """The retransmission timeout; 0: not known."""
        return max(self.rto, 0)
