"""Zeek's connection rules in the plainest Python: the oracle of the compiled model.

Written from the rules, not from the kernel: positions are unbounded integers, a stream is the
list of pieces that were stored, a history is a string, and every timer is looked at each time.
"""

from __future__ import annotations

from zeek_ends import INTERACTIVE, SECOND, SERVERS, End, Seen, named, relative, renumber, signed


class Row:
    """One of Zeek's rows."""

    def __init__(self, first: Seen, clock: int) -> None:
        self.ends = (End(), End())
        self.orig = first.sender
        self.history = ""
        self.seen: set[str] = set()
        self.first = self.last = first.time
        self.created = clock
        self.attempt: int | None = None
        self.delete: int | None = None
        self.patience = 60 * SECOND
        self.deferred = False
        self.partial = False
        self.met: set[str] = set()
        lonely_syn = "S" in first.flags and "A" not in first.flags
        if not lonely_syn and first.source in SERVERS:
            both = first.target in SERVERS
            if not both or ("S" not in first.flags and first.source < first.target):
                self.flip()

    def flip(self) -> None:
        self.orig = 1 - self.orig
        self.history += "^"
        self.partial = False
        self.met = {{"orig": "resp", "resp": "orig"}[role] for role in self.met}

    def role(self, end: End) -> str:
        return "orig" if end is self.ends[self.orig] else "resp"

    def add(self, end: End, letter: str) -> None:
        self.history += letter if self.role(end) == "orig" else letter.lower()

    def once(self, end: End, letter: str, kind: str) -> bool:
        mark = f"{self.role(end)} {kind}"
        if mark in self.seen:
            return False
        self.seen.add(mark)
        self.add(end, letter)
        return True

    def again(self, end: End, letter: str, kind: str, place: int) -> None:
        if not self.once(end, letter, kind) and end.marks.get(kind, 0) != place:
            self.add(end, letter)
        end.marks[kind] = place

    def scaled(self, end: End, letter: str) -> None:
        end.counts[letter] = end.counts.get(letter, 0) + 1
        if str(end.counts[letter]).strip("0") == "1":
            self.add(end, letter)

    # When the row ends

    def over(self, seen: Seen, clock: int) -> bool:
        orig, resp = self.ends[self.orig], self.ends[1 - self.orig]
        if self.attempt is not None and clock >= self.attempt:
            self.attempt = None
            if orig.state in ("SYN_SENT", "SYN_ACK_SENT") and resp.state == "INACTIVE":
                return True
        if self.delete is not None and clock >= self.delete:
            return True
        return clock - self.last >= self.patience or self.lingered(clock) or self.reuse(seen)

    def lingered(self, clock: int) -> bool:
        states = {end.state for end in self.ends}
        closed = [end.closed for end in self.ends]
        dead = any(closed) and (all(closed) or "RESET" in states or "INACTIVE" in states)
        if not dead and states != {"INACTIVE"}:
            return False
        check = self.created + 5 * SECOND
        while check <= clock:
            if self.last + 5 * SECOND < check:
                return True
            check += 6 * SECOND
        return False

    def reuse(self, seen: Seen) -> bool:
        orig, resp = self.ends[self.orig], self.ends[1 - self.orig]
        if "S" not in seen.flags or ("A" in seen.flags and orig.state != "INACTIVE"):
            return False
        if orig.closed or resp.closed:
            return True
        crossed = (orig.state, resp.state) == ("SYN_ACK_SENT", "INACTIVE")
        if "A" in seen.flags:
            return seen.seq != resp.start
        return seen.seq != orig.start and not (crossed and seen.seq == resp.start)

    # One packet

    def take(self, seen: Seen) -> None:
        end, peer = self.ends[seen.sender], self.ends[1 - seen.sender]
        if seen.corrupt and end.vouched:
            self.scaled(end, "C")
            return
        end.vouched = end.vouched or not seen.corrupt
        role = self.role(end)
        self.note_partial(role, seen)
        length = 0 if "R" in seen.flags else seen.payload
        length += ("S" in seen.flags) + ("F" in seen.flags)
        self.number(end, seen, length)
        start = relative(end, seen.seq, end.last)
        self.letters(end, peer, seen, start)
        if not (end.closed and peer.closed):
            self.last = seen.time
        if "F" in seen.flags:
            end.fins, end.fin_end = end.fins + 1, start + length
        acked = self.acknowledge(peer, seen) if "A" in seen.flags else 0
        self.advance(end, seen, length)
        closing = self.move(end, peer, seen)
        if "A" in seen.flags:
            self.trim(peer, end, acked)
        self.met.add(role)
        whole = seen.kept is None or seen.kept >= seen.payload
        if seen.payload and whole and "R" not in seen.flags and start >= 0:
            start += "S" in seen.flags
            self.store(end, peer, start, start + seen.payload)
        self.end_of_stream(end, peer)
        if closing:
            self.close(end, peer)
        end.packets += 1

    def note_partial(self, role: str, seen: Seen) -> None:
        if role in self.met:
            return
        if role == "orig":
            self.partial = "S" not in seen.flags or "A" in seen.flags
        elif not self.partial:
            self.partial = "S" not in seen.flags

    def number(self, end: End, seen: Seen, length: int) -> None:
        syn = "S" in seen.flags
        fresh = end.state == "INACTIVE"
        anew = syn and (
            fresh
            or end.state in ("ESTABLISHED", "PARTIAL")
            or (end.state in ("SYN_SENT", "SYN_ACK_SENT") and seen.seq != end.start)
            or (end.state == "RESET" and end.before == "INACTIVE")
        )
        if anew:
            renumber(end, seen.seq, (seen.seq + length) % (1 << 32))
        elif fresh:
            renumber(end, (seen.seq - 1) % (1 << 32), seen.seq)

    def letters(self, end: End, peer: End, seen: Seen, start: int) -> None:
        controls = "".join(letter for letter in "SFR" if letter in seen.flags)
        if controls == "S":
            self.again(end, "H" if "A" in seen.flags else "S", "syn", start)
        elif controls == "F":
            self.again(end, "F", "fin", start + seen.payload)
        elif controls == "R":
            self.again(end, "R", "rst", start)
        elif controls:
            self.once(end, *(("I", "I") if {"F", "R"} <= set(controls) else ("Q", "Q")))
        elif seen.payload or "A" in seen.flags:
            if self.history == "H":
                self.flip()
                self.history = "^h"
            letter = "D" if seen.payload else "A"
            self.once(end, letter, letter)
        boring = "R" in seen.flags or peer.state == "CLOSED" or end.state == "RESET"
        if seen.window == 0 and not boring:
            self.scaled(end, "W")

    def acknowledge(self, peer: End, seen: Seen) -> int:
        if peer.state == "INACTIVE":
            renumber(peer, (seen.ack - 1) % (1 << 32), (seen.ack - 1) % (1 << 32))
            return 1
        place = relative(peer, seen.ack, peer.acked)
        if place < 0:
            return 0
        jump = signed(seen.ack - peer.acked)
        if "R" not in seen.flags and not (seen.ack == 0 and jump > 1 << 20):
            peer.acked += max(0, jump)
        return place

    def advance(self, end: End, seen: Seen, length: int) -> None:
        ahead = signed(seen.seq + length - end.last)
        if set(seen.flags) & {"S", "R"} and abs(ahead) > 1 << 20:
            return
        if "F" in seen.flags and (end.last - end.start - 1) % (1 << 32) == 0:
            end.last += ahead % (1 << 32)
        elif end.state == "RESET":
            return
        elif ahead > 0:
            end.last += ahead
        elif seen.payload:
            self.scaled(end, "T")

    # The machine

    def enter(self, end: End, peer: End, state: str) -> None:
        if end.state == state:
            return
        opening = ("INACTIVE", "SYN_SENT", "SYN_ACK_SENT")
        if state not in opening and end.state in opening and peer.state in opening:
            self.patience = 300 * SECOND
        end.before, end.state = end.state, state

    def move(self, end: End, peer: End, seen: Seen) -> bool:
        fin, rst = "F" in seen.flags, "R" in seen.flags
        if end.state == "RESET":
            return False
        if end.state == "CLOSED":
            if rst and peer.state != "CLOSED":
                self.enter(end, peer, "RESET")
                return not end.closed
            return False
        if end.state in ("ESTABLISHED", "PARTIAL"):
            return self.move_open(end, peer, seen)
        if end.state == "INACTIVE" and "S" in seen.flags:
            self.open(end, peer, seen)
        if fin:
            self.enter(end, peer, "CLOSED")
        if rst:
            self.enter(end, peer, "RESET")
        if end.state == "INACTIVE":
            self.pick_up(end, peer, seen)
        return fin or rst

    def move_open(self, end: End, peer: End, seen: Seen) -> bool:
        lonely_syn = "S" in seen.flags and "A" not in seen.flags
        if lonely_syn and (end.state, peer.state) == ("PARTIAL", "INACTIVE"):
            self.enter(end, peer, "SYN_SENT")
        if "R" in seen.flags:
            self.enter(end, peer, "RESET")
        elif "F" in seen.flags:
            self.enter(end, peer, "CLOSED")
            if (peer.state, peer.before) == ("RESET", "CLOSED"):
                self.enter(peer, end, "CLOSED")
        return bool(set(seen.flags) & {"F", "R"})

    def open(self, end: End, peer: End, seen: Seen) -> None:
        if self.role(end) == "orig":
            self.enter(end, peer, "SYN_ACK_SENT" if "A" in seen.flags else "SYN_SENT")
            self.attempt = seen.time + 5 * SECOND
            return
        if "A" not in seen.flags and peer.state == "SYN_ACK_SENT":
            self.flip()
            self.enter(peer, end, "ESTABLISHED")
        if peer.state == "SYN_SENT":
            self.enter(peer, end, "ESTABLISHED")
        self.enter(end, peer, "ESTABLISHED")
        if peer.state != "PARTIAL" and seen.ports[1 - self.orig] in INTERACTIVE:
            self.patience = 3600 * SECOND

    def pick_up(self, end: End, peer: End, seen: Seen) -> None:
        role = self.role(end)
        if role == "resp" and not seen.payload and peer.state == "SYN_SENT":
            return
        if "A" in seen.flags and peer.state == "ESTABLISHED":
            self.enter(end, peer, "ESTABLISHED")
            self.partial = False
            self.met.add(role)
        else:
            self.enter(end, peer, "PARTIAL")

    # Closing, and the streams

    def store(self, end: End, peer: End, start: int, stop: int) -> None:
        start = max(start, end.acked - end.start, end.trimmed)
        if end.skip or start >= stop:
            return
        end.pieces.append((start, stop))
        before = end.delivered
        end.deliver()
        if end.delivered > before and end.unacked() and self.size(end, peer) > 16384:
            self.forget(end, end.delivered)
        above = max((stop for _, stop in end.pieces), default=end.delivered) - end.delivered
        if (end.unacked() and above > 16384) or end.stored() > 10 << 20:
            end.skip, end.pieces = True, []

    def forget(self, end: End, upto: int) -> None:
        end.trimmed = upto
        end.pieces = [(max(start, upto), stop) for start, stop in end.pieces if stop > upto]

    def trim(self, end: End, peer: End, upto: int) -> None:
        if end.fins and 0 <= end.fin_end <= upto:
            upto = end.fin_end - 1
        if upto <= end.trimmed:
            return
        if not (upto <= 2 and self.partial):
            while end.delivered < upto:
                starts = [start for start, _ in end.pieces if start > end.delivered]
                self.gap(end, peer, min([*starts, upto]))
                end.deliver()
        self.forget(end, upto)
        end.deliver()
        self.end_of_stream(end, peer)

    def gap(self, end: End, peer: End, upto: int) -> None:
        if end.clean() and peer.clean() and not end.skip:
            end.missed += upto - end.delivered
            self.scaled(end, "G")
        end.delivered = upto

    def pending(self, end: End, peer: End) -> bool:
        whole = end.start + end.delivered
        if end.skip or end.last < whole:
            return False
        return whole < end.last - 1 or (end.state != "RESET" and bool(peer.pieces))

    def end_of_stream(self, end: End, peer: End) -> None:
        over = end.fins > 0 or end.state in ("CLOSED", "RESET")
        if end.ended or not over or self.pending(end, peer):
            return
        end.ended = True
        if self.deferred:
            self.close(end, peer)
            self.deferred = False

    def close(self, end: End, peer: End) -> None:
        self.deferred = self.pending(end, peer)
        if self.deferred or end.closed:
            return
        end.closed = True
        if end.state == "RESET" or peer.closed or peer.state == "INACTIVE":
            self.attempt = None
            self.delete = self.last + 5 * SECOND

    # What conn.log says

    def size(self, end: End, peer: End) -> int:
        half_open = (end.before, end.state, peer.state) == ("SYN_SENT", "RESET", "INACTIVE")
        if half_open and not end.unacked():
            return 0
        octets = max(0, max(end.last, end.acked) - end.start - 1)
        return octets - (1 if end.fins and octets else 0)

    def conn_state(self) -> str:
        orig, resp = self.ends[self.orig], self.ends[1 - self.orig]
        return named(
            orig.state, resp.state, self.history, self.size(orig, resp) + self.size(resp, orig)
        )


def zeek_rows(segments: list[Seen]) -> list[Row]:
    """The rows that Zeek would write about segments of one four-tuple, in capture order."""
    rows: list[Row] = []
    clock = segments[0].time
    for seen in segments:
        clock = max(clock, seen.time)
        if not rows or rows[-1].over(seen, clock):
            rows.append(Row(seen, clock))
        rows[-1].take(seen)
    return rows
