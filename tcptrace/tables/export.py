"""Tables to files: CSV, JSON and Parquet, one file a table in one folder.

Times are written as ISO 8601 with nine decimals, durations as seconds with nine decimals, both
as text where the format has no such type: a float would lose the last digits. Lists and truth
values are JSON in CSV too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tcptrace.errors import UsageError
from tcptrace.tables.encoded import json_array
from tcptrace.tables.exact import exact_words


def write_tables(tables: Mapping[str, pd.DataFrame], folder: str | Path, form: str) -> list[Path]:
    """Write each table as `name.form` into a folder, made if it is not there.

    `form` is csv, json (an array of objects) or parquet. UsageError for a folder that cannot be
    written, and for parquet without pyarrow.
    """
    home = Path(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
        return [_WRITERS[form](table, home / f"{name}.{form}") for name, table in tables.items()]
    except OSError as error:
        raise UsageError(f"cannot write to {home}: {error.strerror or error}") from None
    except ImportError:
        raise UsageError("parquet needs pyarrow: pip install 'tcptrace[parquet]'") from None


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its index as a column, times and durations as exact text."""
    flat = table.reset_index() if table.index.name else table
    return flat.assign(
        **{str(name): _text(cells) for name, cells in flat.items() if _is_time(cells)}
    )


def _is_time(values: pd.Series[Any]) -> bool:
    return values.dtype.kind in "mM"


def _text(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(exact_words(values), values.index, "string")


def _csv(table: pd.DataFrame, path: Path) -> Path:
    flat = plain(table)
    for name, values in flat.items():
        if values.dtype == np.bool_ or values.dtype == object:
            flat[name] = [json.dumps(_value(cell)) for cell in values]
    flat.to_csv(path, index=False)
    return path


def _json(table: pd.DataFrame, path: Path) -> Path:
    flat = table.reset_index() if table.index.name else table
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json_array(flat))
    return path


def _value(cell: Any) -> Any:
    """A cell as JSON holds it: no NumPy types, null for what is missing."""
    if isinstance(cell, list):
        return cell
    if pd.isna(cell):
        return None
    return cell.item() if isinstance(cell, np.generic) else cell


def _parquet(table: pd.DataFrame, path: Path) -> Path:
    flat = table.reset_index() if table.index.name else table
    flat.to_parquet(path, index=False, engine="pyarrow")
    return path


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], Path]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
