"""Pins `RestingLog`: that a connection was quiet changes nothing of what is kept of it."""

from __future__ import annotations

import numpy as np
import pytest
from exchange import CLOSE, OPEN, exchange
from keeping import Kernel, kept, stream


@pytest.mark.parametrize("quiet_after", [1, 3, 8, 9, 40, 300])
def test_quiet_between_segments_a_connection_keeps_the_same(
    kernel: Kernel, quiet_after: int
) -> None:
    """Rows, which of them are copies, and which are dropped later do not change."""
    text = OPEN + stream(60) + "9 C PA 1+10 a1 id=9\n9.04 C PA 1+10 a1 id=9\n"
    segments = exchange(text + stream(60).replace("1.", "10.") + CLOSE.replace("1.", "2000."))
    expected, made = kept(kernel, OPEN), kept(kernel, OPEN)
    expected.add(segments)
    for start in range(0, len(segments), quiet_after):
        part = segments.take(slice(start, start + quiet_after))
        made.add(part)
        made.log.pack(part.slot[:1].copy().data)
    assert expected.rows().matrix.tolist() == made.rows().matrix.tolist()


def test_quiet_and_collected_the_slot_is_free_for_the_next(kernel: Kernel) -> None:
    """Nothing of the one before is left."""
    made = kept(kernel, OPEN + stream(20))
    first = made.slot()
    made.log.pack(np.array([first]).data)
    made.rows()
    made.table.release(np.array([first]))
    made.add(exchange(OPEN))
    made.log.pack(np.array([made.slot()]).data)
    assert 3 == len(made.rows())
