"""The filter machine, compiled and interpreted, instruction by instruction and against libpcap."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcptrace.sources.packets import Packets

Kernel = Callable[[str], ModuleType]
LD_IMM, LD_ABS_W, LD_ABS_H, LD_ABS_B = 0x00, 0x20, 0x28, 0x30
LD_IND_B, LD_MEM, LD_LEN = 0x50, 0x60, 0x80
LDX_IMM, LDX_MEM, LDX_LEN, LDX_MSH = 0x01, 0x61, 0x81, 0xB1
ST, STX, RET_K, RET_A, TAX, TXA = 0x02, 0x03, 0x06, 0x16, 0x07, 0x87
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR = range(0x04, 0xB4, 0x10)
BY_X = 0x08
JA, JEQ, JGT, JGE, JSET = 0x05, 0x15, 0x25, 0x35, 0x45
LIBPCAP = ctypes.util.find_library("pcap")
PACKET = bytes(range(0x40, 0x60))

Instruction = tuple[int, int, int, int]


def op(code: int, operand: int = 0, if_true: int = 0, if_false: int = 0) -> Instruction:
    return code, if_true, if_false, operand


def accepts(kernel: Kernel, program: list[Instruction], packet: bytes = PACKET) -> bool:
    """Whether the program accepts a packet that lies in the middle of a larger buffer."""
    packets = Packets.zeros(2)
    packets.data = memoryview(b"\xff" * 5 + packet + b"\xff" * 5)
    packets.offset[:], packets.captured[:], packets.length[:] = 5, len(packet), 100
    packets.link_type[:] = [1, 9]
    kept = np.full(2, 7, np.uint8)
    machine = kernel("tcptrace.sources.bpf").Machine(
        np.array(program, np.int64).reshape(-1).data, np.zeros(16, np.int64).data
    )
    machine.judge(packets.data, packets.cells, 1, kept.data)
    assert 7 == kept[1], "a packet of another link type is left alone"
    return bool(kept[0])


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ([op(LD_ABS_W, 0)], 0x40414243),
        ([op(LD_ABS_H, 2)], 0x4243),
        ([op(LD_ABS_B, 31)], 0x5F),
        ([op(LDX_IMM, 3), op(LD_IND_B, 1)], 0x44),
        ([op(LD_LEN)], 100),
        ([op(LDX_LEN), op(TXA)], 100),
        ([op(LDX_MSH, 5), op(TXA)], 4 * 5),
        ([op(LD_IMM, 6), op(ST, 15), op(LD_IMM, 0), op(LD_MEM, 15)], 6),
        ([op(LDX_IMM, 6), op(STX, 0), op(LD_IMM, 0), op(LD_MEM, 0)], 6),
        ([op(LD_IMM, 8), op(ST, 3), op(LDX_MEM, 3), op(LD_IMM, 0), op(TXA)], 8),
        ([op(LD_IMM, 9), op(TAX), op(LD_IMM, 0), op(TXA)], 9),
        ([op(LD_IMM, 0xFFFFFFFF), op(ADD, 2)], 1),
        ([op(LD_IMM, 1), op(SUB, 2)], 0xFFFFFFFF),
        ([op(LD_IMM, 0xFFFFFFFF), op(MUL, 0xFFFFFFFE)], 2),
        ([op(LD_IMM, 7), op(LDX_IMM, 2), op(DIV | BY_X)], 3),
        ([op(LD_IMM, 7), op(MOD, 4)], 3),
        ([op(LD_IMM, 0b1100), op(OR, 0b1010)], 0b1110),
        ([op(LD_IMM, 0b1100), op(AND, 0b1010)], 0b1000),
        ([op(LD_IMM, 0b1100), op(XOR, 0b1010)], 0b0110),
        ([op(LD_IMM, 0x80000001), op(LSH, 1)], 2),
        ([op(LD_IMM, 0x80000001), op(RSH, 31)], 1),
        ([op(LD_IMM, 1), op(LSH, 32)], 0),
        ([op(LD_IMM, 1), op(NEG)], 0xFFFFFFFF),
    ],
)  # fmt: skip
def test_accumulator_after(kernel: Kernel, program: list[Instruction], value: int) -> None:
    """Each load, store and operation, modulo 2^32."""
    compare = [op(JEQ, value, 0, 1), op(RET_K, 1), op(RET_K, 0)]
    assert accepts(kernel, program + compare)
    assert not accepts(kernel, [*program, op(JEQ, value ^ 1, 0, 1), op(RET_K, 1), op(RET_K, 0)])


@pytest.mark.parametrize(
    ("jump", "operand", "taken"),
    [
        (JEQ, 5, True), (JEQ, 6, False), (JGT, 4, True), (JGT, 5, False),
        (JGE, 5, True), (JGE, 6, False), (JSET, 4, True), (JSET, 2, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_x", [False, True])
def test_jumps(kernel: Kernel, jump: int, operand: int, taken: bool, by_x: bool) -> None:
    """To one side or the other, by an operand or by the index register."""
    code = jump | BY_X if by_x else jump
    program = [op(LD_IMM, 5), op(LDX_IMM, operand), op(code, 0 if by_x else operand, 1, 0)]
    assert taken == accepts(kernel, [*program, op(RET_K, 0), op(RET_K, 1)])


def test_returning_the_accumulator(kernel: Kernel) -> None:
    """Anything but 0 accepts."""
    assert accepts(kernel, [op(LD_IMM, 3), op(RET_A)])
    assert not accepts(kernel, [op(LD_IMM, 0), op(RET_A)])


@pytest.mark.parametrize(
    "program",
    [
        [op(LD_ABS_W, 29)],
        [op(LD_ABS_B, 32)],
        [op(LD_ABS_B, 0xFFFFFFFF)],
        [op(LDX_IMM, 0xFFFFFFFF), op(LD_IND_B, 0xFFFFFFFF)],
        [op(LDX_MSH, 32)],
        [op(LD_MEM, 16)],
        [op(ST, 16)],
        [op(LDX_IMM, 0), op(DIV | BY_X)],
        [op(MOD, 0)],
        [op(JA, 1000)],
        [op(JA, 0xFFFFFFF0)],
        [op(JA, 0xFFFFFFFF)],
        [],
    ],
)
def test_what_rejects(kernel: Kernel, program: list[Instruction]) -> None:
    """Loads outside the packet, division by zero, jumps outside the program, endless loops."""
    assert not accepts(kernel, [*program, op(RET_K, 1)] if program else [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xBF), st.integers(0, 9), st.integers(0, 9),
            st.one_of(st.integers(0, 40), st.integers(0, 0xFFFFFFFF)),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_program_ends(kernel: Kernel, program: list[Instruction]) -> None:
    """And says yes or no."""
    assert accepts(kernel, program) in (True, False)


class Instructions(ctypes.Structure):
    """struct bpf_insn."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("operand", ctypes.c_uint32),
    )


