"""tcpdump's filter language: compiled by libpcap, run by `bpf` on batches of packets."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache

import numpy as np

from tcptrace.errors import UsageError
from tcptrace.sources.bpf import INSTRUCTION_COLUMNS, Machine
from tcptrace.sources.packets import Packets

# libpcap numbers some link types by another scheme (DLT_) than files do (LINKTYPE_).
_DLT = {100: 11, 101: 12, 106: 19}

# A filter is good if it makes sense for one of these: Ethernet, raw IP, 802.11, cooked, loop.
_COMMON_LINK_TYPES = (1, 101, 127, 113, 0)

SNAP_LENGTH = 262_144
_UNKNOWN_NETMASK = 0xFFFFFFFF
_MEMORY_WORDS = 16
_NAMES = ("libpcap.so.1", "libpcap.so.0.8", "libpcap.so", "libpcap.dylib", "wpcap.dll")


class _Instruction(ctypes.Structure):
    """struct bpf_insn."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    """struct bpf_program."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction)))


class Filter:
    """A filter expression, compiled once for each link type that packets come with.

    UsageError, in libpcap's words, for an expression that is wrong or that cannot be applied to
    a link type; and where libpcap is not installed.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._machines: dict[int, Machine] = {}
        self._check()

    def apply(self, packets: Packets) -> Packets:
        """The packets of the batch that the filter accepts."""
        kept = np.zeros(len(packets), np.uint8)
        for link_type in np.unique(packets.link_type).tolist():
            self._machine(link_type).judge(packets.data, packets.cells, link_type, kept.data)
        return packets if kept.all() else packets.take(kept.astype(bool))

    def _check(self) -> None:
        wrong = []
        for link_type in _COMMON_LINK_TYPES:
            try:
                self._machine(link_type)
            except UsageError as error:
                wrong.append(error)
            else:
                return
        raise wrong[0]

    def _machine(self, link_type: int) -> Machine:
        if link_type not in self._machines:
            program = compiled(self.expression, link_type)
            self._machines[link_type] = Machine(program, np.zeros(_MEMORY_WORDS, np.int64).data)
        return self._machines[link_type]


def compiled(expression: str, link_type: int, snap_length: int = SNAP_LENGTH) -> memoryview:
    """The instructions, flat, columns as `bpf.INSTRUCTION_COLUMNS`; UsageError as in `Filter`.

    What they return for a packet that is accepted is `snap_length`, the octets to keep.
    """
    pcap, program = _libpcap(), _Program()
    handle = pcap.pcap_open_dead(_DLT.get(link_type, link_type), snap_length)
    try:
        text = expression.encode("utf-8", "surrogateescape")
        if pcap.pcap_compile(handle, ctypes.byref(program), text, 1, _UNKNOWN_NETMASK):
            reason = pcap.pcap_geterr(handle).decode("utf-8", "replace")
            raise UsageError(f"filter {expression!r} on link type {link_type}: {reason}")
        rows = [
            [getattr(program.instructions[at], name) for name in INSTRUCTION_COLUMNS]
            for at in range(program.length)
        ]
        pcap.pcap_freecode(ctypes.byref(program))
    finally:
        pcap.pcap_close(handle)
    return np.array(rows, np.int64).reshape(-1).data


@cache
def _libpcap() -> ctypes.CDLL:
    for name in (ctypes.util.find_library("pcap"), *_NAMES):
        try:
            pcap = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if pcap is not None:
            break
    else:
        raise UsageError(
            "a filter needs libpcap: apt-get install libpcap0.8 (Debian, Ubuntu), "
            "dnf install libpcap (Fedora), or Npcap (Windows)"
        )
    pcap.pcap_open_dead.restype = ctypes.c_void_p
    pcap.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
    pcap.pcap_compile.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(_Program),
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint32,
    ]
    pcap.pcap_geterr.restype = ctypes.c_char_p
    pcap.pcap_geterr.argtypes = [ctypes.c_void_p]
    pcap.pcap_freecode.argtypes = [ctypes.POINTER(_Program)]
    pcap.pcap_close.argtypes = [ctypes.c_void_p]
    return pcap
