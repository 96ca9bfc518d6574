from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from millrace.errors import UserError
from millrace.jobs import predict
from millrace.models.write import PackageContent, write_package
from millrace.recipes.predict import check_output, select_prediction
from millrace.recipes.testing import RecordedContext
from recipe_run import common

OUTPUT = pd.DataFrame(
    {
        "score_a": [0.25, 0.75],
        "score_b": [0.75, 0.25],
        "score": [0.75, 0.75],
        "count": [1, 2],
        "label": ["b", "a"],
    }
)


@pytest.fixture
def run(
    project: Callable[..., str], tmp_path: Path, context: RecordedContext
) -> Callable[..., dict[str, Any]]:
    """Scores six rows with a classifier of two features."""
    features = pd.DataFrame({"x": [0.0, 1, 2, 3, 4, 5], "z": [1.0, None, 1, 1, 1, 1]})
    pipeline = make_pipeline(
        FunctionTransformer(lambda frame: frame.fillna(0)), LogisticRegression()
    ).fit(features, [0, 0, 0, 1, 1, 1])
    root = project()
    model = tmp_path / "model"
    write_package(
        str(model),
        PackageContent(
            pipeline=pipeline,
            features=features,
            task="classification/binary",
            target="y",
            positive_class=1,
            predict_prefix="predicted_",
            scores=True,
            project=root,
            code_files=[],
            python_version="3.11.7",
            requirements=[],
        ),
    )
    data = features.assign(y=[0, 0, 0, 1, 1, 1], more="text")[["y", "z", "more", "x"]]

    def score(using: str, name: str, columns: Any = None, **given: Any) -> dict[str, Any]:
        frame = data if columns is None else columns(data)
        frame.to_parquet(tmp_path / "data.parquet")
        return predict.main(
            {
                **common(root),
                "model": str(model),
                "data": str(tmp_path / "data.parquet"),
                "output": str(tmp_path / name),
                "using": using,
                **given,
            },
            context,
        )

    return score


def test_labels_are_put_beside_the_input(run: Any, tmp_path: Path) -> None:
    output = run("parquet", "out.parquet", result_type="string")
    scored = pd.read_parquet(tmp_path / "out.parquet")
    assert scored.columns.tolist() == ["y", "z", "more", "x", "prediction"]
    # Spark's `string` takes the leftmost column as text.
    assert scored["prediction"].map(float).between(0, 1).all()
    assert output["rows"] == 6


@pytest.mark.parametrize(("name", "column"), [("id", "id"), (None, "__index_level_0__")])
def test_the_index_of_the_input_tells_its_rows_apart(run: Any, tmp_path: Path, name: Any, column: str) -> None:
    keys = ["f", "e", "d", "c", "b", "a"]
    run("csv", "out.csv", columns=lambda frame: frame.set_axis(pd.Index(keys, name=name)))
    scored = pd.read_csv(tmp_path / "out.csv")
    assert scored.columns.tolist() == ["y", "z", "more", "x", column, "prediction"]
    assert scored[column].tolist() == keys


def test_double_takes_the_first_class(run: Any, tmp_path: Path) -> None:
    run("csv", "out.csv")
    scored = pd.read_csv(tmp_path / "out.csv")
    assert scored["prediction"].is_monotonic_decreasing


def test_long_takes_the_label(run: Any, tmp_path: Path) -> None:
    run("parquet", "out.parquet", result_type="long")
    assert pd.read_parquet(tmp_path / "out.parquet")["prediction"].tolist() == [0, 0, 0, 1, 1, 1]


