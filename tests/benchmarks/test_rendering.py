"""Keeps README's tables true to the record they are made of."""

from __future__ import annotations

from tests.benchmarks.programs import ENGINE, REFERENCE
from tests.benchmarks.record import Load, Machine, Record
from tests.benchmarks.rendering import NOTHING, rendered, short, spread
from tests.benchmarks.runs import MEMORY, TIMEOUT, Run

MB = 1_000_000


def record(**runs: list[Run]) -> Record:
    """A record of one load of a million packets; ours took 2 s and 300 MB."""
    ours = {REFERENCE: [Run(2.0, 3.0, 300 * MB)], ENGINE: [Run(1.0, 1.0, 200 * MB)]}
    made = Record(
        date="2026-01-02",
        machine=Machine("Some CPU", 2, 4 << 30, "Linux 6"),
        commit="abc1234",
        versions={REFERENCE: "0.1", ENGINE: "3.11", **dict.fromkeys(runs, "1.2")},
        absent=["ndpiReader"],
        floor=12 * MB,
        repetitions=3,
        patience=30,
        limit=300,
    )
    load = Load("web-1M", 9 * MB, 1_000_000, 30_000, ours | runs)
    return Record(**(vars(made) | {"loads": [load]}))


def cells(text: str, program: str) -> list[str]:
    """What stands in the column of a program: of speed, then of memory."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    heads = [row for row in rows if row[0] == "load"]
    return [row[head.index(program)] for head, row in zip(heads, rows[1::2], strict=True)]


def test_peer_has_its_rate_its_ratio_and_its_peak() -> None:
    """The median of its runs; 5 s are 0.2 million a second and 2.5 times ours."""
    runs = [Run(4.0, 4.0, 40 * MB), Run(5.0, 5.0, 50 * MB), Run(9.0, 9.0, 90 * MB)]
    assert ["0.2 (2.5)", "50"] == cells(rendered(record(argus=runs)), "argus")


def test_ours_has_no_ratio_to_itself() -> None:
    """It is what the others are held against."""
    assert ["0.5", "300"] == cells(rendered(record()), REFERENCE)


def test_peer_that_was_stopped_is_told_with_the_limit() -> None:
    """It would have wanted more memory, too."""
    text = rendered(record(argus=[Run(300.1, 290.0, 50 * MB, TIMEOUT)]))
    assert ["> 300 s", "> 50"] == cells(text, "argus")


def test_peer_that_failed_is_told_why() -> None:
    """Also where other runs of it went well."""
    runs = [Run(4.0, 4.0, 40 * MB), Run(1.0, 1.0, 40 * MB, MEMORY)]
    assert ["out of memory", "> 40"] == cells(rendered(record(argus=runs)), "argus")


def test_peak_below_what_can_be_told_is_a_bound() -> None:
    """A child's peak is never below its parent's."""
    assert "< 12" == cells(rendered(record(cat=[Run(0.1, 0.1, 12 * MB)])), "cat")[1]


def test_caption_names_all_that_a_figure_depends_on() -> None:
    """Date, commit, machine, versions, who is absent."""
    text = rendered(record(argus=[Run(4.0, 4.0, 40 * MB)]))
    for words in ("2026-01-02", "abc1234", "Some CPU", "2 cores", "4 GB", "Linux 6", "3.11"):
        assert words in text
    assert "Peers: argus 1.2." in text
    assert "Not measured, for not installed there: ndpiReader." in text
    assert "`web-1M` | 1,000,000 | 30,000" in text


def test_spread_is_the_largest_distance_from_a_median() -> None:
    """Runs that did not end do not count."""
    runs = [Run(4.0, 4.0, 1), Run(5.0, 5.0, 1), Run(6.0, 6.0, 1), Run(99.0, 1.0, 1, TIMEOUT)]
    assert 0.27 == round(spread(record(argus=runs)), 2)


def test_nothing_measured_is_said() -> None:
    """A table without a row would be no answer."""
    assert NOTHING == rendered(Record(**(vars(record()) | {"loads": []})))


def test_numbers_are_short_and_never_exponents() -> None:
    """People read them."""
    told = [short(number) for number in (4.5e-6, 0.0123, 0.5, 1.23, 9.96, 41.4, 123456.0)]
    assert ["< 0.0001", "0.012", "0.5", "1.2", "10", "41", "123,456"] == told
