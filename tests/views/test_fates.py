"""What became of segments: each fate is proved, not guessed."""

from __future__ import annotations

import pytest

from tcptrace.views.fates import Fate
from tests.exchange import CLOSE, OPEN
from tests.views.scenes import ORDERLY, SENT_AGAIN, TWO_SYNS_LOST, captured, scene


def packets(text: str, fate: str) -> list[int]:
    """The packets of an exchange that met a fate."""
    held = scene(text)
    return held.segments["packet"][getattr(held.fates, fate)].tolist()


def test_an_orderly_connection_has_nothing_odd() -> None:
    """Data, ACKs and FINs go through."""
    fates = scene(ORDERLY).fates
    assert not (fates.again | fates.late | fates.copy | fates.lost).any()
    assert [] == fates.unseen and Fate.SENT is fates.of(0)


def test_a_segment_that_was_asked_for_again() -> None:
    """The receiver repeated its ACK after the segment should have arrived: it was lost."""
    assert [9] == packets(SENT_AGAIN, "again")
    assert [5] == packets(SENT_AGAIN, "lost")


def test_an_answer_that_was_on_its_way_proves_nothing() -> None:
    """The only ACK before the repetition may have left before the segment came."""
    crossed = SENT_AGAIN.replace("0.123 S A 1 a101\n", "")
    assert [8] == packets(crossed, "again") and [] == packets(crossed, "lost")


def test_a_repetition_that_was_not_needed() -> None:
    """The first one had been acknowledged: it was not lost."""
    text = OPEN + "0.10 C A 1+100 a1\n0.12 S A 1 a101\n0.30 C A 1+100 a1\n"
    assert [6] == packets(text, "again") and [] == packets(text, "lost")


def test_syns_that_a_later_one_made_good() -> None:
    """The responder's move came of the third: it never got the others, or ignored them."""
    assert [2, 3] == packets(TWO_SYNS_LOST, "again")
    assert [1, 2] == packets(TWO_SYNS_LOST, "ignored")
    assert [] == packets(TWO_SYNS_LOST, "lost")


@pytest.mark.parametrize(
    ("case", "lost", "again"),
    [
        ("handshake_ack_lost", [3], [4]),
        ("final_ack_lost", [11], [12]),
        ("syn_lost", [1], [2]),
        ("close_by_client", [], []),
    ],
)
def test_recorded_losses(case: str, lost: list[int], again: list[int]) -> None:
    """Real sockets, a real loss behind the tap."""
    held = captured(case)
    assert lost == held.segments["packet"][held.fates.lost | held.fates.ignored].tolist()
    assert again == held.segments["packet"][held.fates.again].tolist()


def test_a_fin_lost_behind_the_tap(shared) -> None:  # type: ignore[no-untyped-def]
    """Only its second copy closes the responder."""
    import tcptrace

    path = shared / "lab" / "data" / "fin_lost_post" / "middle.pcap"
    held = tcptrace.read(path).connection(0).scene
    assert [10] == held.segments["packet"][held.fates.lost].tolist()


def test_octets_that_were_never_captured() -> None:
    """A hole that its receiver acknowledged: the tap missed it, the network did not."""
    text = OPEN + "0.10 C A 1+100 a1\n0.11 C A 201+100 a1\n0.13 S A 1 a301\n"
    (hole,) = scene(text).fates.unseen
    assert (4, 0, 101, 100) == (hole.row, hole.sender, hole.seq, hole.octets)


def test_a_hole_that_nobody_acknowledged() -> None:
    """It may have been lost as well: nothing is claimed."""
    text = OPEN + "0.10 C A 1+100 a1\n0.11 C A 201+100 a1\n0.13 S A 1 a101\n"
    assert [] == scene(text).fates.unseen


def test_octets_acknowledged_behind_all_that_was_seen() -> None:
    """The last segment of a side may be missing too."""
    text = OPEN + "0.10 C A 1+100 a1\n0.13 S A 1 a301\n"
    (hole,) = scene(text).fates.unseen
    assert (101, 200) == (hole.seq, hole.octets)


def test_a_late_segment_fills_its_hole() -> None:
    """It is neither sent again nor missing."""
    text = OPEN + "0.10 C A 101+100 a1\n0.11 C A 1+50 a1\n0.12 C A 51+50 a1\n0.13 S A 1 a201\n"
    assert [5, 6] == packets(text, "late")
    assert [] == packets(text, "again") and [] == scene(text).fates.unseen


def test_half_a_hole_filled() -> None:
    """What remains of it is still missing."""
    text = OPEN + "0.10 C A 101+100 a1\n0.11 C A 31+40 a1\n0.13 S A 1 a201\n"
    assert [(1, 30), (71, 30)] == [(hole.seq, hole.octets) for hole in scene(text).fates.unseen]


def test_copies_of_the_capture() -> None:
    """The same packet twice is no segment sent twice."""
    text = OPEN + "0.10 C A 1+100 a1 id=7\n0.101 C A 1+100 a1 id=7\n0.2 C A 1+100 a1 id=8\n"
    assert [5] == packets(text, "copy")
    assert [6] == packets(text, "again")
    assert Fate.COPY is scene(text).fates.of(4)


def test_a_fin_sent_again_is_told_apart_from_its_first() -> None:
    """The close of an orderly connection with its last segment repeated."""
    text = OPEN + CLOSE + "1.30 S FA 1 a2\n1.32 C A 2 a2\n"
    assert [7] == packets(text, "again")
    assert [6] == packets(text, "ignored")


def test_a_reset_with_any_number_makes_no_hole() -> None:
    """Nor does a stray segment: what follows is not late."""
    for stray in ("0.05 C R 900000", "0.05 C A 2000000000+1 a1"):
        text = OPEN + f"{stray}\n0.10 C A 1+100 a1\n0.12 S A 1 a101\n0.13 C A 101+100 a1\n"
        assert [] == packets(text, "late") and [] == scene(text).fates.unseen


def test_data_that_a_listener_ignored() -> None:
    """It repeats its SYN,ACK: its queue may be full, so nothing is proved lost."""
    text = OPEN + "0.10 C A 1+100 a1\n1.02 S SA 0 a1\n1.30 C A 1+100 a1\n1.32 S A 1 a101\n"
    assert 4 in packets(text, "ignored") and [] == packets(text, "lost")


def test_lost_is_never_said_of_what_arrived(shared) -> None:  # type: ignore[no-untyped-def]
    """Real kernels, loss behind the middle tap: no receiver's tap saw what is called lost."""
    import tcptrace

    proved = 0
    for case in ("fin_lost_post", "server_fin_lost", "synack_lost", "storm_4", "backlog_full"):
        folder = shared / "lab" / "data" / case
        seen = {
            side: set(identities(tcptrace.read(folder / f"{side}.pcap").segments))
            for side in ("client", "server")
        }
        for connection in tcptrace.read(folder / "middle.pcap"):
            lost = connection.segments[connection.scene.fates.lost]
            for identity, receiver in zip(identities(lost), lost["dst_ip"], strict=True):
                side = "client" if str(receiver).endswith(".1") else "server"
                assert identity not in seen[side], (case, identity)
                proved += 1
    assert proved > 5


def identities(segments) -> list[tuple[object, ...]]:  # type: ignore[no-untyped-def]
    """What tells a packet from any other of its sender."""
    names = ["src_ip", "src_port", "seq", "ack", "flags", "payload", "ip_id", "tsval"]
    return [tuple(str(cell) for cell in row) for row in segments[names].itertuples(index=False)]
