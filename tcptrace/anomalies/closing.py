"""Anomalies of closing. Read `CLOSING` first; a new one is a row and the function it names.

RFC 9293 section 3.6. FIN_WAIT_2 and CLOSE_WAIT have no timer there: who waits in FIN_WAIT_2 waits
for an application at the other end.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tcptrace.anomalies.anomaly import THRESHOLDS, Anomaly
from tcptrace.anomalies.evidence import NEVER, Evidence, Mask, Numbers, Some, swapped
from tcptrace.anomalies.groups import Group, Hits, by_service
from tcptrace.anomalies.sentences import Sentences
from tcptrace.tables.schema import SEVERITIES
from tcptrace.tcp.states import Event, State

INFO, WARNING = SEVERITIES.index("info"), SEVERITIES.index("warning")


def missing_final_ack(seen: Evidence) -> Iterator[Group]:
    """A FIN's owner in LAST_ACK or CLOSING was never told that its FIN had arrived.

    The capture must have gone on for some retransmission timeouts, and the ACK must not be one
    that later packets show to have been there although it was not captured.
    """
    some = seen.where((seen.own("fin_count") > 0) & (seen.own("fin_acked_packet") == 0))
    some = some.where((some.own("rst_count") == 0) & (some.peer("rst_count") == 0))
    some = some.where(some.two_sided)
    some = some.where(some.until - some.own("fin_last_time") >= _final_ack_wait(some))
    told = some.caused(Event.RCV_ACK_OF_FIN) != NEVER
    hits = some.where((some.entered(State.LAST_ACK, State.CLOSING) != NEVER) & ~told)
    fins, first, last = (hits.own(f"fin_{name}") for name in ("count", "time", "last_time"))
    found = Hits(
        endpoint=hits.ends,
        ts=first,
        duration=hits.until - first,
        packets=[hits.own("fin_packet"), hits.own("fin_last_packet")],
        variant=np.where(fins > 1, "retransmitted", "silent"),
        severity=np.full(len(hits), WARNING),
        facts={
            "fins": fins,
            "tried": last - first,
            "silence": hits.until - last,
            "peer_fin": hits.peer("fin_packet"),
            "peer_last": hits.peer("last_packet"),
        },
    )
    yield from by_service(seen, found, _both_closed(seen))


def _final_ack_wait(some: Some) -> Numbers:
    """How long the capture must go on after the last FIN: three timeouts, a second at least."""
    trip = np.maximum(some.shared("rtt_orig"), 0) + np.maximum(some.shared("rtt_resp"), 0)
    timeout = trip + max(some.seen.profile.rto_min, 0)
    wait: Numbers = np.maximum(THRESHOLDS.final_ack_timeouts * timeout, THRESHOLDS.final_ack_wait)
    return wait


def _both_closed(seen: Evidence) -> Mask:
    both: Mask = (seen.own("fin_count") > 0) & (seen.peer("fin_count") > 0)
    return both


def half_close_in_use(seen: Evidence) -> Iterator[Group]:
    """An endpoint closed its sending direction and went on taking in what its peer sent."""
    some = seen.where(swapped(seen.own("half_close_payload") > 0))
    hits = some.where((some.own("fin_acked_packet") > 0) & (some.peer("half_close_acked") == 1))
    acked = hits.own("fin_acked_time")
    over = np.where(hits.peer("fin_count") > 0, hits.peer("fin_time"), hits.shared("time_end"))
    found = Hits(
        endpoint=hits.ends,
        ts=acked,
        duration=np.maximum(over - acked, 0),
        packets=[hits.own("fin_packet"), hits.peer("half_close_packet")],
        variant=np.full(len(hits), ""),
        severity=np.full(len(hits), INFO),
        facts={"sent": hits.peer("half_close_payload"), "data": hits.peer("half_close_packet")},
    )
    yield from by_service(seen, found, seen.own("fin_acked_packet") > 0)


_missing = partial(
    Sentences,
    advice=(
        "Look for a firewall or NAT that forgets connections at a FIN (nf_conntrack keeps LAST_ACK "
        "for 30 s), and on {y_host} check nstat -az TcpExtTCPTimeWaitOverflow."
    ),
    limits="{tap} An ACK that was lost before it reached the tap looks the same.",
)

CLOSING = (
    Anomaly(
        "missing-final-ack",
        "warning",
        "peer",
        missing_final_ack,
        {
            "retransmitted": _missing(
                headline=(
                    "The last ACK never came: {x} sent its FIN {fins:times} over {tried:span}, and "
                    "{y} did not acknowledge it though the capture ran on for {silence:span}."
                ),
                many=(
                    "The last ACK never came on {n:count} of {total:count} connections with "
                    "{place}, although the FIN was repeated for up to {longest:span}."
                ),
                why=(
                    "{y} had closed before (its FIN is packet {peer_fin}); {x} answered with its "
                    "own FIN ({packets:packets} are the first and the last of {fins:counted copy}) "
                    "and no segment of {y} acknowledges it. The last one from {y} is packet "
                    "{peer_last}."
                ),
                ruled_out=(
                    "The capture is not cut off: it goes on {silence:span} after the last FIN. {y} "
                    "sent no RST, and no octet of this connection was lost by the capture."
                ),
            ),
            "silent": _missing(
                headline=(
                    "The last ACK never came: {x} sent its FIN once, {y} did not acknowledge it, "
                    "and {x} did not repeat it in {silence:span}."
                ),
                many=(
                    "The last ACK never came on {n:count} of {total:count} connections with "
                    "{place}, and the FIN was not repeated either."
                ),
                why=(
                    "{y} had closed before (its FIN is packet {peer_fin}); {x} answered with its "
                    "own FIN ({packets:packets}), and no segment of {y} acknowledges it."
                ),
                ruled_out=(
                    "The capture is not cut off: it goes on for {silence:span}. An endpoint that "
                    "is still there would have repeated its FIN: {x} has gone too, or its "
                    "repetitions did not pass the tap."
                ),
            ),
        },
    ),
    Anomaly(
        "half-close-in-use",
        "info",
        "subject",
        half_close_in_use,
        {
            "": Sentences(
                headline=(
                    "{x} closed its sending direction and took in {sent:octets} more from {y}: a "
                    "half-close, which is legal."
                ),
                many=(
                    "{n:count} of {total:count} connections with {place} used a half-close, which "
                    "is legal."
                ),
                why=(
                    "{y} acknowledged the FIN of {x}, sent {sent:octets} after it (from packet "
                    "{data} on), and {x} acknowledged them."
                ),
                ruled_out="{x} is not stalled in FIN_WAIT_2: it is being sent data.",
                advice=(
                    "Nothing; but nf_conntrack forgets a half-closed connection that is idle for "
                    "60 s (nf_conntrack_tcp_timeout_close_wait)."
                ),
                limits="None: both directions show it.",
            )
        },
    ),
)
