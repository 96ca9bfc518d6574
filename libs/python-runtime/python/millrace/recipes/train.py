"""The train step: finds the estimator, fits it, evaluates it and says what it gets wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.models.yaml_text import yaml_text
from millrace.recipes import automl, rebalance, tuning
from millrace.recipes.estimator import (
    codes_are_labels,
    estimator_params,
    fit_estimator,
    inner_estimator,
    make_estimator,
    recorded,
)
from millrace.recipes.metrics import (
    DEFAULT_PRIMARY,
    CustomMetric,
    evaluate,
    greater_is_better,
    load_custom_metrics,
)
from millrace.recipes.seeding import seed_generators
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import (
    check_classes,
    check_no_missing_target,
    classes_of,
    is_classification,
)
from millrace.recipes.user_functions import UserFunction, user_function

if TYPE_CHECKING:
    import pandas as pd

WORST_ROWS = 10
#: MLflow drew the rows of a trial with it.
_SAMPLE_SEED = 42


@dataclass(frozen=True)
class TrainingData:
    """The transformed splits, features and target apart."""

    features: pd.DataFrame
    labels: pd.Series
    validation_features: pd.DataFrame
    validation_labels: pd.Series


@dataclass
class BestParameters:
    """Where the final parameters came from; the sections of `best_parameters.yaml`."""

    automl: dict[str, Any] = field(default_factory=dict)
    tuned: dict[str, Any] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> dict[str, Any]:
        """All that were not the estimator's defaults, as a record can hold them."""
        given = {**self.automl, **self.fixed, **self.tuned}
        return {name: recorded(value) for name, value in given.items()}

    def as_yaml(self, estimator: Any) -> str:
        """As MLflow wrote it: a section by source, the estimator's defaults last."""
        defaults = {
            name: value
            for name, value in estimator_params(estimator).items()
            if name not in self.chosen
        }
        sections = {
            "automl parameters": self.automl,
            "tuned hyperparameters": self.tuned,
            "hardcoded parameters": self.fixed,
            "default parameters": defaults,
        }
        return "\n".join(
            f"# {caption}\n{yaml_text({name: recorded(params[name]) for name in sorted(params)})}"
            for caption, params in sections.items()
            if params
        )


@dataclass(frozen=True)
class Trained:
    """A fitted estimator and how it came about."""

    model: Any
    metrics: dict[str, dict[str, float]]
    trials: list[dict[str, Any]]
    best: BestParameters


@dataclass(frozen=True)
class Fitting:
    """How an estimator is fitted and judged. It holds nothing of this process, so that trials can be tried in
    others.
    """

    step: StepInput
    calibration: Optional[str]
    custom: Sequence[CustomMetric]
    primary: str
    greater_is_better: bool

    def fit(self, estimator: Any, features: pd.DataFrame, labels: pd.Series) -> Any:
        """The fitted model, the same for the same seed."""
        seed_generators(self.step.seed)
        return fit_estimator(estimator, features, labels, self.step.task, self.calibration)

    def evaluate(self, model: Any, features: pd.DataFrame, labels: pd.Series) -> dict[str, float]:
        """All metrics of the model on these rows."""
        step = self.step
        return evaluate(model, features, labels, step.task, step.positive_class, self.custom)

    def loss(self, metrics: Mapping[str, float]) -> float:
        """The primary metric, less being better."""
        value = metrics.get(self.primary)
        if value is None:
            raise UserError(
                f"the primary metric `{self.primary}` was not computed on the validation split",
                "primary_metric",
                f"there are {', '.join(sorted(metrics))}; some need an estimator with predict_proba",
            )
        return -value if self.greater_is_better else value


@dataclass(frozen=True)
class TrialObjective:
    """What a trial does: fits with its parameters on the (sampled) training rows, judges on validation."""

    fitting: Fitting
    function: UserFunction
    fixed: Mapping[str, Any]
    data: TrainingData

    def __call__(self, params: Mapping[str, Any]) -> tuple[dict[str, float], float]:
        data, fitting = self.data, self.fitting
        estimator = make_estimator(self.function, {**self.fixed, **params})
        model = fitting.fit(estimator, data.features, data.labels)
        metrics = fitting.evaluate(model, data.validation_features, data.validation_labels)
        return metrics, fitting.loss(metrics)


