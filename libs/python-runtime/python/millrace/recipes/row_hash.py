"""The hash of a row that released MLflow versions split by.

They mapped every cell through a function that makes it hashable, in chunks of the table, and hashed the
outcome with pandas. What that mapping did to each kind of column under pandas 2 is reproduced here, whatever
pandas runs, and without a Python call per cell wherever the outcome is known:

- integers and floats of any width become 64 bits wide; times and durations become nanoseconds;
- text is hashed as objects, whatever type holds it;
- lists, mappings and arrays become tuples, written as numpy 1 did (`1`, not `np.int64(1)`);
- what is left (objects of mixed type) depends on the chunks, which are therefore cut in the same places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def row_hashes(frame: pd.DataFrame, chunks: int) -> np.ndarray:
    """One unsigned 64-bit hash per row, over the index and all columns.

    `chunks` is in how many pieces MLflow cut the table: 10 for regression, 2 within each class. It only
    matters where `depends_on_chunks` is true.
    """
    import pandas as pd

    columns = {i: _hashable_column(frame.iloc[:, i], chunks) for i in range(frame.shape[1])}
    hashable = pd.DataFrame({i: _as_it_is(column) for i, column in columns.items()})
    hashable.index = _hashable_index(frame.index)
    return pd.util.hash_pandas_object(hashable).to_numpy()


def _as_it_is(values: Any) -> pd.Series:
    """Without pandas 3 making its string type of an array of objects."""
    import pandas as pd

    return pd.Series(values, dtype=object if values.dtype == object else None)


def depends_on_chunks(frame: pd.DataFrame) -> bool:
    """Whether some column's hashes depend on more than their own row."""
    return any(_is_mixed(frame.iloc[:, i]) for i in range(frame.shape[1]))


def _hashable_column(column: pd.Series, chunks: int) -> Any:
    """The column's values as they were hashed, without index."""
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _hashable_categories(column)
    if isinstance(dtype, pd.StringDtype):
        return column.to_numpy(dtype=object, na_value=None)
    if dtype.kind in "mM":
        return _nanoseconds(column)
    if dtype.kind in "iufb":
        return _wide_numbers(column)
    if dtype.kind == "O":
        return _hashable_objects(column, chunks)
    return column.array


def _nanoseconds(column: pd.Series) -> Any:
    """Times since the epoch in nanoseconds; as text where that does not reach (it spans 1677 to 2262)."""
    import pandas as pd

    try:
        return column.array.as_unit("ns")
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta, OverflowError):
        texts = column.astype(object).map(str)
        return texts.astype(object).where(column.notna(), None).to_numpy(dtype=object)


def _wide_numbers(column: pd.Series) -> Any:
    import pandas as pd

    kind = column.dtype.kind
    if isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
        if not column.isna().any():
            return column.to_numpy(dtype={"b": "bool", "f": "float64"}.get(kind, "int64"))
        if kind == "b":
            return column.to_numpy(dtype=object, na_value=None)
        return column.to_numpy(dtype="float64", na_value=float("nan"))
    if kind == "b" or column.dtype == "uint64":
        return column.array
    return column.to_numpy(dtype="float64" if kind == "f" else "int64")


def _hashable_categories(column: pd.Series) -> Any:
    """Hashed by its categories, each mapped as a column of its own."""
    import pandas as pd

    # As objects a mixture is hashed as text, whichever rows hold what.
    categories = _hashable_column(column.cat.categories.to_series(), chunks=1)
    dtype = object if categories.dtype == object else None
    return column.array.rename_categories(pd.Index(categories, dtype=dtype))


def _is_mixed(column: pd.Series) -> bool:
    """Whether it holds objects other than text only."""
    import pandas as pd

    if column.dtype.kind != "O" or isinstance(column.dtype, (pd.StringDtype, pd.CategoricalDtype)):
        return False
    return pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty")


def _hashable_objects(column: pd.Series, chunks: int) -> Any:
    import numpy as np
    import pandas as pd

    if not _is_mixed(column):
        return column.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(column, skipna=True) in ("datetime", "datetime64", "timedelta"):
        # pandas finds out while hashing that these objects are times.
        times = pd.Series(column.tolist())
        if times.dtype.kind in "mM":
            return _nanoseconds(times)
    cut = [_mapped(piece) for piece in np.array_split(column.to_numpy(dtype=object), chunks)]
    pieces = [piece for piece in cut if len(piece) > 0]
    return pd.concat(pieces, ignore_index=True).array


def _mapped(values: np.ndarray) -> pd.Series:
    """The cells made hashable, in the type that pandas 2 inferred for such a chunk."""
    import pandas as pd

    hashable = [_hashable_cell(value) for value in values]
    return pd.Series(hashable, dtype=_inferred_type(hashable))


def _inferred_type(values: list[Any]) -> str:
    import pandas as pd

    kind = pd.api.types.infer_dtype(values, skipna=True)
    complete = not any(value is None or value is pd.NA for value in values)
    if kind == "integer":
        return "int64" if complete and not pd.isna(values).any() else "float64"
    if kind in ("floating", "mixed-integer-float"):
        return "float64"
    return "bool" if kind == "boolean" and complete else "object"


def _hashable_cell(value: Any) -> Any:
    """A tuple for a list, mapping or array, written out: a tuple is hashed by its text."""
    import numpy as np

    if isinstance(value, (list, dict, np.ndarray)):
        return _tuple_text(value)
    return value


def _tuple_text(value: Any) -> str:
    """`str` of the tuple that MLflow made of the value."""
    import numpy as np

    if isinstance(value, list):
        return _parenthesised([_tuple_text(each) for each in value])
    if isinstance(value, dict):
        pairs = [
            _parenthesised([_tuple_text(key), _tuple_text(each)]) for key, each in value.items()
        ]
        return _parenthesised(pairs)
    if isinstance(value, np.ndarray):
        cells = [_scalar_text(each) for each in value.flatten(order="C")]
        return _parenthesised([str(value.shape), _parenthesised(cells)])
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    """`repr` as numpy 1 wrote it: a number without the name of its type."""
    import numpy as np

    if isinstance(value, (np.number, np.bool_)):
        return str(value)
    return repr(value)


def _parenthesised(parts: list[str]) -> str:
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _hashable_index(index: pd.Index) -> pd.Index:
    """The labels as pandas 2 held them: text as objects, times in nanoseconds."""
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        return index.set_levels([_hashable_index(level) for level in index.levels])
    if isinstance(index.dtype, pd.CategoricalDtype):
        return index
    if isinstance(index.dtype, pd.StringDtype):
        return pd.Index(index.to_numpy(dtype=object, na_value=None), dtype=object)
    if index.dtype.kind in "mM":
        return index.as_unit("ns")
    return index
