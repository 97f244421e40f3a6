"""Closes that come to a stop half-way. Read `STALLS` first; a new one is a row and its function.

RFC 9293 section 3.6: FIN_WAIT_2 and CLOSE_WAIT have no timer. Who waits in FIN_WAIT_2 waits for a
program at the other end, which is in CLOSE_WAIT: one event, told of both ends.
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
from tcptrace.tcp.profile import NEVER as NO_TIMER
from tcptrace.tcp.states import State
from tcptrace.tracker.transitions import ResetForm

_, NOTICE, WARNING, CRITICAL = range(len(SEVERITIES))


def fin_wait_2_stalled(seen: Evidence) -> Iterator[Group]:
    """An endpoint closed, was acknowledged, and its peer then neither closed nor sent anything."""
    yield from by_service(seen, _stalled(seen), seen.own("fin_acked_packet") > 0)


def close_wait_leak(seen: Evidence) -> Iterator[Group]:
    """The same, seen from the peer: it was told that the other end had closed, and did nothing."""
    stalled = _stalled(seen)
    leaks = Hits(
        endpoint=stalled.endpoint ^ 1,
        ts=stalled.ts,
        duration=stalled.duration,
        packets=stalled.packets,
        variant=np.where(stalled.variant == "expired", "late", ""),
        severity=stalled.severity,
        facts=stalled.facts,
    )
    for group in by_service(seen, leaks, swapped(seen.own("fin_acked_packet") > 0)):
        one_host = len(group.hosts) == 1
        if one_host and group.count >= THRESHOLDS.close_wait_leak_connections:
            group.severity = SEVERITIES[CRITICAL]
        yield group


def _stalled(seen: Evidence) -> Hits:
    """Endpoints in FIN_WAIT_2 for longer than a notice is worth, and how that went on.

    It ends with the peer's FIN or RST, with a RST of its own (it had forgotten the connection), or
    not at all. A peer that sends data uses the half-close, and is not stalled.
    """
    timer = seen.profile.fin_wait_2().earliest
    patience = timer if timer > 0 else THRESHOLDS.fin_wait_2_warning
    some = seen.where(seen.own("fin_acked_packet") > 0)
    some = some.where(_waited(some) >= min(patience, THRESHOLDS.fin_wait_2_notice))
    some = some.where(_quiet(some) & _sure(some) & some.two_sided)
    hits = some.where(some.entered(State.FIN_WAIT_2) != NEVER)
    waited, acked, forgot = _waited(hits), hits.own("fin_acked_time"), _forgot(hits)
    held = (timer != NO_TIMER) & (hits.own("last_time") - acked > timer) & ~forgot
    return Hits(
        endpoint=hits.ends,
        ts=acked,
        duration=waited,
        packets=[
            hits.own("fin_packet"),
            hits.own("fin_acked_packet"),
            np.where(forgot, hits.own("rst_packet"), 0),
        ],
        variant=np.where(forgot, "expired", np.where(held, "held", "unknown")),
        severity=np.where(waited >= patience, WARNING, NOTICE),
        facts={
            "fin": hits.own("fin_packet"),
            "ack": hits.own("fin_acked_packet"),
            "answered": acked - hits.own("fin_time"),
            "rst": hits.own("rst_packet"),
            "peer_fin": hits.peer("fin_packet"),
            "peer_payload": hits.peer("payload"),
            "timer": np.full(len(hits), max(timer, 0)),
        },
    )


def _waited(some: Some) -> Numbers:
    """How long each was in FIN_WAIT_2, ns, once its FIN had been acknowledged."""
    own_reset = np.where(some.own("rst_count") > 0, some.own("rst_time"), NEVER)
    peer_fin = np.where(some.peer("fin_count") > 0, some.peer("fin_time"), NEVER)
    peer_reset = np.where(some.peer("rst_count") > 0, some.peer("rst_time"), NEVER)
    stop: Numbers = np.minimum.reduce([own_reset, peer_fin, peer_reset, some.until])
    return stop - some.own("fin_acked_time")


def _forgot(some: Some) -> Mask:
    """Who answered with RST, as a host does that has no such connection any more."""
    forgot: Mask = (some.own("rst_count") > 0) & (some.own("rst_form") == ResetForm.STRAY)
    return forgot


def _quiet(some: Some) -> Mask:
    """Whose peer sent no data, or none that was taken."""
    untaken = _forgot(some) & (some.peer("half_close_acked") == 0)
    quiet: Mask = (some.peer("half_close_packet") == 0) | untaken
    return quiet


def _sure(some: Some) -> Mask:
    """Whose peer is known to speak on this connection."""
    speaks = (some.peer("payload") > 0) | (some.peer("fin_count") > 0)
    sure: Mask = (some.shared("mid_stream") == 0) | speaks
    return sure


_stalled_sentences = partial(
    Sentences,
    many=(
        "On {n:count} of {total:count} connections with {place} the {x_role} closed first and "
        "waited {shortest:span} to {longest:span} for the {y_role} to close (FIN_WAIT_2). The "
        "waiting side is not at fault."
    ),
    advice=(
        "Mend the program at {y}: its close-wait-leak is the same event seen from there. "
        "tcp_fin_timeout on {x_host} only shortens the symptom."
    ),
)

STALLS = (
    Anomaly(
        "fin-wait-2-stalled",
        "warning",
        "subject",
        fin_wait_2_stalled,
        {
            "unknown": _stalled_sentences(
                headline=(
                    "{x} closed first and has waited {longest:span} for {y} to close (FIN_WAIT_2). "
                    "The waiting side is not at fault."
                ),
                why=(
                    "{x} sent its FIN in packet {fin}; {y} acknowledged it in packet {ack}, after "
                    "{answered:span}, so it is in CLOSE_WAIT. It sent neither data nor FIN since."
                ),
                ruled_out=(
                    "It is not a lost FIN: {y} acknowledged it. It is not a half-close in use: {y} "
                    "sent no data after it."
                ),
                limits=(
                    "If the program at {x_host} has closed its socket, the kernel ends FIN_WAIT_2 "
                    "by a timer that no packet shows ({timer:span} by the profile)."
                ),
            ),
            "held": _stalled_sentences(
                headline=(
                    "{x} closed its sending direction, still holds the socket, and has waited "
                    "{longest:span} for {y} to close (FIN_WAIT_2)."
                ),
                why=(
                    "{x} sent its FIN in packet {fin}; {y} acknowledged it in packet {ack}. {x} "
                    "still spoke after the {timer:span} in which an abandoned socket would have "
                    "been forgotten."
                ),
                ruled_out=(
                    "No timer ends it: a socket that a program holds waits in FIN_WAIT_2 for ever."
                ),
                limits="The {timer:span} are the profile's; another system has another timer.",
            ),
            "expired": _stalled_sentences(
                headline=(
                    "{x} closed first, waited {longest:span} for {y} to close (FIN_WAIT_2), and "
                    "then answered it with RST: its system had already forgotten the connection."
                ),
                why=(
                    "{x} sent its FIN in packet {fin}; {y} acknowledged it in packet {ack} and was "
                    "silent for {longest:span}. What it sent then was answered by RST in packet "
                    "{rst}, in the form of a host without such a socket."
                ),
                ruled_out=(
                    "It is not an abort by the program: an abort's RST carries an ACK and options."
                ),
                limits=(
                    "{x} was ended somewhere within these {longest:span}; the profile says after "
                    "{timer:span}."
                ),
            ),
        },
    ),
    Anomaly(
        "close-wait-leak",
        "warning",
        "subject",
        close_wait_leak,
        {
            "": Sentences(
                headline=(
                    "{x} has not closed for {longest:span} after {y} had closed: it is in "
                    "CLOSE_WAIT, and only its program can end that."
                ),
                many=(
                    "On {n:count} of {total:count} connections with {place} the {x_role} has not "
                    "closed for {shortest:span} to {longest:span} after the {y_role} had "
                    "(CLOSE_WAIT)."
                ),
                why=(
                    "{x} acknowledged the FIN of {y} (packet {fin}) in packet {ack}, after "
                    "{answered:span}, and then sent neither data nor FIN for {longest:span}."
                ),
                ruled_out=(
                    "It is not the network: the FIN was delivered, for it was acknowledged. It is "
                    "not a timer's matter: CLOSE_WAIT has none."
                ),
                advice=(
                    "Look for a missing close() or a thread that hangs; on {x_host} run ss -tnp "
                    "state close-wait '( {sockets} )'. The fin-wait-2-stalled of {y} is the same "
                    "event seen from there."
                ),
                limits="A program that means to answer later looks the same until it does.",
            ),
            "late": Sentences(
                headline=(
                    "{x} closed or wrote {longest:span} after {y} had closed (CLOSE_WAIT), and got "
                    "a RST: {y} had given up waiting."
                ),
                many=(
                    "On {n:count} of {total:count} connections with {place} the {x_role} closed or "
                    "wrote so late after the {y_role} had closed ({shortest:span} to "
                    "{longest:span}) that it got a RST."
                ),
                why=(
                    "{x} acknowledged the FIN of {y} (packet {fin}) in packet {ack}, was silent "
                    "for {longest:span}, and its next segment was answered by RST in packet {rst}."
                ),
                ruled_out="It is not the network: the FIN was acknowledged after {answered:span}.",
                advice=(
                    "Close when read() returns 0; what is written after the other end's timer is "
                    "lost. The fin-wait-2-stalled of {y} is the same event seen from there."
                ),
                limits="{tap}",
            ),
        },
    ),
)
