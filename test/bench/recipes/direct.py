"""The functions of a recipe called one after the other, with nothing around them: what no platform can go below.

    python direct.py <project> regression|classification

Reads, divides, fits and measures as the recipe says, and prints the primary metric of the test split as JSON.
"""

import importlib
import json
import pathlib
import sys

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, mean_squared_error
from sklearn.pipeline import make_pipeline

project, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(project))
step = {name: importlib.import_module(f"steps.{name}") for name in ("ingest", "split", "transform", "train")}


def read() -> pd.DataFrame:
    if kind == "regression":
        return pd.read_parquet(project / "data" / "diabetes.parquet")
    return step["ingest"].load_file_as_dataframe(str(project / "data" / "wine.csv"), "csv")


def divide(data: pd.DataFrame, ratios: tuple) -> tuple:
    position = pd.util.hash_pandas_object(data).to_numpy() % 1000 / 1000
    bucket = np.searchsorted(np.cumsum(ratios)[:2], position, side="right")
    return tuple(data[bucket == index] for index in range(3))


target = "progression" if kind == "regression" else "cultivar"
train, validation, test = divide(read(), (0.7, 0.15, 0.15) if kind == "regression" else (0.6, 0.2, 0.2))
if kind == "regression":
    train = train[step["split"].create_dataset_filter(train)]
model = make_pipeline(step["transform"].transformer_fn(), step["train"].estimator_fn())
model.fit(train.drop(columns=[target]), train[target])


def measure(rows: pd.DataFrame) -> float:
    predicted = model.predict(rows.drop(columns=[target]))
    if kind == "regression":
        return float(np.sqrt(mean_squared_error(rows[target], predicted)))
    return float(f1_score(rows[target], predicted, average="weighted"))


measured = {name: measure(rows) for name, rows in (("training", train), ("validation", validation), ("test", test))}
print(json.dumps(measured))
