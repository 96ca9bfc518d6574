"""The ONNX form of estimators in PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from millrace.models.onnx import ONNX_FILE, PARITY_FILE, TOLERANCE
from millrace.models.write import write_package
from onnx_rows import FITTED, content_of, houses, report_of

torch = pytest.importorskip("torch")
pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from torch import nn  # noqa: E402


@pytest.fixture
def rows() -> pd.DataFrame:
    # Seconds since 1970 would not pass the scaler of ONNX, which has 32 bits.
    return houses().assign(sold_at=1.0)


class NetworkMixin:
    """Two layers that are fitted with a seed."""

    def __init__(self, seed: int = 0):
        self.seed = seed

    def fit_network(self, X: Any, targets: Any, loss: Any, width: int) -> None:
        torch.manual_seed(self.seed)
        torch.set_num_threads(1)
        inputs = torch.as_tensor(np.asarray(X, dtype="float32"))
        self.network_ = nn.Sequential(nn.Linear(inputs.shape[1], 8), nn.ReLU(), nn.Linear(8, width))
        optimizer = torch.optim.Adam(self.network_.parameters(), lr=0.02)
        for _ in range(50):
            optimizer.zero_grad()
            loss(self.network_(inputs), torch.as_tensor(targets)).backward()
            optimizer.step()

    def answer(self, X: Any) -> Any:
        with torch.no_grad():
            return self.to_torch()(torch.as_tensor(np.asarray(X, dtype="float32"))).numpy().astype("float64")


class NetworkRegressor(NetworkMixin, RegressorMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.fit_network(X, np.asarray(y, dtype="float32").reshape(-1, 1), nn.MSELoss(), 1)
        return self

    def to_torch(self) -> Any:
        return self.network_

    def predict(self, X: Any) -> Any:
        return self.answer(X).reshape(-1)


class NetworkClassifier(NetworkMixin, ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.fit_network(X, codes, nn.CrossEntropyLoss(), len(self.classes_))
        return self

    def to_torch(self) -> Any:
        return nn.Sequential(self.network_, nn.Softmax(dim=1))

    def predict_proba(self, X: Any) -> Any:
        return self.answer(X)

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.mark.parametrize(
    ("estimator", "task"),
    [(NetworkRegressor(), "regression"), (NetworkClassifier(), "classification/multiclass")],
    ids=["regressor", "classifier"],
)
def test_a_network_is_added_by_its_to_torch(estimator: Any, task: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    report = report_of(estimator, task, rows, tmp_path)
    assert report["added"], report
    assert report["rows"] == 100 and report["worst_difference"] <= TOLERANCE
    content = (tmp_path / ONNX_FILE).read_bytes()
    # No path of this machine is in it, and it comes out the same again.
    assert b"stack_trace" not in content and str(Path(__file__).parent).encode() not in content
    again = tmp_path / "again"
    report_of(type(estimator)(), task, rows, again)
    assert (again / ONNX_FILE).read_bytes() == content


def test_a_network_that_says_something_else_than_the_estimator_is_not_used(rows: pd.DataFrame, tmp_path: Path) -> None:
    class Shifted(NetworkRegressor):
        def predict(self, X: Any) -> Any:
            return super().predict(X) + 0.01

    numbers = rows[["size", "age"]]
    pipeline = make_pipeline(StandardScaler(), Shifted()).fit(numbers[:FITTED], numbers["size"][:FITTED])
    content = content_of(pipeline, numbers[:FITTED], held_out=numbers[FITTED:])
    written = write_package(str(tmp_path / "model"), content)
    assert written.flavors == ["python_function", "sklearn"]
    report = json.loads((tmp_path / "model" / PARITY_FILE).read_text())
    assert report == {
        "added": False,
        "tolerance": TOLERANCE,
        "rows": 100,
        "worst_difference": pytest.approx(0.01, rel=0.1),
        "reason": "its predictions differ from the original's",
    }
