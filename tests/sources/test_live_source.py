"""Every live source offers what `LiveSource` says."""

from __future__ import annotations

import inspect

import pytest

from tcptrace.sources.interface import Interface
from tcptrace.sources.live_source import Counters, LiveSource
from tcptrace.sources.paced import Paced
from tcptrace.sources.piped import Piped


@pytest.mark.parametrize("source", [Interface, Paced, Piped])
def test_a_source_offers_the_protocol(source: type) -> None:
    """The methods are there, with the same parameters."""
    names = [name for name in vars(LiveSource) if not name.startswith("_")]
    assert {"batches", "now", "counters", "stop", "close"} <= set(names)
    for name in set(names) - {"facts"}:
        expected = inspect.signature(getattr(LiveSource, name)).parameters
        assert list(expected) == list(inspect.signature(getattr(source, name)).parameters)


def test_counters_begin_with_what_can_be_known() -> None:
    """A source that cannot know its losses says None, never 0."""
    assert (0, None, None, 0) == (
        Counters().received,
        Counters().dropped,
        Counters().dropped_by_interface,
        Counters().behind,
    )
