"""The tables whose splits are compared with those of the original MLflow.

They hold what a Parquet file gives back under pandas 2; built without random numbers, so that every version of
pandas and numpy builds the same.
"""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd

ROWS = 240


def cases() -> dict[str, dict[str, Any]]:
    """Name → `data` (a DataFrame), `task` and `target`."""
    regression = {name: data.assign(y=_floats(7)) for name, data in _feature_tables().items()}
    tables: dict[str, dict[str, Any]] = {
        name: {"data": data, "task": "regression", "target": "y"} for name, data in regression.items()
    }
    plain = _feature_tables()["ints"].assign(price=_floats(3), name=_texts(5))
    binary = [("yes", "no")[i % 3 == 0] for i in range(ROWS)]
    for name, labels in {
        "binary text": binary,
        "binary int": [int(i % 4 == 0) for i in range(ROWS)],
        "binary bool": [i % 5 == 0 for i in range(ROWS)],
        "multiclass int": [(i * 7) % 5 for i in range(ROWS)],
        "multiclass text": [("c", "a", "b", "d")[(i * i) % 4] for i in range(ROWS)],
    }.items():
        tables[name] = {"data": plain.assign(label=labels), "task": "classification", "target": "label"}
    tables["multiclass with lists"] = {
        "data": regression["lists"].assign(label=[i % 3 for i in range(ROWS)]),
        "task": "classification",
        "target": "label",
    }
    tables["binary with mixed objects"] = {
        "data": regression["mixed objects"].assign(label=binary),
        "task": "classification",
        "target": "label",
    }
    tables["missing target"] = {
        "data": plain.assign(label=[None if i % 11 == 0 else f"k{i % 3}" for i in range(ROWS)]),
        "task": "classification",
        "target": "label",
    }
    return tables


