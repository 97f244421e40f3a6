"""Pins `Pages`: octets stay in their own page, and pages that were let go are the next."""

from __future__ import annotations

from keeping import Kernel

from tcptrace.tracker.slots import Keeping


def test_pages_lead_to_each_other(kernel: Kernel) -> None:
    """Octets are read as they were written, page after page, whatever else is written between."""
    pages = kernel("tcptrace.tracker.pages").Pages()
    chains = [[pages.begin()] for _ in range(3)]
    for turn in range(2000):
        for mark, chain in enumerate(chains):
            at = chain[-1]
            pages.octets[at] = (turn + mark) % 251
            chain.append(at + 1 if (at + 1) % Keeping.PAGE else pages.go_on(at + 1))
    for mark, chain in enumerate(chains):
        at = chain[0]
        for turn in range(2000):
            assert (turn + mark) % 251 == pages.octets[at]
            at = at + 1 if (at + 1) % Keeping.PAGE else pages.after(at + 1)


def test_pages_let_go_are_the_next(kernel: Kernel) -> None:
    """All of those that led to each other, and none twice."""
    pages = kernel("tcptrace.tracker.pages").Pages()
    first, other = pages.begin(), pages.begin()
    chain = [first]
    for _ in range(4):
        chain.append(pages.go_on(chain[-1] // Keeping.PAGE * Keeping.PAGE + Keeping.PAGE))
    pages.let_go(first)
    again = [pages.begin() for _ in chain]
    assert set(chain) == set(again)
    assert other not in again and pages.begin() not in {*again, other}
