"""Metrics by MLflow's names, equal to scikit-learn's, and the user's own."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.recipes.target import is_classification
from millrace.recipes.user_functions import UserFunction, user_function

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DEFAULT_PRIMARY = {
    "regression": "root_mean_squared_error",
    "classification/binary": "f1_score",
    "classification/multiclass": "f1_score_macro",
}

_LOWER_IS_BETTER = {
    "mean_absolute_error",
    "mean_squared_error",
    "root_mean_squared_error",
    "max_error",
    "mean_absolute_percentage_error",
    "false_positives",
    "false_negatives",
    "log_loss",
}


@dataclass(frozen=True)
class Observations:
    """What a model said about rows whose target is known."""

    target: np.ndarray
    prediction: np.ndarray
    #: One column per class, in the order of `classes`; None when the model gives none.
    probabilities: Optional[np.ndarray] = None
    #: All classes of the model, sorted.
    classes: Optional[Sequence[Any]] = None
    positive_class: Any = None


@dataclass(frozen=True)
class CustomMetric:
    """A metric of the recipe's `custom_metrics`."""

    name: str
    function: UserFunction


def builtin_metrics(task: str, observed: Observations) -> dict[str, float]:
    """All metrics of the task by MLflow's names; those that cannot be computed are left out."""
    if task == "regression":
        return _regression_metrics(observed)
    binary = task == "classification/binary"
    metrics = _binary_metrics(observed) if binary else _multiclass_metrics(observed)
    if observed.probabilities is not None:
        metrics.update(_probability_metrics(observed, binary))
    return {name: float(value) for name, value in metrics.items()}


def _regression_metrics(observed: Observations) -> dict[str, float]:
    import numpy as np
    from sklearn import metrics as sk

    target, prediction = observed.target, observed.prediction
    squared = sk.mean_squared_error(target, prediction)
    total = float(np.sum(target))
    return {
        "example_count": float(len(target)),
        "mean_absolute_error": float(sk.mean_absolute_error(target, prediction)),
        "mean_squared_error": float(squared),
        "root_mean_squared_error": math.sqrt(squared),
        "sum_on_target": total,
        "mean_on_target": total / len(target),
        "r2_score": float(sk.r2_score(target, prediction)),
        "max_error": float(sk.max_error(target, prediction)),
        "mean_absolute_percentage_error": float(
            sk.mean_absolute_percentage_error(target, prediction)
        ),
    }


def _binary_metrics(observed: Observations) -> dict[str, Any]:
    from sklearn import metrics as sk

    target, prediction = observed.target, observed.prediction
    positive = observed.positive_class
    negative = next(each for each in observed.classes or () if each != positive)
    matrix = sk.confusion_matrix(target, prediction, labels=[negative, positive])
    true_negatives, false_positives, false_negatives, true_positives = matrix.ravel()
    options = {"average": "binary", "pos_label": positive, "zero_division": 0}
    return {
        "true_negatives": true_negatives,
        "false_positives": false_positives,
        "false_negatives": false_negatives,
        "true_positives": true_positives,
        "example_count": len(target),
        "accuracy_score": sk.accuracy_score(target, prediction),
        "recall_score": sk.recall_score(target, prediction, **options),
        "precision_score": sk.precision_score(target, prediction, **options),
        "f1_score": sk.f1_score(target, prediction, **options),
    }


def _multiclass_metrics(observed: Observations) -> dict[str, Any]:
    from sklearn import metrics as sk

    target, prediction = observed.target, observed.prediction
    weighted = {"average": "weighted", "zero_division": 0}
    return {
        "example_count": len(target),
        "accuracy_score": sk.accuracy_score(target, prediction),
        "recall_score": sk.recall_score(target, prediction, **weighted),
        "precision_score": sk.precision_score(target, prediction, **weighted),
        "f1_score": sk.f1_score(target, prediction, **weighted),
        "f1_score_macro": sk.f1_score(target, prediction, average="macro", zero_division=0),
        "f1_score_micro": sk.f1_score(target, prediction, average="micro", zero_division=0),
    }


def _probability_metrics(observed: Observations, binary: bool) -> dict[str, Any]:
    from sklearn import metrics as sk

    target, probabilities = observed.target, observed.probabilities
    classes = list(observed.classes or ())
    assert probabilities is not None
    metrics: dict[str, Any] = {"log_loss": sk.log_loss(target, probabilities, labels=classes)}
    present = {each for each in classes if (target == each).any()}
    # An area needs all its classes among the targets.
    if len(present) < len(classes):
        return metrics
    if not binary:
        metrics["roc_auc"] = sk.roc_auc_score(
            target, probabilities, multi_class="ovr", average="weighted", labels=classes
        )
        return metrics
    column = next(i for i, each in enumerate(classes) if each == observed.positive_class)
    is_positive = target == observed.positive_class
    metrics["roc_auc"] = sk.roc_auc_score(is_positive, probabilities[:, column])
    metrics["precision_recall_auc"] = sk.average_precision_score(
        is_positive, probabilities[:, column]
    )
    return metrics


