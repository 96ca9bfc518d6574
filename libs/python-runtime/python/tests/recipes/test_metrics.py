from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from millrace.errors import UserError
from millrace.jobs import custom_metrics
from millrace.recipes.metrics import (
    Observations,
    builtin_metrics,
    evaluate,
    greater_is_better,
    load_custom_metrics,
)
from millrace.recipes.testing import RecordedContext
from recipe_run import common

RANDOM = np.random.default_rng(5)


def test_regression_metrics_equal_scikit_learn() -> None:
    target = RANDOM.normal(3, 2, 80)
    prediction = target + RANDOM.normal(0, 1, 80)
    found = builtin_metrics("regression", Observations(target, prediction))
    expected = {
        "example_count": 80,
        "mean_absolute_error": sk.mean_absolute_error(target, prediction),
        "mean_squared_error": sk.mean_squared_error(target, prediction),
        "root_mean_squared_error": math.sqrt(sk.mean_squared_error(target, prediction)),
        "sum_on_target": target.sum(),
        "mean_on_target": target.mean(),
        "r2_score": sk.r2_score(target, prediction),
        "max_error": sk.max_error(target, prediction),
        "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(target, prediction),
    }
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("positive", ["a", "b"])
def test_binary_metrics_equal_scikit_learn(positive: str) -> None:
    target = RANDOM.choice(["a", "b"], 90)
    of_b = np.clip((target == "b") * 0.4 + RANDOM.random(90) * 0.6, 0.01, 0.99)
    prediction = np.where(of_b > 0.5, "b", "a")
    observed = Observations(
        target, prediction, np.column_stack([1 - of_b, of_b]), ["a", "b"], positive
    )
    found = builtin_metrics("classification/binary", observed)
    score = of_b if positive == "b" else 1 - of_b
    options = {"pos_label": positive}
    expected = {
        "true_positives": ((target == positive) & (prediction == positive)).sum(),
        "false_positives": ((target != positive) & (prediction == positive)).sum(),
        "true_negatives": ((target != positive) & (prediction != positive)).sum(),
        "false_negatives": ((target == positive) & (prediction != positive)).sum(),
        "example_count": 90,
        "accuracy_score": sk.accuracy_score(target, prediction),
        "recall_score": sk.recall_score(target, prediction, **options),
        "precision_score": sk.precision_score(target, prediction, **options),
        "f1_score": sk.f1_score(target, prediction, **options),
        "log_loss": sk.log_loss(target == "b", of_b),
        "roc_auc": sk.roc_auc_score(target == positive, score),
        "precision_recall_auc": sk.average_precision_score(target == positive, score),
    }
    assert found == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-12)


def test_multiclass_metrics_equal_scikit_learn() -> None:
    target = RANDOM.choice([1, 2, 5], 120)
    probabilities = RANDOM.dirichlet([1, 1, 1], 120)
    prediction = np.array([1, 2, 5])[probabilities.argmax(axis=1)]
    observed = Observations(target, prediction, probabilities, [1, 2, 5])
    found = builtin_metrics("classification/multiclass", observed)
    expected = {
        "example_count": 120,
        "accuracy_score": sk.accuracy_score(target, prediction),
        "recall_score": sk.recall_score(target, prediction, average="weighted"),
        "precision_score": sk.precision_score(target, prediction, average="weighted"),
        "f1_score": sk.f1_score(target, prediction, average="weighted"),
        "f1_score_macro": sk.f1_score(target, prediction, average="macro"),
        "f1_score_micro": sk.f1_score(target, prediction, average="micro"),
        "log_loss": sk.log_loss(target, probabilities),
        "roc_auc": sk.roc_auc_score(target, probabilities, multi_class="ovr", average="weighted"),
    }
    assert found == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-12)


def test_areas_are_left_out_where_a_class_is_absent() -> None:
    target = np.array([0, 0, 1, 1])
    probabilities = np.full((4, 3), 1 / 3)
    observed = Observations(target, target, probabilities, [0, 1, 2])
    found = builtin_metrics("classification/multiclass", observed)
    assert "roc_auc" not in found
    assert found["log_loss"] == pytest.approx(math.log(3))


