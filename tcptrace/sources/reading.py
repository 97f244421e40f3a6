"""`read_records`: the one loop that turns a window of bytes into batches of `Packets`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tcptrace.errors import CaptureError
from tcptrace.sources import walking
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.walking import Walk
from tcptrace.sources.window import Window

BATCH = 8192

# libpcap's MAXIMUM_SNAPLEN and max_snaplen_for_dlt (pcap-common.c): the longest packet believed.
LONGEST_PACKET = 262_144
LONGEST_BY_LINK_TYPE = {
    220: 1 << 27,  # USB_LINUX_MMAPPED
    231: 1 << 27,  # DBUS
    249: 1 << 27,  # USBPCAP
    279: 1 << 25,  # EBHSCR
}
# A snap length beyond this is no promise to be believed (Linux's largest packet is 512 KiB).
_LONGEST_SNAP = 1 << 24


def longest_packet(link_type: int, snap_length: int) -> int:
    """The greatest captured length that is not taken for damage, in octets."""
    longest = LONGEST_BY_LINK_TYPE.get(link_type, LONGEST_PACKET)
    return max(longest, snap_length if snap_length <= _LONGEST_SNAP else 0)


def read_records(
    window: Window,
    walk: Walk,
    facts: FileFacts,
    on_block: Callable[[], bool] | None = None,
    within: bool = False,
) -> Iterator[Packets]:
    """Batches of at most `BATCH` packets, as soon as the window's stream gives them.

    `on_block` takes a block that is no packet from the window; False where it is not whole.
    `within` says that the window's first record is not the file's.
    Ends at the stream's end, or at damage, which `facts` then names; CaptureError if damage
    comes before the first packet, for then this is likely no capture at all.
    """
    while True:
        matrix = np.empty((BATCH, Packets.width()), np.int64)
        cells = matrix.reshape(-1).data
        rows = walk.walk(window.octets, window.start, window.end, cells)
        window.start = walk.position
        facts.invalid_times = walk.invalid_times
        facts.clamped_times = walk.clamped_times
        facts.untimed = walk.untimed
        if rows:
            batch = Packets(matrix[:rows] if rows > BATCH // 2 else matrix[:rows].copy())
            batch.data = window.octets
            facts.count(batch)
            yield batch
        if walk.status == walking.DAMAGED:
            stop_at_damage(window, walk.wrong, facts, within)
            return
        if not _go_on(window, walk, facts, on_block):
            return


def _go_on(
    window: Window,
    walk: Walk,
    facts: FileFacts,
    on_block: Callable[[], bool] | None,
) -> bool:
    """Whether there is more to walk, after doing what the walk stopped for."""
    status = walk.status
    if status == walking.FULL:
        return True
    at = window.position
    if status == walking.BLOCK and on_block is not None:
        more = on_block()
    elif status == walking.SKIP:
        more = window.skip(walk.length)
    else:
        more = window.fill()
    if not more and (len(window) or status != walking.MORE) and not facts.damage:
        facts.truncated_at = at
    return more


def stop_at_damage(window: Window, wrong: str, facts: FileFacts, within: bool = False) -> None:
    """Note what was wrong at the window's start; CaptureError if no packet came before it."""
    if not (facts.packets or within):
        raise CaptureError(facts.path, f"expected {wrong}", window.position)
    facts.damage = f"at byte {window.position}: expected {wrong}"
    facts.truncated_at = window.position
