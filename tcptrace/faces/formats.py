"""A table on stdout or in a file: `FORMATS` is the list of what `-T` takes.

CSV, TSV and JSON hold a row's values as `tables.encoded` says. JSON is an array, JSON lines one
object a line, each line flushed unless into a file. Parquet keeps the DataFrame's own types and
needs pyarrow.
"""

from __future__ import annotations

import csv
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Frames = Iterable["pd.DataFrame"]

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
    from tcptrace.tables.encoded import json_array

    stream.writelines(json_array(frame))


def stream_jsonl(frames: Frames, stream: IO[str]) -> None:
    """An object a line, each flushed; into a file many at a time, for nobody waits for a line."""
    from tcptrace.tables.encoded import json_lines

    many = _is_file(stream)
    for lines in chain.from_iterable(map(json_lines, frames)):
        for text in [lines] if many else lines.split("\n")[:-1]:
            stream.write(text if many else text + "\n")
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
    from tcptrace.tables.encoded import csv_lines

    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    for place, frame in enumerate(frames):
        if not place:
            writer.writerow(frame.columns)
        stream.writelines(csv_lines(frame, separator))


def _is_file(stream: IO[str]) -> bool:
    """Whether a stream ends in a regular file: in no pipe, terminal or memory."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # io.UnsupportedOperation is one
        return False


def _same_file(left: str, right: str) -> bool:
    try:
        return Path(left).samefile(right)
    except OSError:
        return False
