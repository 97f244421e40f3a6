"""Pins `Reason`: the story has words for each, and no two say the same."""

from __future__ import annotations

from tcptrace.tracker.reasons import WORDS, Reason


def test_every_reason_has_words_of_its_own() -> None:
    """A reason without words would be a hole in the story; only NONE is silent."""
    assert set(Reason) == set(WORDS)
    assert len(Reason) == len(set(WORDS.values()))
    assert [Reason.NONE] == [reason for reason, words in WORDS.items() if not words]


def test_words_fit_into_a_sentence() -> None:
    """They stand behind a semicolon: no capital, no full stop."""
    for words in filter(None, WORDS.values()):
        assert words[0].islower() or words.startswith(("a RST", "a D-SACK"))
        assert not words.endswith(".")