def load_custom_metrics(
    project: str, metrics: Optional[Sequence[Mapping[str, Any]]]
) -> list[CustomMetric]:
    """The functions of the recipe's `custom_metrics`, from `steps/custom_metrics.py`."""
    loaded = []
    for i, each in enumerate(metrics or ()):
        for key in ("name", "function"):
            if not each.get(key):
                raise UserError(f"the custom metric has no `{key}`", f"custom_metrics[{i}].{key}")
        path = f"custom_metrics[{i}].function"
        function = user_function(project, "custom_metrics", each["function"], path)
        loaded.append(CustomMetric(each["name"], function))
    return loaded


def custom_metric_values(
    metrics: Sequence[CustomMetric],
    target: Any,
    prediction: Any,
    builtin: Mapping[str, float],
) -> dict[str, float]:
    """Calls each metric with `prediction` and `target` of every row and the values computed before it."""
    import pandas as pd

    known = dict(builtin)
    values: dict[str, float] = {}
    for metric in metrics:
        frame = pd.DataFrame({"prediction": prediction, "target": target})
        arguments = (frame, dict(known))
        arity = metric.function.positional_arity()
        returned = metric.function(*(arguments[:1] if arity == 1 else arguments))
        found = _metric_values(metric, returned)
        values.update(found)
        known.update(found)
    return values


def _metric_values(metric: CustomMetric, returned: Any) -> dict[str, float]:
    """A number, or a mapping of names to numbers as early versions wanted it."""
    if isinstance(returned, dict):
        if not returned:
            raise metric.function.error("returned an empty dict", "return the metric's value")
        if metric.name not in returned and len(returned) == 1:
            returned = {metric.name: next(iter(returned.values()))}
        if metric.name not in returned:
            names = ", ".join(f"`{name}`" for name in returned)
            raise metric.function.error(
                f"returned {names}, but custom_metrics declares it for `{metric.name}`",
                f"return the value of `{metric.name}`, or declare a metric of custom_metrics for each name",
            )
        return {str(name): _number(metric, value) for name, value in returned.items()}
    return {metric.name: _number(metric, returned)}


def _number(metric: CustomMetric, value: Any) -> float:
    import numpy as np

    plain = value.item() if isinstance(value, (np.generic, np.ndarray)) and value.size == 1 else value
    if isinstance(plain, numbers.Real):
        return float(plain)
    kind = "nothing" if value is None else f"a {type(value).__name__}"
    raise metric.function.error(
        f"returned {kind}, not a number", f"return the value of `{metric.name}` as a number"
    )


def finite_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Without those that are not finite, which no record can hold."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def greater_is_better(metric: str, given: Optional[bool], custom: Sequence[Mapping[str, Any]]) -> bool:
    """The metric's direction: as given, as its `custom_metrics` entry says, or as the built-in has it."""
    if given is not None:
        return given
    for each in custom:
        if each.get("name") == metric and each.get("greater_is_better") is not None:
            return bool(each["greater_is_better"])
    return metric not in _LOWER_IS_BETTER


def observe(
    model: Any, features: pd.DataFrame, target: Any, task: str, positive_class: Any
) -> Observations:
    """What the fitted model says about the rows; it gets copies of them."""
    import numpy as np

    prediction = np.asarray(model.predict(features.copy()))
    if prediction.ndim == 2 and prediction.shape[1] == 1:
        prediction = prediction[:, 0]
    values = np.asarray(target)
    if not is_classification(task):
        return Observations(values, prediction)
    classes = list(model.classes_) if hasattr(model, "classes_") else sorted(set(values))
    probabilities = None
    if hasattr(model, "predict_proba"):
        probabilities = np.asarray(model.predict_proba(features.copy()))
        if probabilities.shape[1:] != (len(classes),):
            # A model of its own kind, whose columns cannot be told.
            probabilities = None
    return Observations(values, prediction, probabilities, classes, positive_class)


def evaluate(
    model: Any,
    features: pd.DataFrame,
    target: Any,
    task: str,
    positive_class: Any,
    custom: Sequence[CustomMetric] = (),
) -> dict[str, float]:
    """All metrics of a fitted model on these rows, `score` (the model's own) and custom ones included."""
    observed = observe(model, features, target, task, positive_class)
    metrics = builtin_metrics(task, observed)
    if hasattr(model, "score"):
        try:
            metrics["score"] = float(model.score(features.copy(), observed.target))
        except Exception:  # noqa: BLE001 - not every model can score itself; MLflow leaves it out alike
            pass
    metrics.update(custom_metric_values(custom, observed.target, observed.prediction, metrics))
    return finite_metrics(metrics)