# Codes that libpcap's own machine knows; it stops the process at others.
KNOWN = [
    LD_IMM, LD_ABS_W, LD_ABS_H, LD_ABS_B, LD_IND_B, LD_LEN, LDX_IMM, LDX_LEN, LDX_MSH, TAX, TXA,
    *(code | by for code in (ADD, SUB, MUL, OR, AND, LSH, RSH, XOR) for by in (0, BY_X)), NEG,
]  # fmt: skip


@pytest.mark.skipif(LIBPCAP is None, reason="libpcap is not installed")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KNOWN), st.just(0), st.just(0),
            st.one_of(st.integers(0, 40), st.integers(0, 0xFFFFFFFF)),
        ),
        max_size=12,
    ),
    st.integers(0, 0xFFFFFFFF),
)  # fmt: skip
def test_same_as_libpcap(kernel: Kernel, program: list[Instruction], than: int) -> None:
    """An independent machine, libpcap's bpf_filter, on programs of loads and operations."""
    # C does not say what a shift by a constant beyond the word is; libpcap never compiles one.
    program = [each for each in program if each[0] not in (LSH, RSH) or each[3] < 32]
    program = [*program, op(JGT, than, 0, 1), op(RET_K, 1), op(RET_K, 0)]
    pcap = ctypes.CDLL(LIBPCAP)
    array = (Instructions * len(program))(*program)
    theirs = pcap.bpf_filter(array, PACKET, 100, len(PACKET))
    assert bool(theirs) == accepts(kernel, program)
