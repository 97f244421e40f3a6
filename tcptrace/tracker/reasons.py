"""`Reason`: why a move was made, dated or taken back, in words that the story tells."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """What an inference rests on, beyond event and basis; `WORDS` says it."""

    NONE = 0
    ECHO = 1
    NOT_REPEATED = 2
    REPEATED_LATER = 3
    OWN_SEGMENT = 4
    UNCAPTURED = 5
    SILENCE = 6
    NO_SOCKET = 7
    EXPIRED = 9
    CONTINUED = 10
    BEFORE_CAPTURE = 11
    ONE_SIDED = 13
    OUT_OF_WINDOW = 14
    NEW_INCARNATION = 16


WORDS: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.ECHO: "its timestamp was echoed",
    Reason.NOT_REPEATED: "nothing that it answers was repeated after it could have arrived",
    Reason.REPEATED_LATER: "what it acknowledges was sent again after it should have arrived",
    Reason.OWN_SEGMENT: "the endpoint's own segment shows it",
    Reason.UNCAPTURED: "the segment that caused it was not captured",
    Reason.SILENCE: "the endpoint fell silent where it would have repeated itself",
    Reason.NO_SOCKET: "a RST from no socket answered the peer",
    Reason.EXPIRED: "the timer of the profile had run out",
    Reason.CONTINUED: "the endpoint went on sending as if it had never arrived",
    Reason.BEFORE_CAPTURE: "it happened before the capture began",
    Reason.ONE_SIDED: "only one direction was captured",
    Reason.OUT_OF_WINDOW: "its sequence number was not the one expected",
    Reason.NEW_INCARNATION: "a new connection took over the four-tuple",
}
