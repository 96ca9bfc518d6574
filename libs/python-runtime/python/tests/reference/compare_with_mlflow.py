"""Runs recipes with the original `mlflow.recipes` and with Millrace's jobs, and compares their metrics.

Run it where `mlflow.recipes` exists (mlflow < 3) and GNU make is installed: `python compare_with_mlflow.py`, with the
names of recipes to run only these. With `--evaluator` the original does not train: it only evaluates the model that was
trained here, as its step `evaluate` does, which takes seconds instead of minutes. It prints the largest difference per
recipe and exits with 1 when one is above 1e-9 (relative) that is not among `EXPLAINED`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

TOLERANCE = 1e-9
#: Metrics that differ on purpose, by kind of recipe: see the README of this package.
EXPLAINED: dict[str, set[str]] = {
    # The original takes the class that sorts last for the positive one, in these.
    "binary, positive first": {
        "precision_recall_auc",
        "true_negatives",
        "false_positives",
        "false_negatives",
        "true_positives",
    },
}
PYTHON_ROOT = str(Path(__file__).resolve().parents[2])

INGEST = """
import pandas as pd

def load(location, file_format):
    return pd.read_csv(location)
"""

SPLIT = """
def keep(dataset):
    return dataset.iloc[:, 0] > dataset.iloc[:, 0].quantile(0.02)
"""

TRANSFORM = """
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

def transformer_fn():
    doubled = FunctionTransformer(lambda frame: frame * 2)
    return Pipeline([("double", doubled), ("scale", StandardScaler())])
"""

TRAIN = """
def regressor(estimator_params=None):
    from sklearn.ensemble import RandomForestRegressor
    return RandomForestRegressor(n_estimators=20, random_state=3, **(estimator_params or {}))

def classifier(estimator_params=None):
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression(max_iter=500, **(estimator_params or {}))

def without_probabilities(estimator_params=None):
    from sklearn.svm import LinearSVC
    return LinearSVC(random_state=3, dual=True)
"""

CUSTOM_METRICS = """
def half_error(eval_df, builtin_metrics):
    return float((eval_df["prediction"] - eval_df["target"]).abs().sum() / 2)

def shape(eval_df, builtin_metrics):
    # What a custom metric is given: labels as the recipe has them, and the values computed before it.
    assert list(eval_df.columns) == ["prediction", "target"]
    assert set(eval_df["prediction"]) <= set(eval_df["target"])
    return builtin_metrics["recall_score"] + builtin_metrics.get("roc_auc", 2) + len(eval_df)

def hits(eval_df, builtin_metrics):
    return float((eval_df["prediction"] == eval_df["target"]).sum() + builtin_metrics["accuracy_score"])
"""


def recipes() -> dict[str, dict[str, Any]]:
    """Name → data, kind, and the parts of the recipe that differ."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

    cancer = load_breast_cancer(as_frame=True).frame
    wine = load_wine(as_frame=True).frame
    error = {"name": "half_error", "function": "half_error", "greater_is_better": False}
    hits = {"name": "hits", "function": "hits", "greater_is_better": True}
    shape = {"name": "shape", "function": "shape", "greater_is_better": True}
    text = cancer.assign(target=cancer["target"].map({0: "benign", 1: "malign"}))
    return {
        "regression": {
            "data": load_diabetes(as_frame=True).frame,
            "kind": "regression",
            "train": {"estimator_method": "regressor", "estimator_params": {"max_depth": 5}},
            "custom_metrics": [error],
        },
        "binary, numbers": {
            "data": cancer,
            "kind": "classification",
            "positive_class": 1,
            "train": {"estimator_method": "classifier"},
            "custom_metrics": [hits],
        },
        "binary, text": {
            "data": text,
            "kind": "classification",
            "positive_class": "malign",
            "train": {"estimator_method": "classifier", "estimator_params": {"C": 0.3}},
            "custom_metrics": [hits, shape],
        },
        "binary, positive first": {
            "data": text,
            "kind": "classification",
            "positive_class": "benign",
            "train": {"estimator_method": "classifier"},
            "custom_metrics": [hits],
        },
        "binary, no probabilities": {
            "data": cancer,
            "kind": "classification",
            "positive_class": 1,
            "train": {"estimator_method": "without_probabilities"},
            "custom_metrics": [shape],
        },
        "binary, calibrated": {
            "data": cancer,
            "kind": "classification",
            "positive_class": 1,
            "train": {"estimator_method": "classifier", "calibrate_proba": "sigmoid"},
            "custom_metrics": [],
        },
        "multiclass": {
            "data": wine.assign(target=wine["target"].map({0: "b", 1: "a", 2: "c"})),
            "kind": "classification",
            "train": {"estimator_method": "classifier"},
            "custom_metrics": [hits],
        },
        "multiclass, numbers": {
            "data": wine,
            "kind": "classification",
            "train": {"estimator_method": "classifier", "estimator_params": {"C": 0.1}},
            "custom_metrics": [shape],
        },
        "multiclass, no probabilities": {
            "data": wine,
            "kind": "classification",
            "train": {"estimator_method": "without_probabilities"},
            "custom_metrics": [],
        },
    }


