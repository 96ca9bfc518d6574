"""The ONNX form of trees of other packages than scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from millrace.models.onnx import ONNX_FILE, TOLERANCE
from onnx_rows import houses, report_of

pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: E402


@pytest.fixture
def rows() -> pd.DataFrame:
    return houses()


TREES = [
    ("lightgbm", "LGBMRegressor", "regression"),
    ("lightgbm", "LGBMClassifier", "classification/binary"),
    ("lightgbm", "LGBMClassifier", "classification/multiclass"),
    ("xgboost", "XGBRegressor", "regression"),
    ("xgboost", "XGBClassifier", "classification/binary"),
    ("xgboost", "XGBClassifier", "classification/multiclass"),
]


def trees(package: str, name: str) -> Any:
    pytest.importorskip("onnxmltools")
    quiet = {"verbosity": -1} if package == "lightgbm" else {"verbosity": 0}
    return getattr(pytest.importorskip(package), name)(n_estimators=20, n_jobs=1, **quiet)


@pytest.mark.parametrize("transformer", [StandardScaler(), FunctionTransformer()], ids=["scaled", "by_name"])
@pytest.mark.parametrize(("package", "name", "task"), TREES)
def test_trees_are_added_where_they_predict_the_same(
    package: str, name: str, task: str, transformer: Any, rows: pd.DataFrame, tmp_path: Path
) -> None:
    report = report_of(trees(package, name), task, rows[["size", "age"]].assign(sold_at=1.0), tmp_path, transformer)
    assert report == {
        "added": True,
        "tolerance": TOLERANCE,
        "rows": 100,
        "worst_difference": pytest.approx(0, abs=1e-5),
    }


@pytest.mark.parametrize("package", ["lightgbm", "xgboost"])
def test_trees_whose_thresholds_32_bits_cannot_hold_are_not_added(
    package: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    estimator = trees(package, {"lightgbm": "LGBMRegressor", "xgboost": "XGBRegressor"}[package])
    report = report_of(estimator, "regression", rows, tmp_path)
    assert not report["added"] and "differ" in report["reason"]
    assert report["rows"] == 100 and report["worst_difference"] > 10 * TOLERANCE
    assert not (tmp_path / ONNX_FILE).exists()
