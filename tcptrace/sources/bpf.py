# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""Runs a compiled packet filter over a batch of packets. ⚙

The classic BPF machine (McCanne and Jacobson 1993; libpcap's bpf_filter.c): an accumulator, an
index register, sixteen words of memory. A load outside the packet rejects it.
"""

from __future__ import annotations

import cython

from tcptrace.sources.packets import Packets

WIDTH = cython.declare(cython.Py_ssize_t, Packets.width())
OFFSET = cython.declare(cython.Py_ssize_t, Packets.index("offset"))
CAPTURED = cython.declare(cython.Py_ssize_t, Packets.index("captured"))
LENGTH = cython.declare(cython.Py_ssize_t, Packets.index("length"))
LINK_TYPE = cython.declare(cython.Py_ssize_t, Packets.index("link_type"))

# Columns of a program, one row an instruction: opcode, how far to jump if true, if false, operand.
INSTRUCTION_COLUMNS = ("code", "if_true", "if_false", "operand")
_COLUMNS = cython.declare(cython.Py_ssize_t, len(INSTRUCTION_COLUMNS))

# Classes of instructions (the low three bits), and the parts of those that have any.
_LD = cython.declare(cython.int, 0x00)
_LDX = cython.declare(cython.int, 0x01)
_ST = cython.declare(cython.int, 0x02)
_STX = cython.declare(cython.int, 0x03)
_ALU = cython.declare(cython.int, 0x04)
_JMP = cython.declare(cython.int, 0x05)
_RET = cython.declare(cython.int, 0x06)
_CLASS = cython.declare(cython.int, 0x07)

_MODE = cython.declare(cython.int, 0xE0)
_ABS = cython.declare(cython.int, 0x20)
_IND = cython.declare(cython.int, 0x40)
_MEM = cython.declare(cython.int, 0x60)
_LEN = cython.declare(cython.int, 0x80)
_MSH = cython.declare(cython.int, 0xA0)
_SIZE = cython.declare(cython.int, 0x18)
_HALF = cython.declare(cython.int, 0x08)
_BYTE = cython.declare(cython.int, 0x10)

_OPERATION = cython.declare(cython.int, 0xF0)
_ADD = cython.declare(cython.int, 0x00)
_SUB = cython.declare(cython.int, 0x10)
_MUL = cython.declare(cython.int, 0x20)
_DIV = cython.declare(cython.int, 0x30)
_OR = cython.declare(cython.int, 0x40)
_AND = cython.declare(cython.int, 0x50)
_LSH = cython.declare(cython.int, 0x60)
_RSH = cython.declare(cython.int, 0x70)
_NEG = cython.declare(cython.int, 0x80)
_MOD = cython.declare(cython.int, 0x90)
_XOR = cython.declare(cython.int, 0xA0)
_JA = cython.declare(cython.int, 0x00)
_JEQ = cython.declare(cython.int, 0x10)
_JGT = cython.declare(cython.int, 0x20)
_JGE = cython.declare(cython.int, 0x30)
_JSET = cython.declare(cython.int, 0x40)
_BY_X = cython.declare(cython.int, 0x08)
_RET_A = cython.declare(cython.int, 0x10)
_TXA = cython.declare(cython.int, 0x80)

# A `protochain` filter loops over a packet's headers; nothing honest takes more steps.
_STEPS = cython.declare(cython.Py_ssize_t, 1 << 16)
_WORD = cython.declare(cython.longlong, 0xFFFFFFFF)
_WRAP = cython.declare(cython.longlong, 1 << 32)
_SIGN = cython.declare(cython.longlong, 1 << 31)


@cython.cclass
class Machine:
    """The registers, and the packet `data[first:end]` that a program is run on."""

    _program: cython.longlong[::1]
    _data: cython.const[cython.uchar][::1]
    _first: cython.Py_ssize_t
    _end: cython.Py_ssize_t
    _length: cython.longlong
    _a: cython.longlong
    _x: cython.longlong
    _memory: cython.longlong[::1]
    _outside: cython.bint

    def __init__(self, program: cython.longlong[::1], memory: cython.longlong[::1]) -> None:
        self._program = program
        self._memory = memory

    def judge(
        self,
        data: cython.const[cython.uchar][::1],
        cells: cython.longlong[::1],
        link_type: cython.longlong,
        kept: cython.uchar[::1],
    ) -> None:
        """Set `kept[i]` to 1 for each packet of that link type that the program accepts."""
        row: cython.Py_ssize_t
        cell: cython.Py_ssize_t
        self._data = data
        for row in range(kept.shape[0]):
            cell = row * WIDTH
            if cells[cell + LINK_TYPE] == link_type:
                self._first = cells[cell + OFFSET]
                self._end = self._first + cells[cell + CAPTURED]
                self._length = cells[cell + LENGTH]
                kept[row] = 1 if self._run() != 0 else 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _run(self) -> cython.longlong:
        """What the program returns for the packet: 0 rejects it."""
        at: cython.Py_ssize_t = 0
        code: cython.int
        steps: cython.Py_ssize_t = 0
        self._a = 0
        self._x = 0
        self._outside = False
        while 0 <= at < self._program.shape[0] and steps < _STEPS:
            steps += 1
            code = self._program[at]
            if code & _CLASS == _RET:
                return self._a if code & _SIZE == _RET_A else self._program[at + 3]
            at = self._step(code, at)
            if self._outside:
                return 0
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _step(self, code: cython.int, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Do one instruction that does not return; the place of the next."""
        kind: cython.int = code & _CLASS
        operand: cython.longlong = self._program[at + 3]
        if kind == _JMP:
            return self._jump(code, at, operand)
        if kind == _LD:
            self._a = self._load(code, operand)
        elif kind == _LDX:
            self._x = self._load(code, operand)
        elif kind in (_ST, _STX):
            self._store(operand, self._a if kind == _ST else self._x)
        elif kind == _ALU:
            self._a = self._compute(code, self._x if code & _BY_X else operand)
        elif code & _TXA:
            self._a = self._x
        else:
            self._x = self._a
        return at + _COLUMNS

    @cython.cfunc
    @cython.exceptval(-1)
    def _jump(
        self, code: cython.int, at: cython.Py_ssize_t, operand: cython.longlong
    ) -> cython.Py_ssize_t:
        """The place of the instruction that is jumped to; -2 leaves the program."""
        operation: cython.int = code & _OPERATION
        by: cython.longlong = operand
        holds: cython.bint = False
        if operation == _JA:
            # Only the loops of `protochain` jump back: their distance is negative.
            by = operand - _WRAP if operand & _SIGN else operand
        else:
            operand = self._x if code & _BY_X else operand
            if operation == _JEQ:
                holds = self._a == operand
            elif operation == _JGT:
                holds = self._a > operand
            elif operation == _JGE:
                holds = self._a >= operand
            elif operation == _JSET:
                holds = (self._a & operand) != 0
            by = self._program[at + 1] if holds else self._program[at + 2]
        at += _COLUMNS * (by + 1)
        return at if at >= 0 else -2

    @cython.cfunc
    @cython.exceptval(-1)
    def _load(self, code: cython.int, operand: cython.longlong) -> cython.longlong:
        mode: cython.int = code & _MODE
        if mode == _ABS:
            return self._packet(self._first + operand, code & _SIZE)
        if mode == _IND:
            return self._packet(self._first + self._x + operand, code & _SIZE)
        if mode == _LEN:
            return self._length
        if mode == _MSH:
            return 4 * (self._packet(self._first + operand, _BYTE) & 0xF)
        if mode != _MEM:
            return operand
        if operand >= self._memory.shape[0]:
            self._outside = True
            return 0
        return self._memory[operand]

    @cython.cfunc
    @cython.exceptval(-1)
    def _packet(self, at: cython.Py_ssize_t, size: cython.int) -> cython.longlong:
        """A big-endian word, half word or byte of the packet."""
        value: cython.longlong = 0
        end: cython.Py_ssize_t = at + (1 if size == _BYTE else 2 if size == _HALF else 4)
        if end > self._end:
            self._outside = True
            return 0
        while at < end:
            value = value << 8 | self._data[at]
            at += 1
        return value

    @cython.cfunc
    @cython.exceptval(-1)
    def _store(self, place: cython.longlong, value: cython.longlong) -> cython.int:
        if place < self._memory.shape[0]:
            self._memory[place] = value
        else:
            self._outside = True
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def _compute(self, code: cython.int, operand: cython.longlong) -> cython.longlong:
        """The accumulator after an operation on it, modulo 2^32."""
        operation: cython.int = code & _OPERATION
        if operation in (_DIV, _MOD) and operand == 0:
            self._outside = True
            return 0
        if operation == _ADD:
            return (self._a + operand) & _WORD
        if operation == _SUB:
            return (self._a - operand) & _WORD
        if operation == _MUL:
            # The low 32 bits of the product, from factors that cannot overflow 63 bits.
            return (
                self._a * (operand & 0xFFFF) + ((self._a * (operand >> 16) & 0xFFFF) << 16)
            ) & _WORD
        if operation == _DIV:
            return self._a // operand
        if operation == _MOD:
            return self._a % operand
        if operation == _AND:
            return self._a & operand
        if operation == _OR:
            return self._a | operand
        if operation == _XOR:
            return self._a ^ operand
        if operation == _NEG:
            return -self._a & _WORD
        if operand >= 32:
            return 0
        return (self._a << operand) & _WORD if operation == _LSH else self._a >> operand
