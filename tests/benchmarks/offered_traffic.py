"""`Traffic`: whole TCP connections as Ethernet frames, sent into an interface at a bounded rate.

Frames are made before the sending begins, and handed to the system many at a time (sendmmsg), so
that the sender takes as little of the machine as it can.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time

import numpy as np

from tcptrace.tcp.flags import ACK, FIN, PSH, SYN

# Of a connection: who sends, its flags, its payload.
CLIENT, SERVER = 0, 1
OPENING = ((CLIENT, SYN, 0), (SERVER, SYN | ACK, 0), (CLIENT, ACK, 0))
EXCHANGE = ((CLIENT, PSH | ACK, 200), (SERVER, PSH | ACK, 1000), (CLIENT, ACK, 0))
CLOSING = ((CLIENT, FIN | ACK, 0), (SERVER, ACK, 0), (SERVER, FIN | ACK, 0), (CLIENT, ACK, 0))
Script = tuple[tuple[int, int, int], ...]
AT_ONCE = 512  # connections whose segments are interleaved
BURST = 64  # frames handed over in one call
HEADERS = 14 + 20 + 20
SERVER_PORT = 80
LIBC = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
    )


class Traffic:
    """`packets` frames of as many connections as that takes, each with a four-tuple of its own.

    exchanges : how often a connection asks and is answered; it has 7 segments and 3 for each
    """

    def __init__(self, packets: int, exchanges: int) -> None:
        script = (*OPENING, *EXCHANGE * exchanges, *CLOSING)
        connections = -(-packets // len(script))
        kinds = [_frames(script, connections, step) for step in range(len(script))]
        offsets, lengths, self._octets = _laid_out(kinds, connections)
        self.count = packets
        self._vectors = (_Vector * packets)()
        self._messages = (_Message * packets)()
        base = self._octets.ctypes.data
        first = ctypes.addressof(self._vectors)
        for row in range(packets):
            self._vectors[row] = _Vector(base + int(offsets[row]), int(lengths[row]))
            vector = first + row * ctypes.sizeof(_Vector)
            self._messages[row] = _Message(None, 0, vector, 1, None, 0, 0, 0)

    def send(self, interface: str, rate: int) -> float:
        """Send all frames, at most `rate` a second; the rate that was reached."""
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        made.bind((interface, 0))
        size, first = ctypes.sizeof(_Message), ctypes.addressof(self._messages)
        began = time.monotonic()
        sent = 0
        while sent < self.count:
            due = min(self.count, int((time.monotonic() - began) * rate))
            if due - sent < min(BURST, self.count - sent):
                time.sleep(BURST / rate / 2)
                continue
            burst = min(BURST, due - sent)
            got = LIBC.sendmmsg(made.fileno(), ctypes.c_void_p(first + sent * size), burst, 0)
            if got < 0 and ctypes.get_errno() != 105:  # ENOBUFS: the device is full for a moment
                raise OSError(ctypes.get_errno(), "sendmmsg")
            sent += max(got, 0)
        made.close()
        return self.count / (time.monotonic() - began)


def _frames(script: Script, connections: int, step: int) -> np.ndarray:
    """The frames of one step of the script, a row a connection."""
    sender, flags, payload = script[step]
    frames = np.zeros((connections, HEADERS + payload), np.uint8)
    frames[:] = np.frombuffer(_template(sender, flags, payload), np.uint8)
    conn = np.arange(connections)
    host, port = conn // 50_000, 10_000 + conn % 50_000
    client_host = 14 + 12 + (4 if sender == SERVER else 0) + 2
    client_port = 34 + (2 if sender == SERVER else 0)
    frames[:, client_host], frames[:, client_host + 1] = host >> 8 & 255, host & 255
    frames[:, client_port], frames[:, client_port + 1] = port >> 8, port & 255
    isn = conn.astype(np.int64) * 1_000_003
    own, other = _position(script, step, sender), _position(script, step, 1 - sender)
    _put_number(frames, 38, isn + (sender << 31) + own)
    if flags & ACK:
        _put_number(frames, 42, isn + ((1 - sender) << 31) + other)
    return frames


def _position(script: Script, step: int, side: int) -> int:
    """How many octets of sequence space a side has used before a step."""
    return sum(
        length + bool(bits & SYN) + bool(bits & FIN)
        for sender, bits, length in script[:step]
        if sender == side
    )


def _put_number(frames: np.ndarray, at: int, numbers: np.ndarray) -> None:
    for place in range(4):
        frames[:, at + place] = numbers >> (24 - 8 * place) & 255


def _template(sender: int, flags: int, payload: int) -> bytes:
    client, server = bytes((10, 1, 0, 0)), bytes((10, 2, 0, 1))
    source, target = (client, server) if sender == CLIENT else (server, client)
    ports = (0, SERVER_PORT) if sender == CLIENT else (SERVER_PORT, 0)
    ethernet = bytes(12) + struct.pack("!H", 0x0800)
    length = 40 + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0x4000, 64, 6, 0, source, target)
    tcp = struct.pack("!HHIIBBHHH", *ports, 0, 0, 0x50, flags, 65_000, 0, 0)
    return ethernet + ip + tcp + bytes(payload)


def _laid_out(
    kinds: list[np.ndarray], connections: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(offset, length) of each frame in the order of sending, and the octets of all."""
    bases = np.cumsum([0, *(kind.size for kind in kinds)])
    conn, step = np.meshgrid(np.arange(connections), np.arange(len(kinds)))
    order = np.lexsort((conn.ravel(), step.ravel(), conn.ravel() // AT_ONCE))
    conn, step = conn.ravel()[order], step.ravel()[order]
    lengths = np.array([kind.shape[1] for kind in kinds])[step]
    offsets = bases[step] + conn * lengths
    return offsets, lengths, np.concatenate([kind.reshape(-1) for kind in kinds])
