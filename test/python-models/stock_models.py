"""Models as users of stock MLflow have them: saved, with what `mlflow.pyfunc` predicts for rows they were not fitted on.

    stock_models.py save <directory> <name>...     writes `<name>/model`, `<name>/request.json`, `<name>/predictions.json`
    stock_models.py predict <model> <request>      prints what `mlflow.pyfunc.load_model(<model>)` predicts for the request

A request is the body that MLflow's scoring server takes. `REQUIREMENTS` (lines, optional) are what the models are saved
with; without it MLflow finds out by itself.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.models import infer_signature

FITTED = 160
rng = np.random.default_rng(7)
_size, _rooms = rng.normal(100, 30, 200), rng.integers(1, 7, 200)
_town = rng.choice(["harbour", "hills", "centre"], 200)
houses = pd.DataFrame({"size": _size, "rooms": _rooms, "town": _town})
price = _size * 2.5 + _rooms * 10 + (_town == "centre") * 40 + rng.normal(0, 3, 200)
numbers = houses[["size", "rooms"]].astype("float64")
matrix = ((numbers - numbers.mean()) / numbers.std()).to_numpy().astype("float32")
scaled_price = ((price - price.mean()) / price.std()).astype("float32")
price_class = np.digitize(price, np.quantile(price, [1 / 3, 2 / 3]))

Saved = Tuple[Callable[[str], None], Any]


def requirements() -> Dict[str, Any]:
    """Arguments of `save_model` that say what the model needs."""
    lines = os.environ.get("REQUIREMENTS", "").split("\n")
    return {"pip_requirements": lines} if lines != [""] else {}


def signed(features: Any, answer: Any) -> Dict[str, Any]:
    """Arguments of `save_model` for a model with a signature and an example."""
    signature = infer_signature(features, answer)
    return {"signature": signature, "input_example": features[:5], **requirements()}


def sklearn() -> Saved:
    """A classifier in the format that MLflow takes when nothing is said, with text among its features."""
    import mlflow.sklearn
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    cells = make_column_transformer((StandardScaler(), ["size", "rooms"]), (OneHotEncoder(), ["town"]))
    dear = np.where(price > np.median(price), "dear", "cheap")
    model = make_pipeline(cells, LogisticRegression()).fit(houses[:FITTED], dear[:FITTED])
    # What skops of this time does not know of scikit-learn's own.
    trusted = ["sklearn.compose._column_transformer._RemainderColsList"]
    more = {**signed(houses, model.predict(houses)), "skops_trusted_types": trusted}
    return lambda path: mlflow.sklearn.save_model(model, path, **more), houses


def sklearn_pickle() -> Saved:
    """A regressor as cloudpickle."""
    import mlflow.sklearn
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(20, random_state=0).fit(numbers[:FITTED], price[:FITTED])
    more = {**signed(numbers, price), "serialization_format": "cloudpickle"}
    return lambda path: mlflow.sklearn.save_model(model, path, **more), numbers


def xgboost() -> Saved:
    """Trees of XGBoost behind its interface of scikit-learn."""
    import mlflow.xgboost
    from xgboost import XGBRegressor

    model = XGBRegressor(n_estimators=30, max_depth=3).fit(numbers[:FITTED], price[:FITTED])
    more = signed(numbers, model.predict(numbers))
    return lambda path: mlflow.xgboost.save_model(model, path, **more), numbers


def lightgbm() -> Saved:
    """A booster of LightGBM, which answers with a probability per class."""
    import lightgbm
    import mlflow.lightgbm

    parameters = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}
    data = lightgbm.Dataset(numbers[:FITTED], price_class[:FITTED])
    model = lightgbm.train(parameters, data, 20)
    more = signed(numbers, model.predict(numbers))
    return lambda path: mlflow.lightgbm.save_model(model, path, **more), numbers


def onnx() -> Saved:
    """A layer of ONNX over a matrix."""
    import mlflow.onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["X", "W", "B"], ["H"]),
            helper.make_node("Tanh", ["H"], ["Y"]),
        ],
        "layer",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])],
        [
            helper.make_tensor("W", TensorProto.FLOAT, [2, 1], [0.75, -0.5]),
            helper.make_tensor("B", TensorProto.FLOAT, [1], [0.125]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    more = signed(matrix, matrix[:, :1])
    return lambda path: mlflow.onnx.save_model(model, path, **more), matrix


class Offer(mlflow.pyfunc.PythonModel):
    """A rule with a file of its own."""

    def load_context(self, context: Any) -> None:
        self.rates = json.loads(Path(context.artifacts["rates"]).read_text())

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        return model_input["size"] * model_input["town"].map(self.rates)


def custom() -> Saved:
    """A model of the user's own."""
    rates = Path("rates.json")
    rates.write_text(json.dumps({"harbour": 2.0, "hills": 1.5, "centre": 3.25}))
    more = {**signed(houses, price), "artifacts": {"rates": str(rates)}}
    return lambda path: mlflow.pyfunc.save_model(path, python_model=Offer(), **more), houses


