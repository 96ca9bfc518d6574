"""A model's signature, inferred as MLflow's `infer_signature` does, without MLflow."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Optional, Union

from millrace.models.classes import class_text, class_type

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_FEW_CATEGORIES = 50

#: MLflow's types in the words of Millrace's tables.
_COLUMN_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
    "datetime": "timestamp",
}


class _NotInferable(Exception):
    """MLflow has no type for these values."""


def mlflow_signature(
    features: pd.DataFrame, prediction: Union[pd.DataFrame, np.ndarray]
) -> dict[str, Any]:
    """The `signature` section of `MLmodel`: JSON text of inputs and outputs."""
    return {
        "inputs": json.dumps(_schema(features)),
        "outputs": json.dumps(_schema(prediction)),
        "params": None,
    }


def _schema(data: Union[pd.DataFrame, np.ndarray]) -> list[dict[str, Any]]:
    import numpy as np

    if isinstance(data, np.ndarray):
        return [_tensor(data)]
    try:
        return [_column(str(name), data.iloc[:, i]) for i, name in enumerate(data.columns)]
    except _NotInferable:
        # As MLflow: then any input is accepted.
        return [{"type": "any", "required": True}]


def _tensor(data: np.ndarray) -> dict[str, Any]:
    kinds = {"U": "str", "S": "bytes"}
    spec = {
        "dtype": kinds.get(data.dtype.kind, data.dtype.name),
        "shape": [-1, *data.shape[1:]],
    }
    return {"type": "tensor", "tensor-spec": spec}


def _column(name: str, column: pd.Series) -> dict[str, Any]:
    return {**_column_type(column), "name": name, "required": not column.isna().any()}


def _column_type(column: pd.Series) -> dict[str, Any]:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype):
        return {"type": "string"}
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if dtype.kind == "b":
        return {"type": "boolean"}
    if dtype.kind in "iu":
        return {"type": _integer_type(dtype)}
    if dtype.kind == "f":
        return {"type": "float" if dtype.itemsize <= 4 else "double"}
    if dtype.kind == "M":
        return {"type": "datetime"}
    if dtype.kind == "O":
        return _object_type(column)
    raise _NotInferable(str(dtype))


def _integer_type(dtype: Any) -> str:
    if dtype.itemsize < 4 or (dtype.kind == "i" and dtype.itemsize == 4):
        return "integer"
    if dtype.itemsize < 8 or dtype.kind == "i":
        return "long"
    raise _NotInferable(str(dtype))


def _object_type(column: pd.Series) -> dict[str, Any]:
    inferred = column.infer_objects()
    if inferred.dtype.kind != "O":
        return _column_type(inferred)
    return _common_type([value for value in column if not _is_missing(value)])


def _is_missing(value: Any) -> bool:
    import pandas as pd

    if hasattr(value, "__len__"):
        return False
    return value is None or value is pd.NA or value is pd.NaT or bool(value != value)


def _common_type(values: list[Any]) -> dict[str, Any]:
    """The one type of all values; lists and mappings by what they hold."""
    if not values:
        return {"type": "any"}
    types = [_value_type(value) for value in values]
    merged = types[0]
    for each in types[1:]:
        if each != merged:
            merged = _merged(merged, each)
    return merged


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if one["type"] == "any":
        return other
    if other["type"] == "any":
        return one
    if one["type"] == other["type"] == "array":
        return {"type": "array", "items": _merged(one["items"], other["items"])}
    if one["type"] == other["type"] == "object":
        return {"type": "object", "properties": _merged_properties(one, other)}
    if one != other:
        raise _NotInferable(f"{one['type']} and {other['type']}")
    return one


def _merged_properties(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in sorted({*one["properties"], *other["properties"]}):
        found = [each["properties"].get(name) for each in (one, other)]
        types = [
            {key: value for key, value in each.items() if key != "required"} for each in found if each
        ]
        required = all(each is not None and each["required"] for each in found)
        merged[name] = {**(types[0] if len(types) == 1 else _merged(*types)), "required": required}
    return merged


def _value_type(value: Any) -> dict[str, Any]:
    import numpy as np

    if isinstance(value, dict):
        properties = {
            str(name): {**_common_type([] if _is_missing(each) else [each]), "required": True}
            for name, each in sorted(value.items())
        }
        return {"type": "object", "properties": properties}
    if isinstance(value, (list, np.ndarray)):
        return {
            "type": "array",
            "items": _common_type([each for each in value if not _is_missing(each)]),
        }
    scalar = _scalar_type(value)
    if scalar is None:
        raise _NotInferable(type(value).__name__)
    return {"type": scalar}


def _scalar_type(value: Any) -> Optional[str]:
    import numpy as np

    kinds: list[tuple[Any, str]] = [
        ((bool, np.bool_), "boolean"),
        (np.int32, "integer"),
        ((int, np.int64), "long"),
        (np.float32, "float"),
        ((float, np.float64), "double"),
        ((str, np.str_), "string"),
        ((bytes, bytearray), "binary"),
        ((datetime.date, np.datetime64), "datetime"),
    ]
    return next((name for types, name in kinds if isinstance(value, types)), None)


def millrace_signature(
    features: pd.DataFrame, target: str, task: str, classes: Optional[list[Any]]
) -> dict[str, Any]:
    """`signature.json`: the features as a caller gives them, and what comes back."""
    output: dict[str, Any] = {"task": task.partition("/")[0], "name": target}
    if classes is None:
        return {"inputs": _inputs(features), "output": {**output, "type": "number"}}
    labels = {"type": class_type(classes), "classes": [class_text(each) for each in classes]}
    return {"inputs": _inputs(features), "output": {**output, **labels}}


def _inputs(features: pd.DataFrame) -> list[dict[str, Any]]:
    return [_input(str(name), features.iloc[:, i]) for i, name in enumerate(features.columns)]


def _input(name: str, column: pd.Series) -> dict[str, Any]:
    try:
        mlflow_type = _column_type(column)["type"]
    except _NotInferable:
        mlflow_type = "any"
    kind = _COLUMN_TYPES.get(mlflow_type, "string")
    entry = {"name": name, "type": kind, "nullable": bool(column.isna().any())}
    if mlflow_type != "string":
        return entry
    categories = sorted(str(each) for each in column.dropna().unique())
    return entry if len(categories) > _FEW_CATEGORIES else {**entry, "categories": categories}