def test_a_location_without_extension_is_a_directory(run: Any, tmp_path: Path) -> None:
    run("parquet", "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["part-00000.parquet"]
    run("parquet", "out")
    assert len(pd.read_parquet(tmp_path / "out")) == 6
    run("parquet", "out", save_mode="append")
    assert len(pd.read_parquet(tmp_path / "out")) == 12


@pytest.mark.parametrize("name", ["out.csv", "out"])
def test_save_modes(run: Any, tmp_path: Path, name: str) -> None:
    assert run("csv", name, save_mode="error")["written"]
    for mode in ("default", "error", "errorifexists"):
        with pytest.raises(UserError, match="exists") as thrown:
            run("csv", name, save_mode=mode)
        assert thrown.value.path == "steps.predict.save_mode"
    assert not run("csv", name, save_mode="ignore")["written"]
    assert run("csv", name, save_mode="append")["written"]
    files = [tmp_path / name] if name.endswith(".csv") else sorted((tmp_path / name).iterdir())
    assert sum(len(pd.read_csv(file)) for file in files) == 12
    assert not list(tmp_path.glob("*.partial"))


def test_a_prediction_column_of_the_input_is_replaced(
    run: Any, tmp_path: Path, context: RecordedContext
) -> None:
    run("parquet", "out.parquet", lambda data: data.assign(prediction="old"))
    assert pd.read_parquet(tmp_path / "out.parquet")["prediction"].dtype == "float64"
    assert context.warnings == ["the input's own column `prediction` is replaced"]


def test_optional_features_may_be_left_out_and_required_ones_not(run: Any) -> None:
    assert run("csv", "out.csv", lambda data: data.drop(columns=["z"]))["rows"] == 6
    with pytest.raises(UserError, match="lacks columns that the model needs: x"):
        run("csv", "out.csv", lambda data: data.drop(columns=["x"]))


@pytest.mark.parametrize(
    "result_type, expected",
    [
        (None, [0.25, 0.75]),
        ("double", [0.25, 0.75]),
        ("DoubleType()", [0.25, 0.75]),
        ("float", [0.25, 0.75]),
        ("long", [1, 2]),
        ("int", [1, 2]),
        ("string", ["0.25", "0.75"]),
    ],
)
def test_result_types_take_the_leftmost_column(result_type: Any, expected: list[Any]) -> None:
    assert list(select_prediction(OUTPUT, result_type)) == expected


def test_arrays_take_every_column_of_the_type() -> None:
    found = select_prediction(OUTPUT, "array<double>")
    assert [row.tolist() for row in found] == [[0.25, 0.75, 0.75, 1], [0.75, 0.25, 0.75, 2]]


def test_plain_labels_are_text() -> None:
    assert list(select_prediction(np.array(["a", "b"]), "string")) == ["a", "b"]
    with pytest.raises(UserError, match="no column of type `double`") as thrown:
        select_prediction(np.array(["a", "b"], dtype=object), "double")
    assert thrown.value.path == "steps.predict.result_type"


def test_unknown_result_types_are_refused() -> None:
    with pytest.raises(UserError, match="`vector` is no result type"):
        select_prediction(OUTPUT, "vector")


@pytest.mark.parametrize(
    "using, mode, path, message",
    [
        ("table", "overwrite", "output.using", "needs Spark"),
        ("xml", "overwrite", "output.using", "no output format"),
        ("csv", "sometimes", "save_mode", "no save mode"),
    ],
)
def test_outputs_that_cannot_be_written_are_refused(
    using: str, mode: str, path: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as thrown:
        check_output(using, mode)
    assert thrown.value.path == f"steps.predict.{path}"


def test_a_directory_that_is_no_model_is_refused(run: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no model directory"):
        run("csv", "out.csv", model=str(tmp_path))


def test_models_that_stock_mlflow_saved_are_scored(run: Any, tmp_path: Path) -> None:
    sklearn = pytest.importorskip("mlflow.sklearn")
    model = LogisticRegression().fit(pd.DataFrame({"x": [0.0, 1, 2, 3]}), [0, 0, 1, 1])
    path = tmp_path / "saved"
    sklearn.save_model(model, str(path), pip_requirements=[], serialization_format="cloudpickle")
    run("csv", "out.csv", lambda data: data[["x"]], model=str(path), result_type="long")
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == [0, 0, 1, 1, 1, 1]
    assert not (path / "model.json").exists()
