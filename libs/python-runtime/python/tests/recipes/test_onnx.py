"""The ONNX form of trained pipelines, held against the pipelines themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from millrace.errors import UserError
from millrace.models.onnx import ONNX_FILE, TOLERANCE, convert
from millrace.models.write import PackageContent, write_package
from onnx_rows import content_of

pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler  # noqa: E402


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=120),
            "rooms": rng.integers(0, 5, 120),
            "town": rng.choice(["x", "y"], 120),
        }
    )


def pipeline_of(estimator: Any) -> Any:
    cells = make_column_transformer(
        (StandardScaler(), ["size", "rooms"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["town"]),
    )
    return make_pipeline(cells, estimator)


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        (Ridge(), "regression"),
        (LogisticRegression(), "classification/binary"),
        (LogisticRegression(max_iter=500), "classification/multiclass"),
    ],
)
def test_it_is_added_when_it_predicts_the_same(rows: pd.DataFrame, tmp_path: Path, estimator: Any, task: str) -> None:
    import onnxruntime

    score = rows["size"] + rows["rooms"]
    target = score if task == "regression" else score.clip(0, 3).astype(int) if "multi" in task else score > 2
    train, held_out = rows[:80], rows[80:]
    pipeline = pipeline_of(estimator).fit(train, target[:80])
    report = convert(pipeline, train, held_out, task, str(tmp_path))
    assert report["added"] and report["rows"] == 40 and report["worst_difference"] <= TOLERANCE
    session = onnxruntime.InferenceSession(str(tmp_path / ONNX_FILE))
    wide = session.get_inputs()[0].type == "tensor(double)"
    given = {
        "size": held_out[["size"]].to_numpy("float64" if wide else "float32"),
        "rooms": held_out[["rooms"]].to_numpy("int64"),
        "town": held_out[["town"]].to_numpy(object),
    }
    (answer,) = session.run(None, given)
    expected = pipeline.predict(held_out).reshape(-1, 1) if task == "regression" else pipeline.predict_proba(held_out)
    np.testing.assert_allclose(answer, expected, atol=TOLERANCE, rtol=TOLERANCE)


def test_whole_numbers_go_in_like_the_others_where_a_step_wants_all_of_one_type(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    numbers = rows[["size", "rooms"]]
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), Ridge()).fit(numbers, rows["size"])
    report = convert(pipeline, numbers[:80], numbers[80:], "regression", str(tmp_path))
    assert report["added"] and report["worst_difference"] <= TOLERANCE


def test_a_step_that_no_converter_knows_is_a_reason(rows: pd.DataFrame, tmp_path: Path) -> None:
    numbers = rows[["size", "rooms"]]
    pipeline = make_pipeline(FunctionTransformer(lambda each: each * 2), Ridge()).fit(numbers, rows["size"])
    report = convert(pipeline, numbers, numbers, "regression", str(tmp_path))
    assert not report["added"] and "does not convert" in report["reason"]
    assert not (tmp_path / ONNX_FILE).exists()


def test_a_form_that_differs_is_not_added(rows: pd.DataFrame, tmp_path: Path, monkeypatch: Any) -> None:
    numbers = rows[["size"]] * 1e3
    pipeline = make_pipeline(StandardScaler(), Ridge()).fit(numbers, rows["size"])
    monkeypatch.setattr("millrace.models.onnx._run", lambda content, given: pipeline.predict(given) + 0.01)
    report = convert(pipeline, numbers, numbers, "regression", str(tmp_path))
    assert not report["added"]
    assert report["worst_difference"] > report["tolerance"]
    assert "differ" in report["reason"]


@pytest.mark.parametrize(
    ("column", "part"),
    [
        (pd.Series(["x", None] * 60), "may be missing"),
        (pd.Series(pd.date_range("2026-01-01", periods=120)), "does not know"),
    ],
)
def test_columns_that_onnx_lacks_are_a_reason(rows: pd.DataFrame, tmp_path: Path, column: Any, part: str) -> None:
    odd = rows[["size"]].assign(odd=column)
    pipeline = make_pipeline(make_column_transformer((StandardScaler(), ["size"])), Ridge()).fit(odd, rows["size"])
    report = convert(pipeline, odd, odd, "regression", str(tmp_path))
    assert not report["added"] and "odd" in report["reason"] and part in report["reason"]


def package_of(rows: pd.DataFrame, **more: Any) -> PackageContent:
    return content_of(pipeline_of(Ridge()).fit(rows, rows["size"]), rows, **more)


def test_a_package_says_what_became_of_it(rows: pd.DataFrame, tmp_path: Path) -> None:
    written = write_package(str(tmp_path / "model"), package_of(rows, held_out=rows))
    assert written.flavors == ["onnx", "python_function", "sklearn"]
    assert json.loads((tmp_path / "model" / "onnx_parity.json").read_text()) == written.onnx
    assert written.pickles["verdict"] == "clean"
    off = write_package(str(tmp_path / "model"), package_of(rows, held_out=rows, onnx="off"))
    assert off.flavors == ["python_function", "sklearn"] and "off" in off.onnx["reason"]


def test_it_can_be_required(rows: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no held-out rows") as raised:
        write_package(str(tmp_path / "model"), package_of(rows, onnx="required"))
    assert raised.value.path == "steps.train.onnx"
