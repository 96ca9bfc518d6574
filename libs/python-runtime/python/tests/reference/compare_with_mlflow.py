"""Runs recipes with the original `mlflow.recipes` and with Millrace's jobs, and compares their metrics.

Run it where `mlflow.recipes` exists (mlflow < 3) and GNU make is installed: `python compare_with_mlflow.py`, with the
names of recipes to run only these. It prints the largest difference per recipe and exits with 1 when one is above 1e-9 (relative).
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
"""

CUSTOM_METRICS = """
def half_error(eval_df, builtin_metrics):
    return float((eval_df["prediction"] - eval_df["target"]).abs().sum() / 2)

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
            "data": cancer.assign(target=cancer["target"].map({0: "benign", 1: "malign"})),
            "kind": "classification",
            "positive_class": "malign",
            "train": {"estimator_method": "classifier", "estimator_params": {"C": 0.3}},
            "custom_metrics": [hits],
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


def metrics_of_millrace(root: Path, recipe: dict[str, Any]) -> dict[str, float]:
    """Runs the jobs one after the other, in a process of their own."""
    given = {key: value for key, value in recipe.items() if key != "data"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--jobs", str(root), json.dumps(given)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": PYTHON_ROOT, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"the jobs failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


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
    kind = recipe["kind"]
    task = kind if kind == "regression" else f"{kind}/{'multiclass' if positive is None else 'binary'}"
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


def compare(name: str, recipe: dict[str, Any]) -> bool:
    """Prints what differs."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "project"
        root.mkdir()
        write_project(root, recipe)
        original = metrics_of_original(root)
        ours = metrics_of_millrace(root, recipe)
    wanted = {key: value for key, value in original.items() if key.startswith(("val_", "test_"))}
    missing = sorted(set(wanted) - set(ours))
    differences = {
        key: abs(ours[key] - value) / max(1.0, abs(value))
        for key, value in wanted.items()
        if key in ours
    }
    worst = max(differences, key=differences.__getitem__)
    print(f"{name}: {len(differences)} metrics, largest difference {differences[worst]:.2e} ({worst})", flush=True)
    for key in missing:
        print(f"  not computed here: {key} = {wanted[key]}")
    for key in sorted(key for key, value in differences.items() if value > TOLERANCE):
        print(f"  {key}: original {wanted[key]!r}, here {ours[key]!r}")
    return not missing and differences[worst] <= TOLERANCE


def main() -> int:
    if sys.argv[1:2] == ["--jobs"]:
        print(json.dumps(run_jobs(Path(sys.argv[2]), json.loads(sys.argv[3]))))
        return 0
    chosen = sys.argv[1:] or list(recipes())
    agreed = [compare(name, recipe) for name, recipe in recipes().items() if name in chosen]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    sys.exit(main())
