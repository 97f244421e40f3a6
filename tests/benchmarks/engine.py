"""`python -m tests.benchmarks.engine FILE`: the engine alone, timed inside its own process.

A file, read as `tcptrace.read` reads it, is decoded ahead and fed to a tracker, which judges all of
it. No table is made and pandas is not loaded. Prints what it did, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

from tcptrace.ahead import ahead
from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Segments
from tcptrace.sources.capture import open_capture
from tcptrace.tracker.tracker import Tracker


def measure(path: str) -> dict[str, float]:
    """packets, connections, seconds; interpreter and imports are not counted."""
    read = [0]

    def decoded() -> Iterator[Segments]:
        decoder = Decoder()
        for packets in open_capture(path):
            read[0] += len(packets)
            yield decoder.feed(packets)

    began = time.perf_counter()
    tracker = Tracker()
    for segments in ahead(decoded()):
        tracker.feed(segments)
    made = tracker.finish()
    seconds = time.perf_counter() - began
    return {"packets": read[0], "connections": len(made.connections), "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
