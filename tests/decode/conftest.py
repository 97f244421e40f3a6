"""The `decoder` fixture: a Decoder on compiled kernels, and one on the same files interpreted."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tcptrace.compiled import KERNELS
from tcptrace.decode import decoder as module
from tcptrace.decode.decoder import Decoder

FLOOR = "tcptrace.decode."


@pytest.fixture
def decoder(
    kernel: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Decoder]:
    """What makes a Decoder whose every kernel is of one sort."""
    for name in KERNELS:
        if name.startswith(FLOOR) and hasattr(module, name.removeprefix(FLOOR)):
            monkeypatch.setattr(module, name.removeprefix(FLOOR), kernel(name))
    return Decoder
