"""Tables between steps: Parquet files written by pandas, index kept."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Optional

from millrace.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


def read_frame(path: str) -> pd.DataFrame:
    """The table with the index that it was written with."""
    import pandas as pd

    return pd.read_parquet(path, engine="pyarrow")


def write_frame(frame: pd.DataFrame, path: str, what: str, field: Optional[str] = None) -> None:
    """Writes the table as pandas does. `what` names it in errors: `the data that load in steps/ingest.py returned`."""
    _check_columns(frame, what, field)
    try:
        frame.to_parquet(path, engine="pyarrow")
    except (TypeError, ValueError, OverflowError) as error:
        # pyarrow's own errors are ValueErrors and TypeErrors; their last argument names the column.
        reason = "; ".join(str(each) for each in error.args)
        raise UserError(
            f"{what} cannot be written as Parquet: {reason}",
            field,
            "give the column one type, for example with astype(str)",
        ) from error


def _check_columns(frame: pd.DataFrame, what: str, field: Optional[str]) -> None:
    unnamed = [name for name in frame.columns if not isinstance(name, str)]
    if unnamed:
        raise UserError(
            f"{what} has columns whose names are not text: {_listed(unnamed)}",
            field,
            "name them, for example with frame.columns = frame.columns.astype(str)",
        )
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated) > 0:
        raise UserError(f"{what} has several columns of the same name: {_listed(repeated)}", field)


def _listed(names: Any) -> str:
    shown = ", ".join(str(name) for name in list(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def stored_index_columns(path: str) -> list[str]:
    """Names of the Parquet columns that hold the index (`__index_level_0__`); none for a plain range."""
    import pyarrow.parquet as pq

    metadata = (pq.read_schema(path).metadata or {}).get(b"pandas")
    stored = json.loads(metadata)["index_columns"] if metadata else []
    return [name for name in stored if isinstance(name, str)]


def schema_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Columns with their pandas types as text."""
    return [
        {"name": str(name), "type": str(dtype)} for name, dtype in zip(frame.columns, frame.dtypes)
    ]


def json_value(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are not finite and missing values as None, others as text."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [json_value(each) for each in value]
    if value is pd.NaT or value is pd.NA:
        return None
    return str(value)


def rows_as_json(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One mapping per row, values as JSON can hold them."""
    columns = [str(name) for name in frame.columns]
    values = [[json_value(each) for each in frame.iloc[:, i]] for i in range(frame.shape[1])]
    return [dict(zip(columns, row)) for row in zip(*values)]
