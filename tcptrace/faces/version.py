"""`version_text`: what `tcptrace --version` says; it imports next to nothing."""

from __future__ import annotations

import sys

from tcptrace.compiled import KERNELS, interpreted_kernels
from tcptrace.version import VERSION


def version_text() -> str:
    """The version and, on a second line, whether the kernels are compiled."""
    slow = interpreted_kernels()
    kernels = f"kernels: all {len(KERNELS)} compiled"
    if slow:
        kernels = f"kernels: {len(slow)} of {len(KERNELS)} interpreted (slow): {', '.join(slow)}"
    python = ".".join(map(str, sys.version_info[:3]))
    return f"tcptrace {VERSION} (Python {python})\n{kernels}"
