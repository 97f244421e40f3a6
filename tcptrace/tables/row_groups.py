"""`write_row_groups`: a table in Parquet, frame by frame, each a row group. Needs pyarrow.

Types are those of `schema`; names and choices are dictionaries, however few a frame has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

_LOOKED_AT = 4096  # cells by which a column of text is judged


def write_row_groups(frames: Iterable[pd.DataFrame], stream: IO[bytes]) -> None:
    """At least one frame; all have the same columns. What ends it early leaves a whole file."""
    waiting: Iterator[pd.DataFrame] = iter(frames)
    frame = next(waiting)
    schema = arrow_schema(frame)
    with pq.ParquetWriter(stream, schema, **_encodings(frame, schema)) as writer:
        writer.write_table(_table(frame, schema))
        del frame  # lest it be held while the next one is made
        for frame in waiting:
            writer.write_table(_table(frame, schema))
            del frame


def arrow_schema(frame: pd.DataFrame) -> Any:
    """The types of a frame's columns, and what pandas wants to know of them."""
    plain = pa.Schema.from_pandas(frame, preserve_index=False)
    fields = [field.with_type(_type(field.type, frame[field.name])) for field in plain]
    return pa.schema(fields, plain.metadata)


def _encodings(frame: pd.DataFrame, schema: Any) -> dict[str, Any]:
    """Numbers by what each has beyond the one before, in fewer octets and less work than others.

    Of text and choices each distinct value is there once, unless few are alike.
    """
    numbers = [field.name for field in schema if _is_number(field.type)]
    plain = [name for name in frame if _is_distinct(frame[name])]
    return {
        "use_dictionary": [name for name in schema.names if name not in {*numbers, *plain}],
        "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    }


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_int64(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind)
    )


def _is_distinct(cells: pd.Series[Any]) -> bool:
    """Whether most texts of a column differ."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return False
    some = cells.iloc[:_LOOKED_AT]
    return 2 * some.nunique() > len(some)


def _type(found: Any, cells: pd.Series[Any]) -> Any:
    if pa.types.is_dictionary(found):  # the first frame may have few names, and rarely none
        return pa.dictionary(pa.int32(), pa.string(), cells.cat.ordered)
    if cells.dtype == object:
        return pa.list_(pa.int64())
    return found


def _table(frame: pd.DataFrame, schema: Any) -> Any:
    # One thread: others would wait for the interpreter's lock, and are made anew for each frame.
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False, nthreads=1)
