"""`Reason`: why a move was made, dated or taken back, in words that the story tells."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """What an inference rests on, beyond event and basis; `WORDS` says it."""

    NONE = 0
    ANSWERED = 1
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
    ANSWERED_LATER = 17
    STILL_MISSING = 18
    UNANSWERED = 19
    IGNORED_BEFORE = 20
    DARK_PATH = 21
    FORGED = 22
    UNSTAMPED = 23
    NOTHING_MORE = 24


WORDS: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.ANSWERED: "which acknowledges it",
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
    Reason.OUT_OF_WINDOW: "its numbers were not the ones expected",
    Reason.NEW_INCARNATION: "a new connection took over the four-tuple",
    Reason.ANSWERED_LATER: "it was a later one that was answered",
    Reason.STILL_MISSING: "octets before it were still missing",
    Reason.UNANSWERED: "it was sent again and again and drew no answer",
    Reason.IGNORED_BEFORE: "others like it had been ignored before",
    Reason.DARK_PATH: "its sender had long asked in vain, nothing seemed to get through",
    Reason.FORGED: "the endpoint went on: another had sent it in its name",
    Reason.NOTHING_MORE: "the endpoint sent nothing more",
    Reason.UNSTAMPED: "it lacks the timestamps that all segments of the endpoint carry",
}
