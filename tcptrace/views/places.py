"""Where the columns of a ladder stand, in units of the drawing."""

from __future__ import annotations

from typing import Final

WIDTH: Final = 1100.0
EDGE: Final = 16.0  # what stays free around everything
MARGIN: Final = 204.0  # for the names of states
LEFT: Final = EDGE + MARGIN
RIGHT: Final = WIDTH - LEFT
MIDDLE: Final = WIDTH / 2