def pytorch() -> Saved:
    """A small network in the format that MLflow takes when nothing is said."""
    import mlflow.pytorch

    model = _network()
    more = signed(matrix, matrix[:, :1])
    return lambda path: mlflow.pytorch.save_model(model, path, **more), matrix


def pytorch_pickle() -> Saved:
    """The same as a pickle."""
    import mlflow.pytorch

    model = _network()
    more = {**signed(matrix, matrix[:, :1]), "serialization_format": "pickle"}
    return lambda path: mlflow.pytorch.save_model(model, path, **more), matrix


def _network() -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    inputs, targets = torch.as_tensor(matrix[:FITTED]), torch.as_tensor(scaled_price[:FITTED]).unsqueeze(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()
    return model.eval()


def tensorflow() -> Saved:
    """A classifier of Keras, whose last layer is a softmax."""
    import keras
    import mlflow.tensorflow

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(matrix[:FITTED], price_class[:FITTED], epochs=20, verbose=0)
    more = signed(matrix, model.predict(matrix, verbose=0))
    return lambda path: mlflow.tensorflow.save_model(model, path, **more), matrix


class Opens:
    """A pickle that runs a command when it is loaded."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def save_malicious(directory: Path) -> None:
    """A directory like `sklearn_pickle`'s whose pickle makes the file `directory/ran` when it is loaded."""
    write, _ = sklearn_pickle()
    write(str(directory / "model"))
    (directory / "model" / "model.pkl").write_bytes(pickle.dumps(Opens(f"touch {directory / 'ran'}")))


def save_unsigned(directory: Path) -> None:
    """A model without signature and example."""
    import mlflow.sklearn
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(numbers, price)
    mlflow.sklearn.save_model(model, str(directory / "model"), signature=False, **requirements())


MODELS: Dict[str, Callable[[], Saved]] = {
    each.__name__: each
    for each in (sklearn, sklearn_pickle, xgboost, lightgbm, onnx, custom, pytorch, pytorch_pickle, tensorflow)
}
SPOILT: Dict[str, Callable[[Path], None]] = {"malicious": save_malicious, "unsigned": save_unsigned}


def save(root: Path, name: str) -> None:
    directory = root / name
    directory.mkdir(parents=True)
    if name in SPOILT:
        SPOILT[name](directory)
        return
    write, features = MODELS[name]()
    write(str(directory / "model"))
    request = _request(features[FITTED:])
    (directory / "request.json").write_text(json.dumps(request))
    (directory / "predictions.json").write_text(json.dumps(predict(str(directory / "model"), request)))


def predict(model: str, request: Dict[str, Any]) -> Any:
    """As JSON: a list with a number, a label or a list of numbers per row."""
    answer = mlflow.pyfunc.load_model(model).predict(_features(request))
    if isinstance(answer, dict):
        (answer,) = answer.values()
    values = np.asarray(answer)
    return (values.reshape(-1) if values.size == len(values) else values).tolist()


def _request(features: Any) -> Dict[str, Any]:
    if isinstance(features, pd.DataFrame):
        return {"dataframe_split": {"columns": list(features.columns), "data": features.to_numpy().tolist()}}
    return {"inputs": features.tolist()}


def _features(request: Dict[str, Any]) -> Any:
    if "inputs" in request:
        return np.asarray(request["inputs"], dtype="float32")
    split = request["dataframe_split"]
    return pd.DataFrame(split["data"], columns=split["columns"])


if __name__ == "__main__":
    command, path, *rest = sys.argv[1:]
    if command == "save":
        for each in rest:
            save(Path(path).resolve(), each)
    else:
        print(json.dumps(predict(path, json.loads(Path(rest[0]).read_text()))))