def test_directions() -> None:
    custom = [{"name": "cost", "greater_is_better": False}]
    assert greater_is_better("f1_score", None, custom)
    assert not greater_is_better("log_loss", None, custom)
    assert not greater_is_better("cost", None, custom)
    assert greater_is_better("cost", True, custom)


METRICS = """
def number(eval_df, builtin_metrics):
    assert sorted(eval_df.columns) == ["prediction", "target"]
    return (eval_df["prediction"] == eval_df["target"]).sum() + builtin_metrics["accuracy_score"]

def changing(eval_df, builtin_metrics):
    eval_df["prediction"] = 0
    builtin_metrics.clear()
    return 1

def one_argument(eval_df):
    return len(eval_df)

def mapping(eval_df, builtin_metrics):
    return {"m": 2, "also": 3.5}

def renamed(eval_df, builtin_metrics):
    return {"something": 4}

def others(eval_df, builtin_metrics):
    return {"a": 1, "b": 2}

def text(eval_df, builtin_metrics):
    return "good"

def nothing(eval_df, builtin_metrics):
    pass

def infinite(eval_df, builtin_metrics):
    return float("inf")
"""


@pytest.fixture
def value_of(project: Callable[..., str]) -> Callable[[str], dict[str, float]]:
    """What `evaluate` reports with the function as the metric `m`."""
    root = project(custom_metrics=METRICS)
    features = pd.DataFrame({"x": [0.0, 1, 2, 3, 4, 5]})
    target = pd.Series([0, 0, 1, 0, 1, 1])
    model = LogisticRegression().fit(features, target)

    def report(function: str) -> dict[str, float]:
        custom = load_custom_metrics(root, [{"name": "m", "function": function}])
        return evaluate(model, features, target, "classification/binary", 1, custom)

    return report


def test_custom_metrics_get_predictions_and_builtin_values(value_of: Any) -> None:
    found = value_of("number")
    assert found["m"] == found["accuracy_score"] * 6 + found["accuracy_score"]
    assert found["score"] == found["accuracy_score"]


def test_custom_metrics_get_copies(value_of: Any) -> None:
    assert value_of("changing")["accuracy_score"] > 0


def test_custom_metrics_may_take_one_argument_or_give_a_mapping(value_of: Any) -> None:
    assert value_of("one_argument")["m"] == 6
    assert {"m": 2, "also": 3.5}.items() <= value_of("mapping").items()
    assert value_of("renamed")["m"] == 4


def test_values_that_are_not_finite_are_left_out(value_of: Any) -> None:
    assert "m" not in value_of("infinite")


@pytest.mark.parametrize(
    "function, message",
    [
        ("text", "`text` in steps/custom_metrics.py returned a str, not a number"),
        ("nothing", "returned nothing, not a number"),
        ("unknown", "has no function `unknown`"),
        ("others", "returned `a`, `b`, but custom_metrics declares it for `m`"),
    ],
)
def test_errors_name_the_function(value_of: Any, function: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as thrown:
        value_of(function)
    assert thrown.value.path == "custom_metrics[0].function"
    assert thrown.value.file == "steps/custom_metrics.py"


def test_the_job_computes_them_by_split(
    project: Callable[..., str], tmp_path: Path, context: RecordedContext
) -> None:
    root = project(custom_metrics=METRICS)
    file = tmp_path / "test.parquet"
    pd.DataFrame({"prediction": [1, 0, 1], "target": [1, 0, 0]}).to_parquet(file)
    metrics = [{"name": "hits", "function": "number"}, {"name": "bad", "function": "infinite"}]
    output = custom_metrics.main(
        {
            **common(root),
            "metrics": metrics,
            "splits": {"test": {"file": str(file), "builtin": {"accuracy_score": 0.5}}},
        },
        context,
    )
    assert output == {"test": {"hits": 2.5}}
    assert "`bad` on the test split is inf" in context.warnings[0]