def write_project(root: Path, recipe: dict[str, Any]) -> None:
    """The files of a recipe project."""
    for name in ("steps", "profiles", "data"):
        (root / name).mkdir(parents=True)
    for name, text in {
        "ingest": INGEST,
        "split": SPLIT,
        "transform": TRANSFORM,
        "train": TRAIN,
        "custom_metrics": CUSTOM_METRICS,
    }.items():
        (root / "steps" / f"{name}.py").write_text(text)
    # Without SHAP, on which the original spends minutes; its metrics do not depend on it.
    (root / "shap.py").write_text("raise ImportError\n")
    recipe["data"].to_csv(root / "data" / "data.csv", index=False)
    # Files instead of its default database: mlflow 2 does not run with every SQLAlchemy.
    profile = {"experiment": {"name": "compare", "tracking_uri": (root / "mlruns").as_uri()}}
    (root / "profiles" / "local.yaml").write_text(json.dumps(profile))
    steps = {
        "ingest": {"using": "csv", "location": "./data/data.csv", "loader_method": "load"},
        "split": {"post_split_filter_method": "keep", "skip_data_profiling": True},
        "transform": {"transformer_method": "transformer_fn", "skip_data_profiling": True},
        "train": {**recipe["train"], "skip_data_profiling": True},
        "evaluate": {},
        "register": {},
    }
    steps["ingest"]["skip_data_profiling"] = True
    config = {
        "recipe": f"{recipe['kind']}/v1",
        "target_col": "target",
        "custom_metrics": recipe["custom_metrics"],
        "steps": steps,
    }
    if "positive_class" in recipe:
        config["positive_class"] = recipe["positive_class"]
    # JSON is YAML.
    (root / "recipe.yaml").write_text(json.dumps(config))