class Trainer:
    """One execution of the train step over transformed data; `config` is the recipe's `steps.train`."""

    def __init__(self, step: StepInput, given: Mapping[str, Any], context: Any) -> None:
        self._step = step
        self._config: Mapping[str, Any] = given.get("config") or {}
        self._context = context
        custom: Sequence[Mapping[str, Any]] = given.get("custom_metrics") or []
        primary: str = given.get("primary_metric") or DEFAULT_PRIMARY[step.task]
        self._fitting = Fitting(
            step,
            self._checked_calibration(),
            load_custom_metrics(step.project, custom),
            primary,
            greater_is_better(primary, given.get("greater_is_better"), custom),
        )
        self._trials: list[dict[str, Any]] = []

    def _checked_calibration(self) -> Optional[str]:
        calibration = self._config.get("calibrate_proba")
        if calibration and not is_classification(self._step.task):
            self._context.warn("calibrate_proba is for classification; it is left aside")
            return None
        return calibration

    def run(self, train: pd.DataFrame, validation: pd.DataFrame) -> Trained:
        """Fits on the transformed training split and evaluates on both."""
        target = self._step.target
        check_classes(train[target], self._step.task, self._step.positive_class)
        check_no_missing_target(train[target], "the transformed training data")
        check_no_missing_target(validation[target], "the transformed validation data")
        weights = None
        if rebalance.applies(train, self._step, self._config):
            weights = rebalance.class_weights(train[target])
            train = rebalance.rebalanced(train, self._step, self._config)
        data = TrainingData(
            train.drop(columns=[target]),
            train[target],
            validation.drop(columns=[target]),
            validation[target],
        )
        estimator, best = self._find_estimator(data, weights)
        self._context.activity("fitting the estimator")
        with self._context.span("fit estimator"):
            model = self._fitting.fit(estimator, data.features, data.labels)
        self._context.progress(0.8, "estimator fitted")
        evaluate_on = self._fitting.evaluate
        metrics = {
            "training": evaluate_on(model, data.features, data.labels),
            "validation": evaluate_on(model, data.validation_features, data.validation_labels),
        }
        return Trained(model, metrics, self._trials, best)

    def _find_estimator(
        self, data: TrainingData, weights: Optional[dict[Any, float]]
    ) -> tuple[Any, BestParameters]:
        using = self._config.get("using") or "custom"
        if using == "automl/flaml":
            return self._automl(data)
        if using != "custom":
            raise UserError(
                f"`{using}` is no way to train", "steps.train.using", "use custom or automl/flaml"
            )
        return self._user_estimator(data, weights)

    def _automl(self, data: TrainingData) -> tuple[Any, BestParameters]:
        self._context.activity("searching with FLAML")
        fitting = self._fitting
        metric = automl.AutomlMetric(fitting.primary, fitting.greater_is_better, fitting.custom)
        with self._context.span("automl"):
            found = automl.search_estimator(
                data.features, data.labels, self._step, self._config, metric
            )
        for params, seconds in found.improvements:
            self._trials.append(_trial_record(tuning.Trial(params, seconds=seconds), {}))
        return found.estimator, BestParameters(automl=found.best_params)

    def _user_estimator(
        self, data: TrainingData, weights: Optional[dict[Any, float]]
    ) -> tuple[Any, BestParameters]:
        function = self._estimator_function()
        search = tuning.tuning_config(self._step.project, self._config)
        fixed = self._fixed_params()
        if weights is not None and self._takes_class_weight(function, fixed):
            fixed["class_weight"] = self._weights_by_code(weights, data.labels)
        best = BestParameters(fixed=fixed)
        if search is not None:
            best = self._tune(search, function, fixed, data)
        seed_generators(self._step.seed)
        return make_estimator(function, {**best.fixed, **best.tuned}), best

    def _estimator_function(self) -> UserFunction:
        path = "steps.train.estimator_method"
        method = self._config.get("estimator_method")
        if not method:
            raise UserError(
                "training needs the function that returns the estimator",
                path,
                "name a function of steps/train.py, or use `using: automl/flaml`",
            )
        return user_function(self._step.project, "train", method, path)

    def _fixed_params(self) -> dict[str, Any]:
        params = self._config.get("estimator_params") or {}
        if not isinstance(params, Mapping):
            raise UserError("must be a mapping of names to values", "steps.train.estimator_params")
        return dict(params)

    def _takes_class_weight(self, function: UserFunction, fixed: Mapping[str, Any]) -> bool:
        """Whether the estimator function takes the weights that rebalancing adds. MLflow failed if not."""
        try:
            make_estimator(function, {**fixed, "class_weight": "balanced"})
        except (TypeError, ValueError) as error:
            if "class_weight" not in str(error):
                raise
            self._context.warn(
                f"the estimator of `{function.name}` takes no class_weight; rebalanced rows are not "
                "weighted back"
            )
            return False
        return True

    def _weights_by_code(self, weights: dict[Any, float], labels: pd.Series) -> dict[Any, float]:
        """Keyed by what the estimator sees: codes, unless calibration has it see the labels."""
        if self._fitting.calibration or codes_are_labels(classes_of(labels)):
            return weights
        return dict(enumerate(weights.values()))

    def _tune(
        self,
        search: tuning.TuningConfig,
        function: UserFunction,
        fixed: dict[str, Any],
        data: TrainingData,
    ) -> BestParameters:
        sampled = _sampled(data, search.sample_fraction)
        objective = TrialObjective(self._fitting, function, fixed, sampled)

        def on_trial(count: int, trial: tuning.Trial) -> None:
            self._trials.append(_trial_record(trial, fixed))
            for text in trial.warnings:
                self._context.warn(text)
            self._context.progress(
                0.75 * count / search.max_trials, f"trial {count} of {search.max_trials}"
            )

        self._context.activity("tuning")
        with self._context.span("tuning"):
            search_run = tuning.Search(
                search, objective, self._step.project, self._step.seed, on_trial
            )
            best = search_run.run()
            if not fixed:
                return BestParameters(tuned=best.params)
            # As MLflow: a search that does not beat the fixed parameters alone is not used.
            alone = tuning.run_trial(objective, {})
        self._trials.append(_trial_record(alone, fixed))
        if alone.loss is not None and best.loss is not None and alone.loss <= best.loss:
            return BestParameters(fixed=fixed)
        kept = {name: value for name, value in fixed.items() if name not in best.params}
        return BestParameters(tuned=best.params, fixed=kept)


