"""The reference machine alone, led through every conversation: it must be where the drawing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversation import ONE_WAY, Conversation, Side, Tap, play, read, read_all

from tcptrace.decode.segments import Segments
from tcptrace.tcp import flags
from tcptrace.tcp.states import State

CONVERSATIONS = read_all()
HANDSHAKE = """# A handshake
A          B
1. CLOSED          LISTEN
2. SYN_SENT --> <SEQ=100><CTL=SYN> --> SYN_RCVD
"""


def written(folder: Path, text: str) -> Conversation:
    """A conversation typed in a test."""
    path = folder / "typed.txt"
    path.write_text(text)
    return read(path)


@pytest.mark.parametrize("tap", Tap, ids=lambda tap: tap.name)
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: c.name)
def test_the_machine_is_where_the_drawing_is(conversation: Conversation, tap: Tap) -> None:
    """States, and the acknowledgement numbers drawn; the tap's place does not touch them."""
    assert [] == play(conversation, tap).differences


def test_every_figure_of_the_rfc_is_there() -> None:
    """Figures 6 to 13 of RFC 9293 are its conversations."""
    figures = [c.name for c in CONVERSATIONS if c.name.startswith("figure_")]
    assert [6, 7, 8, 9, 10, 11, 12, 13] == [int(name.split("_")[1]) for name in figures]


def test_every_state_is_lived_through() -> None:
    """The conversations between them visit the whole machine."""
    lived: set[State] = set()
    for conversation in CONVERSATIONS:
        for endpoint in play(conversation, Tap.BETWEEN).endpoints.values():
            lived |= set(endpoint.states())
    assert set(State) == lived


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: c.name)
def test_every_conversation_has_a_title(conversation: Conversation) -> None:
    """The first comment says what it shows."""
    assert conversation.title


def test_a_drawing_that_the_machine_does_not_follow_is_told(tmp_path: Path) -> None:
    """A state that no event leads to, with its line and both states."""
    conversation = written(tmp_path, HANDSHAKE.replace("SYN_RCVD", "ESTABLISHED"))
    told = play(conversation, Tap.BETWEEN).differences
    assert ["line 4, B: drawn ESTABLISHED, machine SYN_RCVD"] == told


def test_an_acknowledgement_of_what_never_came_is_told(tmp_path: Path) -> None:
    """A slip of the pen in a fixture must not teach the tracker."""
    line = "3. ESTABLISHED <-- <SEQ=300><ACK=111><CTL=SYN,ACK> <-- SYN_RCVD\n"
    told = play(written(tmp_path, HANDSHAKE + line), Tap.BETWEEN).differences
    assert "B: sends ACK=111, has received 101" in told


@pytest.mark.parametrize(
    "line",
    [
        "2. SYN_SENT --> nothing <CTL=SYN",
        "2. SYN_SNT",
        "tap somewhere",
        "2. CLOSED --> <SEQ=1><CTL=SIN>",
    ],
)
def test_what_is_not_the_notation_is_an_error(tmp_path: Path, line: str) -> None:
    """A typing error never passes as a comment."""
    with pytest.raises(ValueError, match=r"typed\.txt:2"):
        written(tmp_path, f"A       B\n{line}\n")


def test_the_taps_place_dates_the_segments(tmp_path: Path) -> None:
    """Beside its sender a segment is seen at once, beside its receiver one way later."""
    conversation = written(tmp_path, HANDSHAKE)
    seen = {tap: play(conversation, tap).segments.time[0] for tap in Tap}
    assert ONE_WAY == seen[Tap.BESIDE_B] - seen[Tap.BESIDE_A]
    assert seen[Tap.BESIDE_A] < seen[Tap.BETWEEN] < seen[Tap.BESIDE_B]


def test_what_is_lost_before_the_tap_is_not_seen(tmp_path: Path) -> None:
    """x is behind the tap, xx before it; neither is received."""
    behind, before = HANDSHAKE.replace("> --> SYN_RCVD", "> x LISTEN"), "xx LISTEN"
    played = play(written(tmp_path, behind), Tap.BETWEEN)
    assert (1, []) == (len(played.segments), played.differences)
    played = play(written(tmp_path, behind.replace("x LISTEN", before)), Tap.BETWEEN)
    assert (0, []) == (len(played.segments), played.differences)


def test_a_one_sided_tap_sees_one_side() -> None:
    """`tap sees only A`."""
    conversation = next(c for c in CONVERSATIONS if c.name == "one_direction")
    assert {40000} == set(play(conversation, Tap.BETWEEN).segments.src_port.tolist())


def test_segments_carry_what_is_drawn(tmp_path: Path) -> None:
    """Numbers, flags, payload, window and SACK blocks stand in the tracker's columns."""
    drawn = "<SEQ=7><ACK=101><CTL=FIN,ACK><DATA=4><WND=0><SACK=5:6 8:9>"
    text = f"A     B\n1. ESTABLISHED     ESTABLISHED\n2. ESTABLISHED <-- {drawn} <-- FIN_WAIT_1"
    row = play(written(tmp_path, text), Tap.BESIDE_B).segments
    assert isinstance(row, Segments)
    assert (7, 101, flags.FIN | flags.ACK) == (row.seq[0], row.ack[0], row.flags[0])
    assert (4, 4, 0) == (row.payload[0], row.kept[0], row.window[0])
    blocks = (row.sack_1_left[0], row.sack_1_right[0], row.sack_2_left[0], row.sack_2_right[0])
    assert (2, (5, 6, 8, 9)) == (row.sack_blocks[0], blocks)


def test_a_segment_in_the_network_arrives_later() -> None:
    """Figure 13: both FINs leave before either arrives, so both endpoints go through CLOSING."""
    figure = next(c for c in CONVERSATIONS if c.name.startswith("figure_13"))
    endpoints = play(figure, Tap.BETWEEN).endpoints
    left = {side: endpoints[side].life[1].time for side in Side}
    arrived = {side: endpoints[side].life[2].time for side in Side}
    assert max(left.values()) < min(arrived.values())
