"""Batch scoring without Spark: a `prediction` column beside the input's own."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from millrace.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

PREDICTION = "prediction"
OUTPUT_FORMATS = ("parquet", "csv", "delta")
SAVE_MODES = ("overwrite", "append", "ignore", "default", "error", "errorifexists")

_REFUSING_MODES = ("default", "error", "errorifexists")


def check_output(using: Optional[str], save_mode: str) -> None:
    """Whether the output can be written at all; before anything is predicted."""
    if using == "table":
        raise UserError(
            "a table of a metastore needs Spark, and there is none here",
            "steps.predict.output.using",
            "use parquet, csv or delta with a path as location",
        )
    if using not in OUTPUT_FORMATS:
        raise UserError(
            f"`{using}` is no output format",
            "steps.predict.output.using",
            f"use {', '.join(OUTPUT_FORMATS)}",
        )
    if using == "delta" and importlib.util.find_spec("deltalake") is None:
        raise UserError(
            "writing a Delta table needs the package `deltalake`",
            "steps.predict.output.using",
            "add deltalake to the project's requirements.txt",
        )
    if save_mode not in SAVE_MODES:
        raise UserError(
            f"`{save_mode}` is no save mode", "steps.predict.save_mode", f"use {', '.join(SAVE_MODES)}"
        )


def scored_frame(model: Any, data: pd.DataFrame, result_type: Any) -> pd.DataFrame:
    """The input with its `prediction` column last; one that the input has is replaced. An index that is no plain range,
    as of `read_csv(…, index_col=0)`, becomes columns before it, which Spark made of it.

    The model gets the whole input, the target included, as MLflow gave it.
    """
    prediction = model.predict(data.copy())
    values = select_prediction(prediction, result_type)
    flat = _with_index_columns(data.drop(columns=[PREDICTION], errors="ignore"))
    return flat.assign(**{PREDICTION: values})


def _with_index_columns(data: pd.DataFrame) -> pd.DataFrame:
    """The index as columns by its names in Parquet (`__index_level_0__` where it has none); what tells rows apart."""
    import pandas as pd

    if isinstance(data.index, pd.RangeIndex):
        return data
    index = data.index
    levels = {
        f"__index_level_{level}__" if name is None else name: index.get_level_values(level)
        for level, name in enumerate(index.names)
    }
    return pd.concat([data.reset_index(drop=True), pd.DataFrame(levels)], axis=1)


def select_prediction(prediction: Any, result_type: Any) -> Any:
    """What `spark_udf(result_type=…)` keeps of a model's output.

    A numeric type takes the leftmost column of such numbers (with the scores of all classes that is the first
    class's), `string` the leftmost column as text, and `array<type>` all columns of the type as one list.
    """
    import numpy as np
    import pandas as pd

    frame = prediction if isinstance(prediction, pd.DataFrame) else pd.DataFrame(np.asarray(prediction))
    kind = str(result_type or "double").strip().lower()
    array = re.fullmatch(r"array\s*<\s*(\w+)\s*>|arraytype\((\w+)\)", kind)
    element = _ResultType.of(next(filter(None, array.groups())) if array else kind)
    columns = [each for each in frame.columns if element.takes(frame[each])]
    if not columns:
        raise UserError(
            f"the model's output has no column of type `{element.name}`: it gives "
            f"{', '.join(f'{name} ({dtype})' for name, dtype in zip(frame.columns, frame.dtypes))}",
            "steps.predict.result_type",
            "use string for labels",
        )
    if array:
        converted = np.column_stack([element.converted(frame[each]) for each in columns])
        return list(converted)
    return element.converted(frame[columns[0]])


class _ResultType:
    """A scalar result type of Spark: which columns it takes, and what it makes of them."""

    def __init__(self, name: str, kinds: str, dtype: str) -> None:
        self.name = name
        self._kinds = kinds
        self._dtype = dtype

    @staticmethod
    def of(name: str) -> _ResultType:
        """By Spark's name: `double`, `DoubleType()`."""
        plain = re.sub(r"type(\(\))?$", "", name)
        known = {
            "double": ("iuf", "float64"),
            "float": ("iuf", "float32"),
            "int": ("iu", "int32"),
            "integer": ("iu", "int32"),
            "long": ("iu", "int64"),
            "bigint": ("iu", "int64"),
            "boolean": ("b", "bool"),
            "bool": ("b", "bool"),
            "string": ("", "object"),
        }
        if plain not in known:
            raise UserError(
                f"`{name}` is no result type that is known here",
                "steps.predict.result_type",
                f"use {', '.join(known)} or array<…> of one of them",
            )
        return _ResultType(plain, *known[plain])

    def takes(self, column: pd.Series) -> bool:
        """Text takes any column."""
        return not self._kinds or column.dtype.kind in self._kinds

    def converted(self, column: pd.Series) -> Any:
        """The values in this type, missing ones kept as text's None."""
        if self._kinds:
            return column.to_numpy(dtype=self._dtype)
        return column.map(lambda value: None if value is None else str(value)).to_numpy(dtype=object)


def write_scored(frame: pd.DataFrame, output: str, using: str, save_mode: str) -> bool:
    """Writes the rows to `output`; false when it exists and the mode is `ignore`.

    Parquet and CSV outputs are files, unless `output` names a directory or has no such extension: then a
    directory with one part, as Spark wrote it. A new output replaces the old one in one step.
    """
    exists = os.path.exists(output)
    if exists and save_mode in _REFUSING_MODES:
        raise UserError(
            f"the output {output} exists, and `save_mode: {save_mode}` does not replace it",
            "steps.predict.save_mode",
            "use overwrite or append, or another location",
        )
    if exists and save_mode == "ignore":
        return False
    if using == "delta":
        _write_delta(frame, output, save_mode)
        return True
    is_file = output.endswith(f".{using}") and not os.path.isdir(output)
    write = _write_file if is_file else _write_directory
    write(frame, output, _format(using), exists and save_mode == "append")
    return True


class _Format(NamedTuple):
    """How the rows of a file are read and written."""

    extension: str
    read: Callable[[str], pd.DataFrame]
    write: Callable[[pd.DataFrame, str], None]


def _format(using: str) -> _Format:
    import pandas as pd

    if using == "parquet":
        return _Format(
            using,
            pd.read_parquet,
            lambda frame, path: frame.to_parquet(path, engine="pyarrow", index=False),
        )
    return _Format(using, pd.read_csv, lambda frame, path: frame.to_csv(path, index=False))


def _write_file(frame: pd.DataFrame, output: str, form: _Format, append: bool) -> None:
    import pandas as pd

    os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
    if append:
        frame = pd.concat([form.read(output), frame], ignore_index=True)
    partial = f"{output}.partial"
    form.write(frame, partial)
    os.replace(partial, output)


def _write_directory(frame: pd.DataFrame, output: str, form: _Format, append: bool) -> None:
    partial = f"{output.rstrip(os.sep)}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    if append:
        shutil.copytree(output, partial)
    os.makedirs(partial, exist_ok=True)
    form.write(frame, os.path.join(partial, f"part-{len(os.listdir(partial)):05d}.{form.extension}"))
    if os.path.isdir(output):
        shutil.rmtree(output)
    elif os.path.exists(output):
        os.remove(output)
    os.replace(partial, output)


def _write_delta(frame: pd.DataFrame, output: str, save_mode: str) -> None:
    from deltalake import write_deltalake

    mode = "append" if save_mode == "append" else "overwrite"
    options = {"schema_mode": "overwrite"} if mode == "overwrite" else {}
    write_deltalake(output, frame, mode=mode, **options)