def metrics_of_original(root: Path) -> dict[str, float]:
    """What the original logs to its run."""
    script = textwrap.dedent(
        """
        import json, logging
        import mlflow
        from mlflow.recipes import Recipe
        logging.disable(logging.WARNING)
        recipe = Recipe(profile="local")
        recipe.run("evaluate")
        run = recipe.get_artifact("run")
        print("METRICS " + json.dumps(run.data.metrics))
        """
    )
    environment = {
        **os.environ,
        "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_RECIPES_EXECUTION_DIRECTORY": str(root / "state"),
        # It loads each logged model once more to see what it imports, which metrics do not depend on.
        "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("METRICS ")]
    if not lines:
        raise SystemExit(f"the original failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return json.loads(lines[-1][len("METRICS ") :])


def metrics_of_evaluator(root: Path, recipe: dict[str, Any]) -> dict[str, float]:
    """What the original's evaluation says about the model that Millrace's jobs have trained in the project."""
    done = run_apart("--evaluate", root, recipe)
    return json.loads(done.splitlines()[-1])


def run_apart(what: str, root: Path, recipe: dict[str, Any]) -> str:
    """Runs this file in a process of its own; what it prints."""
    given = {key: value for key, value in recipe.items() if key != "data"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, what, str(root), json.dumps(given)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": PYTHON_ROOT, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{what} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def evaluate_with_original(root: Path, recipe: dict[str, Any]) -> dict[str, float]:
    """As its step `evaluate` does: https://github.com/mlflow/mlflow/blob/v2.22.0/mlflow/recipes/steps/evaluate.py."""
    import mlflow
    from mlflow.recipes.utils.metrics import _get_custom_metrics, _load_custom_metrics

    from millrace.models.pickles import read_pickle
    from millrace.recipes.frames import read_frame

    mlflow.set_tracking_uri((root / "mlruns").as_uri())
    task = task_of(recipe)
    # The model's own code, which decodes its labels.
    sys.path.append(str(root / "out" / "model" / "code"))
    pipeline = read_pickle(str(root / "out" / "model" / "artifacts" / "sk_model" / "model.pkl"))
    mlflow.sklearn.save_model(pipeline, str(root / "saved"), pip_requirements=[])
    found: dict[str, float] = {}
    for split, prefix in (("validation", "val_"), ("test", "test_")):
        config: dict[str, Any] = {"log_model_explainability": False, "metric_prefix": prefix}
        if task == "classification/binary":
            config["pos_label"] = recipe["positive_class"]
        with mlflow.start_run():
            result = mlflow.evaluate(
                model=str(root / "saved"),
                data=read_frame(str(root / "out" / f"{split}.parquet")),
                targets="target",
                model_type="regressor" if task == "regression" else "classifier",
                evaluators="default",
                extra_metrics=_load_custom_metrics(str(root), _get_custom_metrics(recipe, task)),
                evaluator_config=config,
            )
        found.update(result.metrics)
    return {name: float(value) for name, value in found.items()}


def task_of(recipe: dict[str, Any]) -> str:
    """Kind of the recipe with what its classes make of it."""
    if recipe["kind"] == "regression":
        return "regression"
    return f"classification/{'multiclass' if recipe.get('positive_class') is None else 'binary'}"


def metrics_of_millrace(root: Path, recipe: dict[str, Any]) -> dict[str, float]:
    """Runs the jobs one after the other, in a process of their own."""
    return json.loads(run_apart("--jobs", root, recipe).splitlines()[-1])


def run_jobs(root: Path, recipe: dict[str, Any]) -> dict[str, float]:
    """Metrics by the names that runs have."""
    from millrace.jobs import ingest, split, train, transform
    from millrace.models.load import load_predictor
    from millrace.models.pickles import read_pickle
    from millrace.recipes import metrics as recipe_metrics
    from millrace.recipes.frames import read_frame
    from millrace.recipes.testing import RecordedContext

    out = root / "out"
    out.mkdir()
    positive = recipe.get("positive_class")
    task = task_of(recipe)
    common = {
        "project": str(root),
        "target_col": "target",
        "task": task,
        "positive_class": positive,
        "seed": 42,
    }
    context = RecordedContext()
    files = [{"path": str(root / "data" / "data.csv"), "name": "data.csv"}]
    ingest.main(
        {
            **common,
            "using": "csv",
            "files": files,
            "single_file": True,
            "loader_method": "load",
            "output": str(out / "dataset.parquet"),
        },
        context,
    )
    split.main(
        {
            **common,
            "dataset": str(out / "dataset.parquet"),
            "post_split_filter_method": "keep",
            "output_dir": str(out),
        },
        context,
    )
    splits = {"train": str(out / "train.parquet"), "validation": str(out / "validation.parquet")}
    transform.main(
        {**common, **splits, "transformer_method": "transformer_fn", "output_dir": str(out)}, context
    )
    output = train.main(
        {
            **common,
            **splits,
            "transformed_train": str(out / "transformed_training_data.parquet"),
            "transformed_validation": str(out / "transformed_validation_data.parquet"),
            "transformer": str(out / "transformer.pkl"),
            "config": recipe["train"],
            "custom_metrics": recipe["custom_metrics"],
            "environment": {"python_version": "3.11", "requirements": []},
            "code_files": ["steps/train.py", "steps/transform.py"],
            "output_dir": str(out),
        },
        context,
    )
    load_predictor(str(out / "model"))
    pipeline = read_pickle(str(out / "model" / "artifacts" / "sk_model" / "model.pkl"))
    test = read_frame(str(out / "test.parquet"))
    custom = recipe_metrics.load_custom_metrics(str(root), recipe["custom_metrics"])
    on_test = recipe_metrics.evaluate(
        pipeline, test.drop(columns=["target"]), test["target"], task, positive, custom
    )
    found = {f"training_{name}": value for name, value in output["metrics"]["training"].items()}
    found.update({f"val_{name}": value for name, value in output["metrics"]["validation"].items()})
    found.update({f"test_{name}": value for name, value in on_test.items()})
    return found


def compare(name: str, recipe: dict[str, Any], evaluator_only: bool) -> bool:
    """Prints what differs."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "project"
        root.mkdir()
        write_project(root, recipe)
        ours = metrics_of_millrace(root, recipe)
        original = metrics_of_evaluator(root, recipe) if evaluator_only else metrics_of_original(root)
    wanted = {key: value for key, value in original.items() if key.startswith(("val_", "test_"))}
    explained = {key for key in wanted if key.split("_", 1)[1] in EXPLAINED.get(name, ())}
    missing = sorted(set(wanted) - set(ours))
    differences = {
        key: abs(ours[key] - value) / max(1.0, abs(value)) for key, value in wanted.items() if key in ours
    }
    compared = {key: value for key, value in differences.items() if key not in explained}
    worst = max(compared, key=compared.__getitem__)
    print(f"{name}: {len(compared)} metrics, largest difference {compared[worst]:.2e} ({worst})", flush=True)
    for key in missing:
        print(f"  not computed here: {key} = {wanted[key]}")
    for key in sorted(key for key, value in differences.items() if value > TOLERANCE):
        why = ", on purpose" if key in explained else ""
        print(f"  {key}: original {wanted[key]!r}, here {ours[key]!r}{why}")
    return not missing and compared[worst] <= TOLERANCE


def main() -> int:
    work = {"--jobs": run_jobs, "--evaluate": evaluate_with_original}.get(next(iter(sys.argv[1:]), ""))
    if work is not None:
        print(json.dumps(work(Path(sys.argv[2]), json.loads(sys.argv[3]))))
        return 0
    names = [name for name in sys.argv[1:] if name != "--evaluator"]
    evaluator_only = "--evaluator" in sys.argv
    known = recipes()
    agreed = [compare(name, known[name], evaluator_only) for name in names or known]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
