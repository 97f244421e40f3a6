"""A table on stdout or in a file: `FORMATS` is the list of what `-T` takes.

CSV, TSV and JSON hold a row's values as `cells` says. JSON is an array, JSON lines one object a
line, each line flushed. Parquet keeps the DataFrame's own types and needs pyarrow.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Frames = Iterable["pd.DataFrame"]

CHUNK = 20_000  # rows turned into Python values at a time
SEPARATORS = {"csv": ",", "tsv": "\t"}
SUFFIXES = {
    ".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet",
}  # fmt: skip


def write_text(frame: pd.DataFrame, stream: IO[str]) -> None:
    """Aligned columns for eyes."""
    from tcptrace.faces.layout import print_table

    print_table(frame, stream)


def stream_csv(frames: Frames, stream: IO[str]) -> None:
    """A header and a row a line, separated by commas."""
    _write_separated(frames, stream, SEPARATORS["csv"])


def stream_tsv(frames: Frames, stream: IO[str]) -> None:
    """A header and a row a line, separated by tabs."""
    _write_separated(frames, stream, SEPARATORS["tsv"])


def write_json(frame: pd.DataFrame, stream: IO[str]) -> None:
    """One array of objects, an object a line."""
    between = "[\n"
    for row in _objects(frame):
        stream.write(between + row)
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def stream_jsonl(frames: Frames, stream: IO[str]) -> None:
    """An object a line, each flushed."""
    for frame in frames:
        for row in _objects(frame):
            stream.write(row + "\n")
            stream.flush()


def stream_parquet(frames: Frames, stream: IO[str]) -> None:
    """A Parquet file, a row group a frame; UsageError on a terminal and without pyarrow."""
    if stream.isatty():
        raise UsageError("-T parquet is not for a terminal: add -o FILE or a pipe")
    try:
        import pyarrow  # type: ignore[import-untyped] # noqa: F401
    except ImportError:
        raise UsageError("-T parquet needs pyarrow: pip install 'tcptrace[parquet]'") from None
    from tcptrace.tables.row_groups import write_row_groups

    stream.flush()
    write_row_groups(frames, stream.buffer)  # type: ignore[attr-defined]


# These take a table frame by frame: at least one, all of the same columns.
STREAMS: dict[str, Callable[[Frames, IO[str]], None]] = {
    "csv": stream_csv,
    "tsv": stream_tsv,
    "jsonl": stream_jsonl,
    "parquet": stream_parquet,
}


def write_csv(frame: pd.DataFrame, stream: IO[str]) -> None:
    """A whole table as `stream_csv` writes it."""
    stream_csv([frame], stream)


def write_tsv(frame: pd.DataFrame, stream: IO[str]) -> None:
    """A whole table as `stream_tsv` writes it."""
    stream_tsv([frame], stream)


def write_jsonl(frame: pd.DataFrame, stream: IO[str]) -> None:
    """A whole table as `stream_jsonl` writes it."""
    stream_jsonl([frame], stream)


def write_parquet(frame: pd.DataFrame, stream: IO[str]) -> None:
    """A whole table as `stream_parquet` writes it."""
    stream_parquet([frame], stream)


FORMATS: dict[str, Callable[[pd.DataFrame, IO[str]], None]] = {
    "text": write_text,
    "csv": write_csv,
    "tsv": write_tsv,
    "json": write_json,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}


def format_of(asked: str | None, output: str | None) -> str:
    """The format asked for, else the one that the output file's name says, else text."""
    return asked or SUFFIXES.get(Path(output or "").suffix.lower(), "text")


@contextmanager
def output(path: str | None, inputs: tuple[str, ...] = ()) -> Iterator[IO[str]]:
    """Stdout, or the file to write; UsageError if it cannot be written or is itself an input."""
    if path is None or path == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    if any(_same_file(path, each) for each in inputs):
        raise UsageError(f"-o {path}: that is a capture to read; it would be overwritten")
    try:
        stream = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"-o {path}: {error.strerror or error}") from None
    with stream:
        yield stream


def _write_separated(frames: Frames, stream: IO[str], separator: str) -> None:
    from tcptrace.faces.cells import csv_cells

    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    for place, frame in enumerate(frames):
        if not place:
            writer.writerow(frame.columns)
        for rows in _chunks(frame, csv_cells):
            writer.writerows(rows)


def _objects(frame: pd.DataFrame) -> Iterator[str]:
    from tcptrace.faces.cells import machine_cells

    names = list(frame.columns)
    for rows in _chunks(frame, machine_cells):
        for row in rows:
            yield json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)


def _chunks(
    frame: pd.DataFrame, cells: Callable[[pd.Series[Any]], list[Any]]
) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(0, len(frame), CHUNK):
        part = frame.iloc[start : start + CHUNK]
        yield list(zip(*(cells(part[name]) for name in part.columns), strict=True))


def _same_file(left: str, right: str) -> bool:
    try:
        return Path(left).samefile(right)
    except OSError:
        return False