def _feature_tables() -> dict[str, pd.DataFrame]:
    ints = np.arange(ROWS) * 37 % 101
    days = pd.Timestamp("2019-03-01") + pd.to_timedelta(ints * 3601, unit="s")
    hours = pd.to_timedelta(ints * 3600, unit="s")
    tables = {
        "ints": pd.DataFrame({"a": ints, "b": -ints}),
        "narrow ints": pd.DataFrame(
            {str(dtype): (ints - 50).astype(dtype) for dtype in ("int8", "int16", "int32")}
        ),
        "unsigned ints": pd.DataFrame(
            {dtype: ints.astype(dtype) for dtype in ("uint8", "uint16", "uint32", "uint64")}
        ),
        "floats with missing": pd.DataFrame({"a": _missing(_floats(1), 7), "b": _floats(2)}),
        "narrow floats": pd.DataFrame({"a": np.array(_floats(1), dtype="float32")}),
        "texts": pd.DataFrame({"a": _texts(1), "b": _texts(2)}),
        "texts with none": pd.DataFrame({"a": _missing(_texts(1), 5), "b": [None] * ROWS}),
        "bools": pd.DataFrame({"a": [i % 3 == 0 for i in range(ROWS)], "b": ints}),
        "bools with none": pd.DataFrame({"a": _missing([i % 3 == 0 for i in range(ROWS)], 5)}),
        "lists": pd.DataFrame({"a": [np.arange(i % 4) for i in range(ROWS)], "b": ints}),
        "lists of floats": pd.DataFrame(
            {
                "a": [np.arange(i % 4 + 1) / 8 for i in range(ROWS)],
                "b": [(np.arange(3) / 10 + i).astype("float32") for i in range(ROWS)],
            }
        ),
        "lists of texts": pd.DataFrame({"a": _objects([_text_array(i) for i in range(ROWS)])}),
        "python lists": pd.DataFrame(
            {"a": _objects([[i, "x", [1.5, None]][: i % 4] for i in range(ROWS)])}
        ),
        "dicts": pd.DataFrame(
            {"a": _objects([{"k": i, "v": ["x", i / 2]} for i in range(ROWS)]), "b": ints}
        ),
        "mixed objects": pd.DataFrame(
            {"a": _objects([(i, f"t{i}", i / 4, None, True)[i % 5] for i in range(ROWS)])}
        ),
        "int objects": pd.DataFrame({"a": _objects(list(range(ROWS)))}),
        "int objects with none": pd.DataFrame({"a": _objects(_missing(list(range(ROWS)), 41))}),
        "float objects then text": pd.DataFrame(
            {"a": _objects([i / 2 if i < 200 else f"t{i}" for i in range(ROWS)])}
        ),
        "dates": pd.DataFrame(
            {"a": _objects([datetime.date(2020, 1, 1 + i % 28) for i in range(ROWS)])}
        ),
        "decimals": pd.DataFrame({"a": _objects([decimal.Decimal(i) / 4 for i in range(ROWS)])}),
        "bytes": pd.DataFrame({"a": _objects([f"b{i}".encode() for i in range(ROWS)])}),
        "durations": pd.DataFrame({"a": hours}),
        "text categories": pd.DataFrame({"a": pd.Categorical(_texts(1)), "b": ints}),
        "text categories with none": pd.DataFrame({"a": pd.Categorical(_missing(_texts(1), 5))}),
        "int categories": pd.DataFrame({"a": pd.Categorical(ints % 9)}),
        "int categories with none": pd.DataFrame({"a": pd.Categorical(_missing(list(ints % 9), 5))}),
        "nullable ints": pd.DataFrame({"a": pd.array(ints, dtype="Int64")}),
        "nullable ints with none": pd.DataFrame(
            {"a": pd.array(_missing([int(i) for i in ints], 5), dtype="Int64")}
        ),
        "nullable bools with none": pd.DataFrame(
            {"a": pd.array(_missing([i % 3 == 0 for i in range(ROWS)], 5), dtype="boolean")}
        ),
        "nullable texts": pd.DataFrame({"a": pd.array(_missing(_texts(1), 5), dtype="string")}),
        "times with zone": pd.DataFrame({"a": pd.Series(days).dt.tz_localize("UTC")}),
        "times with missing": pd.DataFrame({"a": pd.Series(days).where(ints % 5 != 0)}),
        "far times": pd.DataFrame(
            {"a": np.array(["9999-12-31" if i % 9 == 0 else "2020-01-02" for i in range(ROWS)], dtype="datetime64[s]")}
        ),
    }
    for unit in ("s", "ms", "us", "ns"):
        tables[f"times in {unit}"] = pd.DataFrame({"a": days.as_unit(unit)})
    tables.update(_indexed_tables(ints))
    return tables


def _indexed_tables(ints: np.ndarray) -> dict[str, pd.DataFrame]:
    """Labels count in the hash."""
    plain = pd.DataFrame({"a": ints})
    return {
        "repeated labels": plain.set_axis(np.arange(ROWS) % 60),
        "text labels": plain.set_axis(pd.Index(_texts(1))),
        "time labels": plain.set_axis(
            (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(ROWS), unit="D")).as_unit("ns")
        ),
        "labels of two levels": plain.set_axis(
            pd.MultiIndex.from_arrays([_texts(1), np.arange(ROWS)], names=["s", "i"])
        ),
        "filtered labels": plain[ints % 2 == 0].reindex(np.arange(0, ROWS * 2, 2)).fillna(3).astype(int),
    }


def _floats(factor: int) -> list[float]:
    return [((i * factor * 13) % 97) / 8 for i in range(ROWS)]


def _texts(factor: int) -> list[str]:
    return [f"word {(i * factor * 11) % 53} é" for i in range(ROWS)]


def _missing(values: list[Any], every: int) -> list[Any]:
    return [None if i % every == 0 else value for i, value in enumerate(values)]


def _text_array(i: int) -> np.ndarray:
    return np.array([f"t{j}'s" for j in range(i % 4)], dtype=object)


def _objects(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=object)
