"""Pins the table `segments`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tables.schema import SEGMENTS
from tcptrace.tables.segments import segments
from tcptrace.tcp import flags
from tests.tables.written import Written, at, halves

CLIENT, SERVER = ("10.0.0.9", 40000), ("10.0.0.5", 8080)


def segment(source: tuple[str, int], target: tuple[str, int], **cells: int) -> Segments:
    """One segment without options."""
    row = Segments.zeros(1)
    given = {"src_port": source[1], "dst_port": target[1], "flags": flags.ACK, "ip_id": 7}
    given |= {"mss": -1, "window_scale": -1, "time": at(0), "packet": 1}
    for side, (address, _) in (("src", source), ("dst", target)):
        given |= dict(zip((f"{side}_hi", f"{side}_lo"), halves(address), strict=True))
    for name, value in (given | cells).items():
        row.matrix[0, Segments.index(name)] = value
    return row


def two_connections() -> Written:
    """Of one four-tuple, one after the other."""
    written = Written()
    written.connection(CLIENT, SERVER)
    written.connection(SERVER, CLIENT, incarnation=1)
    return written


def test_no_segments_give_the_declared_dtypes() -> None:
    """A capture without TCP."""
    table = segments(Written().reconstruction(), [])
    assert [] == SEGMENTS.faults(table)
    assert 0 == len(table)


def test_slot_that_is_used_again_belongs_to_another_connection() -> None:
    """Connections are told apart by where they open, within a batch and across batches."""
    opens = segment(CLIENT, SERVER, slot=3, opens=1)
    again = segment(SERVER, CLIENT, slot=3, opens=1)
    more = segment(CLIENT, SERVER, slot=3)
    found = two_connections().reconstruction()
    batches = [Segments.concat([opens, more]), more, Segments.concat([more, again, more]), more]
    assert [0, 0, 0, 0, 1, 1, 1] == segments(found, batches)["conn"].tolist()
    whole = segments(found, [Segments.concat(batches)])
    assert [0, 0, 0, 0, 1, 1, 1] == whole["conn"].tolist()


def test_role_is_the_senders_in_that_connection() -> None:
    """The second connection was opened by the other end."""
    batch = Segments.concat(
        [
            segment(CLIENT, SERVER, slot=3, opens=1),
            segment(SERVER, CLIENT, slot=3),
            segment(SERVER, CLIENT, slot=4, opens=1),
        ]
    )
    table = segments(two_connections().reconstruction(), [batch])
    assert ["originator", "responder", "originator"] == table["role"].tolist()
    assert ["10.0.0.9", "10.0.0.5", "10.0.0.5"] == table["src_ip"].tolist()


def test_connection_with_itself_goes_by_the_side_seen_first() -> None:
    """Both ends have one address and one port."""
    written = Written()
    written.connection(CLIENT, CLIENT)
    batch = Segments.concat(
        [
            segment(CLIENT, CLIENT, slot=0, opens=1),
            segment(CLIENT, CLIENT, slot=0, sender=1),
        ]
    )
    table = segments(written.reconstruction(), [batch])
    assert ["originator", "responder"] == table["role"].tolist()


def test_stray_syn_counts_for_the_connection_it_strayed_into() -> None:
    """The tracker says so by giving two openings one number."""
    written = Written()
    written.connection(CLIENT, SERVER)
    found = written.reconstruction()
    found.numbers.resize(2, refcheck=False)
    opens = segment(CLIENT, SERVER, slot=3, opens=1)
    stray = segment(CLIENT, SERVER, slot=5, opens=1)
    assert [0, 0] == segments(found, [opens, stray])["conn"].tolist()


def test_segment_without_a_connection_has_none() -> None:
    """An ICMP error about nothing that is known."""
    error = segment(CLIENT, SERVER, slot=-1, kind=Kind.ICMP_ERROR, icmp=65536 + 3 * 256 + 1)
    table = segments(Written().reconstruction(), [error])
    assert [] == SEGMENTS.faults(table)
    assert table["conn"].isna().all() and table["role"].isna().all()
    assert ("icmp_error", 3, 1) == tuple(table.loc[0, ["kind", "icmp_type", "icmp_code"]])


def test_options_that_are_not_there_are_missing() -> None:
    """Zero is a value, absence is none."""
    bare = segment(CLIENT, SERVER, slot=0, opens=1, flags=flags.SYN, ip_id=-1)
    full = segment(
        SERVER, CLIENT, slot=0, flags=flags.SYN | flags.ACK, ack=0, mss=1460, window_scale=0,
        has_timestamp=1, tsval=9, sack_permitted=1, checksum=Checksum.BAD,
    )  # fmt: skip
    written = Written()
    written.connection(CLIENT, SERVER)
    table = segments(written.reconstruction(), [Segments.concat([bare, full])])
    columns = ["ack", "mss", "window_scale", "tsval", "tsecr"]
    assert table.loc[0, [*columns, "ip_id"]].isna().all()
    assert [0, 1460, 0, 9, 0] == table.loc[1, columns].tolist()
    assert ["S", "SA"] == table["flags"].tolist()
    assert [False, True] == table["sack_permitted"].tolist()
    assert "bad" == table.loc[1, "checksum"]


def test_sack_blocks_are_pairs_of_edges() -> None:
    """Only as many as there are; every row has a list of its own."""
    blocks = {"sack_blocks": 2, "sack_1_left": 5, "sack_1_right": 8}
    blocks |= {"sack_2_left": 10, "sack_2_right": 12, "sack_3_left": 99}
    written = Written()
    written.connection(CLIENT, SERVER)
    rows = [segment(CLIENT, SERVER, opens=1, **blocks), segment(CLIENT, SERVER)]
    assert [[5, 8, 10, 12], []] == segments(written.reconstruction(), rows)["sack"].tolist()


def test_times_are_exact() -> None:
    """Nanoseconds since the epoch, UTC."""
    written = Written()
    written.connection(CLIENT, SERVER)
    table = segments(written.reconstruction(), [segment(CLIENT, SERVER, opens=1, time=at(0) + 1)])
    assert pd.Timestamp(at(0) + 1, unit="ns", tz="UTC") == table["ts"].iloc[0]
    assert np.int64 == table["packet"].dtype


def test_reserved_bits_have_no_letter() -> None:
    """Two segments that differ in them alone have the same letters."""
    written = Written()
    written.connection(CLIENT, SERVER)
    rows = [segment(CLIENT, SERVER, opens=1, flags=flags.ACK | bit) for bit in (0, 0x200, 0x800)]
    assert ["A"] * 3 == segments(written.reconstruction(), rows)["flags"].tolist()
