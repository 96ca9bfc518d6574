"""Writes split_reference.json with the splits that the original MLflow makes of `split_cases`.

Run it where `mlflow.recipes` exists (mlflow < 3): `python make_split_reference.py`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.recipes.steps import split as original

from split_cases import cases

RATIOS = [0.6, 0.2, 0.2]


def positions(case: dict[str, Any]) -> dict[str, list[int]]:
    """Positions of the rows in the table, in the order that the original wrote them."""
    data = case["data"]
    known = data.dropna(how="any", subset=[case["target"]])
    at = np.flatnonzero(data[case["target"]].notna().to_numpy())
    if known.index.is_unique:
        parts = original._run_split(case["task"], known, RATIOS, case["target"])
        found = [at[known.index.get_indexer(part.index)].tolist() for part in parts]
    else:
        # Labels do not say which row it is; the buckets that the original selects by do, for regression.
        buckets = original._create_hash_buckets(known)
        frame = pd.DataFrame({"at": at}, index=buckets.index)
        found = [part["at"].tolist() for part in original._get_split_df(frame, buckets, RATIOS)]
    return dict(zip(("train", "validation", "test"), found))


def main() -> None:
    reference = {
        "mlflow": mlflow.__version__,
        "pandas": pd.__version__,
        "numpy": np.__version__,
        "ratios": RATIOS,
        "cases": {name: positions(case) for name, case in cases().items()},
    }
    path = os.path.join(os.path.dirname(__file__), "split_reference.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(reference, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
