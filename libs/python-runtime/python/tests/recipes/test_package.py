from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from millrace.models.load import load_predictor
from millrace.models.signature import millrace_signature, mlflow_signature
from millrace.models.write import PackageContent, package_files, write_package
from millrace.models.yaml_text import yaml_text
from recipe_run import RecipeRun

STEPS = {
    "transform": """
        from sklearn.compose import ColumnTransformer
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
        from steps.helpers import scaled

        def transformer_fn():
            numbers = Pipeline([
                ("lambda", FunctionTransformer(lambda frame: frame.fillna(0) * 2, feature_names_out="one-to-one")),
                ("helper", FunctionTransformer(scaled, feature_names_out="one-to-one")),
            ])
            return ColumnTransformer([
                ("n", numbers, ["a", "b"]),
                ("t", OneHotEncoder(handle_unknown="ignore"), ["t"]),
            ])

        class Deleting:
            def fit(self, features, target):
                return self
            def transform(self, features):
                del features["t"]
                return features.fillna(0)

        def deleting():
            return Deleting()
    """,
    "helpers": "def scaled(frame):\n    return frame / 3\n",
    "train": """
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        from sklearn.model_selection import GridSearchCV
        from sklearn.svm import LinearSVC

        def forest():
            return RandomForestClassifier(n_estimators=4)

        def searched():
            return GridSearchCV(RandomForestRegressor(n_estimators=3), {"max_depth": [2, 3]}, cv=2)

        def without_scores():
            return LinearSVC()
    """,
}


def data_of(kind: str) -> pd.DataFrame:
    rows = np.arange(240)
    data = pd.DataFrame(
        {
            "a": rows % 7,
            "b": np.where(rows % 9 == 0, np.nan, rows / 3),
            "t": [f"t{i % 3}" for i in rows],
        }
    )
    labels: Any = {
        "regression": rows % 11 / 2,
        "text": np.where(rows % 3 == 0, "yes", "no"),
        "codes": rows % 2,
        "numbers": rows % 3 + 5,
        "booleans": rows % 4 == 0,
    }[kind]
    return data.assign(y=labels)


TASKS: dict[str, dict[str, Any]] = {
    "regression": {"task": "regression"},
    "text": {"task": "classification/binary", "positive_class": "no"},
    "codes": {"task": "classification/binary", "positive_class": 1},
    "numbers": {"task": "classification/multiclass"},
    "booleans": {"task": "classification/binary", "positive_class": True},
}