def _sampled(data: TrainingData, fraction: float) -> TrainingData:
    if fraction == 1:
        return data
    return replace(
        data,
        features=data.features.sample(frac=fraction, random_state=_SAMPLE_SEED),
        labels=data.labels.sample(frac=fraction, random_state=_SAMPLE_SEED),
    )


def _trial_record(trial: tuning.Trial, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics by their bare names, as MLflow's trials had them, and by `val_`, as runs have them."""
    params = {**fixed, **trial.params}
    record: dict[str, Any] = {
        "params": {name: recorded(value) for name, value in params.items()},
        "metrics": {
            **trial.metrics,
            **{f"val_{name}": value for name, value in trial.metrics.items()},
        },
        "status": "failed" if trial.error else "succeeded",
        "seconds": trial.seconds,
    }
    if trial.error is not None:
        record["error"] = trial.error
    return record


def describe_estimator(model: Any) -> dict[str, str]:
    """Class and module of the user's estimator."""
    kind = type(inner_estimator(model))
    return {"class": kind.__name__, "module": kind.__module__}


def with_predictions(raw: pd.DataFrame, prediction: Any, prefix: str) -> pd.DataFrame:
    """`predicted_training_data`: the raw rows, `predicted_data` and, with scores, `predicted_score`."""
    import numpy as np

    if not hasattr(prediction, "columns"):
        return raw.assign(predicted_data=np.asarray(prediction))
    return raw.assign(
        predicted_data=prediction[f"{prefix}label"].to_numpy(),
        predicted_score=prediction[f"{prefix}score"].to_numpy(),
    )


def ranked_rows(raw: pd.DataFrame, prediction: Any, step: StepInput, prefix: str) -> pd.DataFrame:
    """The rows with their `absolute_error` and `prediction` in front, the largest error first.

    The error of a classifier with scores is the probability that it gave to other classes than the true one.
    """
    import numpy as np

    target = raw[step.target]
    labels, error = np.asarray(prediction), None
    if hasattr(prediction, "columns"):
        labels = prediction[f"{prefix}label"].to_numpy()
        error = _missed_probability(prediction, target, prefix)
    if error is None:
        wrong = labels != target.to_numpy()
        regression = step.task == "regression"
        error = np.abs(labels - target.to_numpy()) if regression else wrong.astype(float)
    order = np.argsort(-error, kind="stable")
    features = raw.drop(columns=[step.target]).iloc[order]
    front = {"absolute_error": error, "prediction": labels, step.target: target.to_numpy()}
    ranked = features.drop(columns=[name for name in front if name in features.columns])
    for position, (name, values) in enumerate(front.items()):
        ranked.insert(position, name, values[order])
    return ranked


def _missed_probability(prediction: pd.DataFrame, target: pd.Series, prefix: str) -> Any:
    import numpy as np

    positions = prediction.columns.get_indexer([f"{prefix}score_{label}" for label in target])
    scores = prediction.drop(columns=[f"{prefix}label"]).to_numpy(dtype=float)
    given = scores[np.arange(len(scores)), positions]
    # A class that the model does not know got no probability at all.
    return 1 - np.where(positions >= 0, given, 0.0)
