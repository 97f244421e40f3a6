"""Anomalies of closing. Read `CLOSING` first; a new one is a row and the function it names.

RFC 9293 section 3.6. FIN_WAIT_2 and CLOSE_WAIT have no timer there: who waits in FIN_WAIT_2 waits
for an application at the other end.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tcptrace.anomalies.anomaly import THRESHOLDS, Anomaly
from tcptrace.anomalies.evidence import NEVER, Evidence, Mask, Numbers
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
    waiting = seen.entered(State.LAST_ACK, State.CLOSING) != NEVER
    unacked = (seen.own("fin_count") > 0) & (seen.own("fin_acked_packet") == 0)
    told = seen.caused(Event.RCV_ACK_OF_FIN) != NEVER
    no_reset = (seen.own("rst_count") == 0) & (seen.peer("rst_count") == 0)
    silence = seen.until - seen.own("fin_last_time")
    patient = silence >= _final_ack_wait(seen)
    hits = np.flatnonzero(waiting & unacked & ~told & no_reset & patient & seen.two_sided)
    fins = seen.own("fin_count")[hits]
    found = Hits(
        endpoint=hits,
        ts=seen.own("fin_time")[hits],
        duration=(seen.until - seen.own("fin_time"))[hits],
        packets=[seen.own("fin_packet")[hits], seen.own("fin_last_packet")[hits]],
        variant=np.where(fins > 1, "retransmitted", "silent"),
        severity=np.full(len(hits), WARNING),
        facts={
            "fins": fins,
            "tried": (seen.own("fin_last_time") - seen.own("fin_time"))[hits],
            "silence": silence[hits],
            "peer_fin": seen.peer("fin_packet")[hits],
            "peer_last": seen.peer("last_packet")[hits],
        },
    )
    yield from by_service(seen, found, _both_closed(seen))


def _final_ack_wait(seen: Evidence) -> Numbers:
    """How long the capture must go on after the last FIN: three timeouts, a second at least."""
    trip = np.maximum(seen.shared("rtt_orig"), 0) + np.maximum(seen.shared("rtt_resp"), 0)
    timeout = trip + max(seen.profile.rto_min, 0)
    wait: Numbers = np.maximum(THRESHOLDS.final_ack_timeouts * timeout, THRESHOLDS.final_ack_wait)
    return wait


def _both_closed(seen: Evidence) -> Mask:
    both: Mask = (seen.own("fin_count") > 0) & (seen.peer("fin_count") > 0)
    return both


def half_close_in_use(seen: Evidence) -> Iterator[Group]:
    """An endpoint closed its sending direction and went on taking in what its peer sent."""
    sent = seen.peer("half_close_payload")
    hits = np.flatnonzero(
        (seen.own("fin_acked_packet") > 0) & (sent > 0) & (seen.peer("half_close_acked") == 1)
    )
    over = np.where(seen.peer("fin_count") > 0, seen.peer("fin_time"), seen.shared("time_end"))
    found = Hits(
        endpoint=hits,
        ts=seen.own("fin_acked_time")[hits],
        duration=np.maximum(over - seen.own("fin_acked_time"), 0)[hits],
        packets=[seen.own("fin_packet")[hits], seen.peer("half_close_packet")[hits]],
        variant=np.full(len(hits), ""),
        severity=np.full(len(hits), INFO),
        facts={"sent": sent[hits], "data": seen.peer("half_close_packet")[hits]},
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
