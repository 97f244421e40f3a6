"""Loads: TCP traffic made from a seed, as many packets as wished, in four mixes.

`python -m tests.benchmarks.loads NAME FILE` writes one as a pcap; `wish` says what a name means.
A connection follows one script of its mix (`mixes`); `frames` makes octets of what comes of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.random import Generator

from tcptrace.columns import Matrix
from tcptrace.tcp.flags import ACK, FIN, SYN

from .frames import Columns, write
from .mixes import CATALOGUES, CLIENT, ELEPHANTS, MS, SECOND, SERVER, Script
from .wish import Mix, Wish

SEED = 9293
US = 1_000
AT_ONCE = 4_000  # connections of the web that are open together
A_SECOND = 20_000  # connections that a scan or a flood begins
WEB_PORTS = (443, 443, 443, 8443)


def make(wish: Wish, path: Path, seed: int = SEED) -> None:
    """Write the load; the same wish and seed always give the same octets."""
    write(path, drawn(wish.mix, wish.packets, np.random.default_rng(seed)), wish.snap)


def drawn(mix: Mix, packets: int, rng: Generator) -> Columns:
    """The first `packets` packets of connections drawn from the mix, in the order of time."""
    scripts = CATALOGUES[mix](rng, packets)
    steps = np.concatenate([_resolved(script) for script in scripts])
    lengths = np.array([len(script) for script in scripts])
    enough = ELEPHANTS if mix == Mix.ELEPHANTS else 50 + int(1.1 * packets / lengths.mean())
    drawn = rng.integers(0, len(scripts), enough)
    count = lengths[drawn]
    first = np.cumsum(count) - count
    conn = np.repeat(np.arange(len(drawn)), count)
    base = np.repeat((np.cumsum(lengths) - lengths)[drawn] - first, count)
    rows = steps[np.arange(len(conn)) + base]
    return _timed(mix, rng, packets, rows, conn, first)


CELLS = ("sender", "flags", "payload", "own", "other", "echo", "answers", "wait")
STEP = np.dtype([(name, np.int64) for name in CELLS])


def _resolved(script: Script) -> np.ndarray:
    """A row a step: where in both sequence spaces it lies, whom it echoes, whether it waits."""
    rows = np.zeros(len(script), STEP)
    used, latest, before = [0, 0], [-1, -1], [0, 0]
    for place, step in enumerate(script):
        me, it = step.sender, 1 - step.sender
        own = before[me] if step.again else used[me]
        answers = place > 0 and me == SERVER and script[place - 1].sender == CLIENT
        echo = place - latest[it] if latest[it] >= 0 else 0
        rows[place] = (
            me,
            step.flags,
            step.payload,
            own,
            used[it],
            echo,
            answers and not step.flows,
            step.wait,
        )
        before[me], latest[me] = own, place
        used[me] = max(used[me], own + step.payload + bool(step.flags & (SYN | FIN)))
    return rows


def _timed(
    mix: Mix, rng: Generator, packets: int, rows: np.ndarray, conn: Matrix, first: Matrix
) -> Columns:
    """The rows as packets of their connections, each begun at its own moment."""
    rtt = np.clip(rng.lognormal(np.log(20 * MS), 0.9, len(first)), MS // 5, 400 * MS)
    gap = rng.integers(8 * US, 130 * US, len(rows)) + rows["wait"]
    gap += np.where(rows["answers"] == 1, rtt[conn], 0).astype(np.int64)
    passed = np.cumsum(gap)
    time = passed - passed[first][conn]
    life = np.maximum.reduceat(time, first)
    by_rate = len(first) * SECOND / A_SECOND
    span = {Mix.WEB: life.sum() / AT_ONCE, Mix.ELEPHANTS: life.mean() / 50}.get(mix, by_rate)
    time += np.sort(rng.random(len(first)) * span).astype(np.int64)[conn]
    columns = _columns(mix, rng, rows, conn, time)
    order = np.argsort(time, kind="stable")[:packets]
    return {name: values[order] for name, values in columns.items()}


def _columns(mix: Mix, rng: Generator, rows: np.ndarray, conn: Matrix, time: Matrix) -> Columns:
    """Every field of every packet's headers, in the order of the rows."""
    count = int(conn[-1]) + 1
    client, client_port, server, server_port = _ends(mix, rng, np.arange(count))
    iss = rng.integers(0, 1 << 32, (count, 2))
    clock = rng.integers(0, 1 << 31, (count, 2))
    sender, flags = rows["sender"], rows["flags"]
    from_client = sender == CLIENT
    stamp = clock[conn, sender] + time // MS
    place = np.arange(len(rows))
    return {
        "time": time,
        "flags": flags,
        "payload": rows["payload"],
        "from_client": from_client,
        "v6": (rng.random(count) < 0.1)[conn],
        "stamped": (rng.random(count) < 0.5)[conn],
        "src": np.where(from_client, client[conn], server[conn]),
        "dst": np.where(from_client, server[conn], client[conn]),
        "src_port": np.where(from_client, client_port[conn], server_port[conn]),
        "dst_port": np.where(from_client, server_port[conn], client_port[conn]),
        "seq": iss[conn, sender] + rows["own"],
        "ack": np.where(flags & ACK, iss[conn, 1 - sender] + rows["other"], 0),
        "tsval": stamp,
        "tsecr": np.where(rows["echo"] > 0, stamp[place - rows["echo"]], 0),
        "ip_id": iss[conn, sender] + place,
    }


def _ends(mix: Mix, rng: Generator, conn: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Client, its port, server, its port; no two connections have all four in common."""
    many = len(conn)
    if mix == Mix.SCAN:
        target = 0xC6336401 + conn // 65_535
        return np.full(many, 0x0A000001), 40_000 + conn // 65_535, target, 1 + conn * 7919 % 65_535
    if mix == Mix.SYNFLOOD:
        source = 0x0B000000 + conn * 2654435761 % (0xD0 << 24)
        return source, 1024 + conn % 60_000, np.full(many, 0xC6336401), np.full(many, 443)
    hosts = max(1, min(6_000, many // 4))
    server = 0xC6336401 + rng.zipf(1.4, many) % 250
    return 0x0A000100 + conn % hosts, 32_768 + conn // hosts, server, rng.choice(WEB_PORTS, many)


if __name__ == "__main__":
    wish = Wish.named(sys.argv[1])
    if wish is None:
        sys.exit(f"no load: {sys.argv[1]}; such as {', '.join(f'{mix}-1M' for mix in Mix)}")
    make(wish, Path(sys.argv[2]))
