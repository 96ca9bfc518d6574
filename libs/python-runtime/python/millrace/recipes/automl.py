"""`using: automl/flaml`: FLAML searches the estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, Union

from millrace.errors import UserError
from millrace.recipes import metrics as recipe_metrics
from millrace.recipes.estimator import encoded
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import classes_of, is_classification

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DEFAULT_BUDGET_SECONDS = 600

#: FLAML's own metrics by MLflow's names.
_NATIVE_METRICS = {
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
    "mean_absolute_percentage_error": "mape",
    "f1_score": "f1",
    "f1_score_micro": "micro_f1",
    "f1_score_macro": "macro_f1",
    "accuracy_score": "accuracy",
    "roc_auc": "roc_auc",
    "log_loss": "log_loss",
}


@dataclass(frozen=True)
class AutomlResult:
    """The best estimator, to be fitted anew, and what was found on the way."""

    estimator: Any
    best_params: dict[str, Any]
    #: Settings that were the best so far when they were tried: learner and parameters, with seconds from start.
    improvements: list[tuple[dict[str, Any], float]]


@dataclass(frozen=True)
class AutomlMetric:
    """What is optimised."""

    name: str
    greater_is_better: bool
    custom: Sequence[recipe_metrics.CustomMetric]


def search_estimator(
    features: pd.DataFrame,
    labels: pd.Series,
    step: StepInput,
    config: Mapping[str, Any],
    metric: AutomlMetric,
) -> AutomlResult:
    """Lets FLAML search for `time_budget_secs`; `flaml_params` go to its `fit` as they are."""
    automl_class = _flaml()
    classes = classes_of(labels) if is_classification(step.task) else None
    settings = {
        **_quiet(automl_class),
        **_settings(step, config),
        "metric": _flaml_metric(step, metric, classes),
    }
    automl = automl_class()
    target = labels.copy() if classes is None else encoded(labels, classes)
    automl.fit(features.copy(), target, **settings)
    if automl.model is None:
        raise UserError(
            "FLAML found no estimator in its time",
            "steps.train.time_budget_secs",
            "give it more time",
        )
    history = (automl.config_history or {}).values()
    return AutomlResult(
        estimator=automl.model.estimator,
        best_params=dict(automl.best_config or {}),
        improvements=[({"learner": name, **found}, seconds) for name, found, seconds in history],
    )


def _flaml() -> Any:
    try:
        from flaml import AutoML
    except ImportError as error:
        raise UserError(
            f"`using: automl/flaml` needs a package that is not installed: {error.name or error}",
            "steps.train.using",
            "add flaml[automl] to the project's requirements.txt",
        ) from error
    return AutoML


def _quiet(automl_class: Any) -> dict[str, Any]:
    """The step reports what was found; a run of FLAML's own, which its later releases make, would report it twice."""
    from inspect import signature

    return {"mlflow_logging": False} if "mlflow_logging" in signature(automl_class.fit).parameters else {}


def _settings(step: StepInput, config: Mapping[str, Any]) -> dict[str, Any]:
    budget = config.get("time_budget_secs", DEFAULT_BUDGET_SECONDS)
    if isinstance(budget, bool) or not isinstance(budget, (int, float)) or budget <= 0:
        raise UserError(
            f"must be a positive number of seconds, found {budget!r}", "steps.train.time_budget_secs"
        )
    return {
        "seed": step.seed,
        "verbose": 0,
        **(config.get("flaml_params") or {}),
        "time_budget": budget,
        "task": "classification" if is_classification(step.task) else "regression",
    }


def _flaml_metric(
    step: StepInput, metric: AutomlMetric, classes: Union[np.ndarray, None]
) -> Union[str, Callable[..., Any]]:
    """FLAML's own where it has the metric, else a function that it minimises."""
    is_custom = any(each.name == metric.name for each in metric.custom)
    native = _NATIVE_METRICS.get(metric.name)
    # FLAML takes the last class as the positive one, and averages differently over several.
    misread = metric.name == "f1_score" and (
        classes is not None and (len(classes) > 2 or classes[-1] != step.positive_class)
    )
    if native is None or is_custom or misread:
        return _minimised(step, metric, classes)
    multiclass = step.task == "classification/multiclass"
    return "roc_auc_ovr" if native == "roc_auc" and multiclass else native


def _minimised(
    step: StepInput, metric: AutomlMetric, classes: Union[np.ndarray, None]
) -> Callable[..., Any]:
    sign = -1.0 if metric.greater_is_better else 1.0

    def value(estimator: Any, features: Any, target: Any) -> float:
        decoded = _Decoded(estimator, classes)
        labels = decoded.labels(target)
        found = recipe_metrics.evaluate(
            decoded, features, labels, step.task, step.positive_class, metric.custom
        )
        if metric.name not in found:
            raise UserError(
                f"the primary metric `{metric.name}` cannot be computed for {type(estimator).__name__}",
                "primary_metric",
            )
        return found[metric.name]

    def flaml_metric(
        X_val: Any, y_val: Any, estimator: Any, labels: Any, X_train: Any, y_train: Any, *_: Any, **__: Any
    ) -> tuple[float, dict[str, float]]:
        validation = value(estimator, X_val, y_val)
        training = value(estimator, X_train, y_train)
        return sign * validation, {
            f"{metric.name}_val": validation,
            f"{metric.name}_train": training,
        }

    return flaml_metric


class _Decoded:
    """FLAML's estimator of codes, answering with the labels that they stand for."""

    def __init__(self, estimator: Any, classes: Union[np.ndarray, None]) -> None:
        self._estimator = estimator
        self._classes = classes
        if classes is not None:
            self.classes_ = classes
            if hasattr(estimator, "predict_proba"):
                self.predict_proba = estimator.predict_proba

    def labels(self, codes: Any) -> Any:
        import numpy as np

        values = np.asarray(codes)
        return values if self._classes is None else self._classes[values.astype("int64")]

    def predict(self, features: Any) -> Any:
        return self.labels(self._estimator.predict(features))
