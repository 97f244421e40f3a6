"""`Ring`: Linux's capture ring, memory that the kernel writes packets into and we read.

PACKET_MMAP with TPACKET_V3: the kernel fills block after block and hands each over when it is
full or `RETIRE_MS` old, so that a reading costs no system call a packet. Kernel documentation,
networking/packet_mmap.
"""

from __future__ import annotations

import mmap
import select
import socket
import struct

import numpy as np

from tcptrace.sources import ring_blocks
from tcptrace.sources.packets import Packets

BLOCK = 1 << 18
SMALLEST_PACKET = 64  # octets that a packet takes in a block at the very least
MOST_BLOCKS_AT_ONCE = 16
RETIRE_MS = 50

# linux/if_packet.h
SOL_PACKET = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, PACKET_RESERVE = 5, 6, 10, 12
TPACKET_V3 = 2
OWNED_BY_KERNEL, OWNED_BY_USER = 0, 1
VLAN_TAG_OCTETS = 4

_REQUEST = struct.Struct("7I")  # struct tpacket_req3
_STATISTICS = struct.Struct("3I")  # struct tpacket_stats_v3
_HEAD = struct.Struct("4I")  # struct tpacket_hdr_v1, from block_status to blk_len
_STATUS = struct.Struct("I")
_HEAD_AT = 8
_UNIT = 2048  # tp_frame_size: without meaning in version 3, but it is checked


class Ring:
    """The ring of a packet socket; `size` octets of memory, rounded up to whole blocks.

    OSError where the kernel does not give it.
    """

    def __init__(self, listening: socket.socket, size: int) -> None:
        self.blocks = max(2, -(-size // BLOCK))
        self.drops = 0
        self._socket = listening
        self._next = 0
        listening.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        listening.setsockopt(SOL_PACKET, PACKET_RESERVE, VLAN_TAG_OCTETS)
        units = BLOCK // _UNIT * self.blocks
        request = _REQUEST.pack(BLOCK, self.blocks, _UNIT, units, RETIRE_MS, 0, 0)
        listening.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self._memory = mmap.mmap(listening.fileno(), BLOCK * self.blocks)
        self._poll = select.poll()
        self._poll.register(listening.fileno(), select.POLLIN | select.POLLERR)

    @property
    def size(self) -> int:
        """Octets of memory."""
        return BLOCK * self.blocks

    def wait(self, milliseconds: int) -> None:
        """Until a block is ready, but no longer; OSError if the socket broke, as ENETDOWN."""
        for _, events in self._poll.poll(milliseconds):
            if events & ~select.POLLIN:
                error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "the packet socket broke")

    def take(self) -> Packets:
        """The packets of the blocks that are ready, copied out; the kernel gets the blocks back."""
        data = bytearray()
        spans: list[tuple[int, int]] = []
        while len(spans) < MOST_BLOCKS_AT_ONCE:
            at = self._next * BLOCK
            status, count, first, length = _HEAD.unpack_from(self._memory, at + _HEAD_AT)
            if not status & OWNED_BY_USER:
                break
            spans.append((len(data) + first, count))
            data += memoryview(self._memory)[at : at + length]
            _STATUS.pack_into(self._memory, at + _HEAD_AT, OWNED_BY_KERNEL)
            self._next = (self._next + 1) % self.blocks
        return _packets(data, spans)

    def count_drops(self) -> int:
        """Packets that found no room since the ring was made."""
        told = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, _STATISTICS.size)
        self.drops += _STATISTICS.unpack(told)[1]  # reading it begins a new count
        return self.drops

    def close(self) -> None:
        """Give the memory back; the socket is its opener's."""
        self._memory.close()


def _packets(data: bytearray, spans: list[tuple[int, int]]) -> Packets:
    most = min(sum(count for _, count in spans), len(data) // SMALLEST_PACKET)
    packets = Packets(np.zeros((most, Packets.width()), np.int64), data)
    rows = 0
    for begin, count in spans:
        rows = ring_blocks.walk(packets.data, begin, min(count, most - rows), packets.cells, rows)
    return packets.take(slice(rows))
