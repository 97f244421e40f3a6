"""A flood of SYNs, each of a connection of its own that never comes to be: time and memory of it.

    python -m tests.fuzz.half_open [CONNECTIONS...]    250,000, 500,000 and 1,000,000 unless given

Prints, for each flood in a process of its own: seconds of CPU and the greatest memory of reading
it to the tracker's end, and of the tables of connections and of the timeline after that.
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FLOODS = (250_000, 500_000, 1_000_000)
RECORD = 16 + 40
INTERVAL = 10_000  # µs from one SYN to the next
MEGABYTE = 1 << 10  # ru_maxrss counts KiB


def flood(count: int) -> bytes:
    """A pcap file of raw IPv4 packets: `count` SYNs from as many addresses and ports."""
    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0x4000, 64, 6, 0, b"", b"\x0a\0\0\1")
    packet += struct.pack(">HHIIBBHHH", 0, 80, 0, 0, 0x50, 2, 1024, 0, 0)
    records = np.zeros((count, RECORD), np.uint8)
    records[:, 16:] = np.frombuffer(packet, np.uint8)
    heads = records[:, :16].view("<u4")
    times = 1_700_000_000_000_000 + INTERVAL * np.arange(count, dtype=np.int64)
    heads[:, 0], heads[:, 1] = times // 1_000_000, times % 1_000_000
    heads[:, 2] = heads[:, 3] = RECORD - 16
    number = np.arange(count, dtype=np.uint32)
    ports = (1024 + number % 60_000).astype(">u2")
    sources = (0x0B000000 + number // 60_000).astype(">u4")
    records[:, 28:32] = sources.view(np.uint8).reshape(-1, 4)
    records[:, 36:38] = ports.view(np.uint8).reshape(-1, 2)
    records[:, 40:44] = (number * np.uint32(2654435761)).astype(">u4").view(np.uint8).reshape(-1, 4)
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + records.tobytes()


def measure(count: int) -> str:
    """One line of figures of a flood of `count` connections, measured in this process."""
    import tcptrace

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "flood.pcap")
        path.write_bytes(flood(count))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE
        start = time.process_time()
        trace = tcptrace.read(path, progress=False)
        read, memory = time.process_time() - start, _most()
        told = len(trace.connections), len(trace.timeline)
        tables = time.process_time() - start - read
    return (
        f"{count:>9,} SYNs: read in {read:.1f} s of CPU and {memory - before:,} MB; tables in "
        f"{tables:.1f} s and {_most() - before:,} MB; {told[0]:,} connections, {told[1]:,} states"
    )


def _most() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE


def main(counts: list[str]) -> None:
    """Measure each flood in a process of its own, so that none inherits another's memory."""
    for count in counts or [str(flood) for flood in FLOODS]:
        command = [sys.executable, "-m", "tests.fuzz.half_open", "--here", count]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(measure(int(sys.argv[2])))
    else:
        main(sys.argv[1:])
