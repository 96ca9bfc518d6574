"""Saves models with stock MLflow below a directory, with what `mlflow.pyfunc.load_model` predicts: `<directory> <requirement>…`."""

import json
import os
import pickle
import sys
from pathlib import Path

import mlflow
import mlflow.onnx
import mlflow.pyfunc
import mlflow.sklearn
import mlflow.xgboost
import numpy as np
import onnx
import pandas as pd
import xgboost
from mlflow.models import infer_signature
from onnx import TensorProto, helper
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

root, requirements = Path(sys.argv[1]), sys.argv[2:]
rng = np.random.default_rng(0)
rows = pd.DataFrame(
    {"size": rng.normal(size=80), "rooms": rng.integers(0, 5, 80), "town": rng.choice(["x", "y"], 80)}
)
numbers = rows[["size", "rooms"]].astype("float64")
matrix = numbers.to_numpy().astype("float32")
sold = np.where(rows["size"] + rows["rooms"] > 2, "yes", "no")
common = {"pip_requirements": requirements}


def save(name, write, data):
    path = str(root / name)
    write(path)
    answer = mlflow.pyfunc.load_model(path).predict(data[:5])
    if isinstance(answer, dict):
        (answer,) = answer.values()
    (root / f"{name}.json").write_text(json.dumps(np.asarray(answer).reshape(-1).tolist()))


cells = make_column_transformer((StandardScaler(), ["size", "rooms"]), (OneHotEncoder(), ["town"]))
classifier = make_pipeline(cells, LogisticRegression()).fit(rows, sold)
save(
    "sklearn",
    lambda path: mlflow.sklearn.save_model(
        classifier,
        path,
        signature=infer_signature(rows, classifier.predict(rows)),
        input_example=rows.head(5),
        serialization_format="cloudpickle",
        **common,
    ),
    rows,
)
booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(numbers, rows["size"] * 2), 5)
save(
    "xgboost",
    lambda path: mlflow.xgboost.save_model(
        booster,
        path,
        signature=infer_signature(numbers, rows["size"]),
        input_example=numbers.head(5),
        model_format="json",
        **common,
    ),
    numbers,
)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["X", "W"], ["Y"])],
    "linear",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
    [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])],
    [helper.make_tensor("W", TensorProto.FLOAT, [2, 1], [2.0, -1.0])],
)
linear = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
save(
    "onnx",
    lambda path: mlflow.onnx.save_model(
        linear,
        path,
        signature=infer_signature(matrix, matrix[:, :1]),
        input_example=matrix[:5],
        **common,
    ),
    matrix,
)


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["size"] * 2


save(
    "custom",
    lambda path: mlflow.pyfunc.save_model(
        path, python_model=Doubler(), signature=infer_signature(numbers, rows["size"]), **common
    ),
    numbers,
)


class Opens:
    """A pickle that runs a command when it is loaded."""

    def __reduce__(self):
        return os.system, (f"touch {root / 'pwned'}",)


mlflow.sklearn.save_model(
    classifier, str(root / "evil"), signature=infer_signature(rows, sold), serialization_format="pickle", **common
)

(root / "evil" / "model.pkl").write_bytes(pickle.dumps(Opens()))