@pytest.fixture
def trained(project: Callable[..., str], tmp_path: Path) -> Callable[..., RecipeRun]:
    """A trained recipe over labels of a kind."""

    def train(kind: str, method: str = "transformer_fn", **config: Any) -> RecipeRun:
        run = RecipeRun(project(**STEPS), tmp_path / "run", data_of(kind), **TASKS[kind])
        run.split()
        run.transform(method)
        estimator = "searched" if kind == "regression" else "forest"
        run.train({"estimator_method": estimator, **config})
        return run

    return train


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_stock_mlflow_predicts_the_same(
    trained: Any, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mlflow = pytest.importorskip("mlflow")
    from mlflow import pyfunc
    from mlflow import sklearn as mlflow_sklearn

    run = trained(kind)
    test = run.frame("test").drop(columns=["y"])
    expected = load_predictor(run.path("model")).predict(test)
    for name in [name for name in sys.modules if name.startswith(("steps", "millrace_recipe"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(str(tmp_path / "tracking"))
    model = pyfunc.load_model(run.path("model"))
    pipeline = mlflow_sklearn.load_model(run.path("model"))
    labels = expected["predicted_label"] if kind != "regression" else expected
    np.testing.assert_array_equal(pipeline.predict(test.copy()), np.asarray(labels))
    # Once with the signature enforced, once past it.
    for prediction in (model.predict(test), model._model_impl.predict(test)):
        if kind == "regression":
            np.testing.assert_array_equal(prediction, expected)
        else:
            pd.testing.assert_frame_equal(prediction, expected)


def test_columns_of_predictions_with_scores(trained: Any) -> None:
    run = trained("numbers", predict_prefix="p_")
    prediction = load_predictor(run.path("model")).predict(run.frame("test"))
    names = ["p_score_5", "p_score_6", "p_score_7", "p_score", "p_label"]
    assert prediction.columns.tolist() == names
    scores = prediction[names[:3]]
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert prediction["p_score"].tolist() == scores.max(axis=1).tolist()
    assert prediction["p_label"].tolist() == [5 + i for i in scores.to_numpy().argmax(axis=1)]


@pytest.mark.parametrize(
    "config",
    [{"predict_scores_for_all_classes": False}, {"estimator_method": "without_scores"}],
)
def test_plain_predictions_without_scores(trained: Any, config: dict[str, Any]) -> None:
    run = trained("text", **config)
    prediction = load_predictor(run.path("model")).predict(run.frame("test"))
    assert isinstance(prediction, np.ndarray)
    assert set(prediction) <= {"yes", "no"}


def test_a_transformer_that_changes_its_input_predicts_twice(trained: Any) -> None:
    run = trained("codes", method="deleting")
    model = load_predictor(run.path("model"))
    test = run.frame("test")
    before = test.copy()
    first, second = model.predict(test), model.predict(test)
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(test, before)


def test_packages_of_the_project_go_with_the_model(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    wheel = tmp_path / "prices-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("prices.py", "PRICE = 100")
    requirements = ["pandas==3.0.0", f"wheels/{wheel.name}"]
    content = PackageContent(
        pipeline=make_pipeline(Ridge()).fit(rows, rows["x"]),
        features=rows,
        task="regression",
        target="y",
        positive_class=None,
        predict_prefix="predicted_",
        scores=True,
        project=str(tmp_path),
        code_files=[],
        python_version="3.11.7",
        requirements=requirements,
        wheels=[str(wheel)],
        onnx="off",
    )
    written = write_package(str(tmp_path / "model"), content)
    assert written.pickles["verdict"] == "clean"
    copy = tmp_path / "model" / "wheels" / wheel.name
    assert copy.read_bytes() == wheel.read_bytes()
    # Lines and places are those of wheels that stock MLflow adds to a model, which pip installs from its directory.
    assert (tmp_path / "model" / "requirements.txt").read_text().splitlines() == requirements


def test_contents(trained: Any) -> None:
    run = trained("text")
    model = Path(run.path("model"))
    mlmodel = yaml.safe_load((model / "MLmodel").read_text())
    onnx = mlmodel["metadata"]["millrace"].pop("onnx")
    assert onnx == json.loads((model / "onnx_parity.json").read_text())
    form = ["artifacts/onnx/model.onnx"] if onnx["added"] else []
    assert package_files(str(model)) == form + [
        "artifacts/sk_model/model.pkl",
        "code/millrace_recipe_model_v1.py",
        "code/steps/helpers.py",
        "code/steps/train.py",
        "code/steps/transform.py",
        "conda.yaml",
        "environment.json",
        "input_example.json",
        "model.json",
        "onnx_parity.json",
        "pickle_scan.json",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
        "signature.json",
    ]
    assert sorted(mlmodel["flavors"]) == ["onnx"] * onnx["added"] + ["python_function", "sklearn"]
    assert json.loads((model / "pickle_scan.json").read_text())["verdict"] in ("clean", "unknown")
    assert mlmodel["metadata"]["millrace"] == {
        "task": "classification/binary",
        "target": "y",
        "classes": ["no", "yes"],
        "positive_class": "no",
        "predict_prefix": "predicted_",
        "scores": True,
    }
    assert (model / "requirements.txt").read_text() == "numpy==2.0.0\npandas==3.0.0\n"
    conda = yaml.safe_load((model / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {"pip": ["numpy==2.0.0", "pandas==3.0.0"]}
    signature = json.loads((model / "signature.json").read_text())
    assert signature["inputs"] == [
        {"name": "a", "type": "integer", "nullable": False},
        {"name": "b", "type": "number", "nullable": True},
        {"name": "t", "type": "string", "nullable": False, "categories": ["t0", "t1", "t2"]},
    ]
    assert signature["output"]["classes"] == ["no", "yes"]
    example = json.loads((model / "input_example.json").read_text())
    first = run.frame("train").drop(columns=["y"]).head(5)
    assert example["columns"] == ["a", "b", "t"]
    expected = [[a, None if np.isnan(b) else b, t] for a, b, t in first.to_numpy().tolist()]
    assert example["data"] == expected


def test_a_missing_code_file_is_named(trained: Any) -> None:
    from millrace.errors import UserError

    run = trained("codes")
    with pytest.raises(UserError, match="steps/gone.py"):
        run.train({"estimator_method": "forest"}, code_files=["steps/gone.py"])


DIGESTS = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from recipe_run import RecipeRun
from test_package import TASKS, data_of
project, kind = sys.argv[3:5]
sys.path.append(project)
run = RecipeRun(project, Path(project).parent / "run", data_of(kind), **TASKS[kind])
run.split()
run.transform("transformer_fn")
run.train({"estimator_method": "searched" if kind == "regression" else "forest"})
"""


@pytest.mark.parametrize("kind", ["regression", "text"])
def test_the_same_training_elsewhere_gives_the_same_bytes(
    project: Callable[..., str], tmp_path: Path, kind: str
) -> None:
    """Another process and another directory; the steps hold a lambda and a search that keeps times."""
    here = Path(__file__).resolve().parent
    digests = []
    for place in ("one", "two/deeper"):
        root = tmp_path / place / "project"
        (root / "steps").mkdir(parents=True)
        for file in Path(project(**STEPS), "steps").glob("*.py"):
            (root / "steps" / file.name).write_text(file.read_text())
        subprocess.run(
            [sys.executable, "-c", DIGESTS, str(here), str(here.parents[1]), str(root), kind],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            check=True,
        )
        model = root.parent / "run" / "model"
        files = [*package_files(str(model)), "MLmodel"]
        digests.append({name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in files})
    assert digests[0] == digests[1]


def frame_of_all_types() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "int64": [1, 2, 3],
            "int32": np.array([1, 2, 3], dtype="int32"),
            "uint8": np.array([1, 2, 3], dtype="uint8"),
            "float64": [1.5, np.nan, 2],
            "float32": np.array([1.5, 2, 3], dtype="float32"),
            "bool": [True, False, True],
            "text": ["a", "b", "c"],
            "text with none": ["a", None, "c"],
            "time": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "category": pd.Categorical(["a", "b", "a"]),
            "objects of bools": pd.Series([True, None, False], dtype=object),
            "objects of ints": pd.Series([1, 2, 3], dtype=object),
            "dates": pd.Series([datetime.date(2020, 1, i) for i in (1, 2, 3)], dtype=object),
            "bytes": pd.Series([b"a", b"b", b"c"], dtype=object),
            "lists": pd.Series([[1.5, 2.0], [3.5], [0.5]], dtype=object),
            "lists of mixed numbers": pd.Series([[1.5, 2], [3.5], []], dtype=object),
            "dicts": pd.Series([{"k": 1, "v": "a"}, {"k": 2}, {"k": 3, "v": "b"}], dtype=object),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
        }
    )


def canonical(schema: str) -> Any:
    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(each) for key, each in sorted(value.items())}
        return [ordered(each) for each in value] if isinstance(value, list) else value

    return ordered(json.loads(schema))


@pytest.mark.parametrize("name", frame_of_all_types().columns)
def test_signatures_are_inferred_as_mlflow_does(name: str) -> None:
    infer_signature = pytest.importorskip("mlflow.models").infer_signature
    frame = frame_of_all_types()[[name]]
    expected = infer_signature(frame).to_dict()["inputs"]
    found = mlflow_signature(frame, np.zeros(3))["inputs"]
    assert canonical(found) == canonical(expected)


@pytest.mark.parametrize(
    "prediction", [np.zeros(3), np.array(["a", "b"]), np.array(["a", "b"], dtype=object), np.zeros((2, 3))]
)
def test_outputs_are_inferred_as_mlflow_does(prediction: np.ndarray) -> None:
    infer_signature = pytest.importorskip("mlflow.models").infer_signature
    expected = infer_signature(frame_of_all_types(), prediction).to_dict()["outputs"]
    found = mlflow_signature(frame_of_all_types(), prediction)["outputs"]
    assert canonical(found) == canonical(expected)


def test_own_signature_has_a_type_for_everything() -> None:
    inputs = millrace_signature(frame_of_all_types(), "y", "regression", None)["inputs"]
    types = {each["name"]: each["type"] for each in inputs}
    assert types["time"] == "timestamp"
    assert types["nullable"] == "integer"
    assert types["lists"] == "string"


def test_yaml_is_read_back_as_it_was() -> None:
    value = {
        "plain": "a-b_c/d.e",
        "quoted": 'a: "b" # c\n',
        "yes": "yes",
        "number as text": "1.0",
        "empty": "",
        "none": None,
        "true": True,
        "float": 1e-05,
        "list": ["a", 1, {"k": ["v"], "l": 2}],
        "nothing": [],
        "map": {"é": "ü"},
    }
    assert yaml.safe_load(yaml_text(value)) == value
