from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from millrace.errors import UserError
from recipe_run import RecipeRun

STEPS = """
import warnings
import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB

CALLS = []

def ridge(estimator_params=None):
    CALLS.append(estimator_params)
    return Ridge(**(estimator_params or {}))

def forest():
    return RandomForestRegressor(n_estimators=5)

def logistic(estimator_params=None):
    return LogisticRegression(max_iter=300, **(estimator_params or {}))

def random_forest_classifier(estimator_params=None):
    return RandomForestClassifier(n_estimators=5, **(estimator_params or {}))

def bayes(estimator_params=None):
    return GaussianNB(**(estimator_params or {}))

def stacked():
    from sklearn.ensemble import StackingRegressor
    return StackingRegressor([("ridge", Ridge())])

def warning():
    warnings.warn("mind the gap")
    return Ridge()

def text():
    return "ridge"

class Fits:
    def fit(self, features, target):
        return self

def no_predict():
    return Fits()

class Codes:
    '''Demands the codes 0, 1, … as some estimators do.'''
    def fit(self, features, target):
        assert sorted(set(target)) == list(range(len(set(target))))
        self.classes_ = np.unique(target)
        self.most_ = int(np.bincount(target).argmax())
        return self
    def predict(self, features):
        return np.full(len(features), self.most_)

def codes():
    return Codes()

def stop_after_two(trials, *state):
    return len(trials.trials) >= 2, list(state)

def bad_stop(trials):
    return True
"""

TRANSFORM = """
from sklearn.preprocessing import StandardScaler

def scaled():
    return StandardScaler()
"""

CUSTOM = """
def spread(eval_df, builtin_metrics):
    return float(eval_df["prediction"].std())

def right(eval_df, builtin_metrics):
    return float((eval_df["prediction"] == eval_df["target"]).mean())
"""

SPREAD = [{"name": "spread", "function": "spread", "greater_is_better": True}]


def features(rows: int, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(random.normal(size=(rows, 3)), columns=["a", "b", "c"])


@pytest.fixture
def recipe(project: Callable[..., str], tmp_path: Path) -> Callable[..., RecipeRun]:
    """A recipe whose data is split and scaled."""

    def prepare(labels: Any = None, rows: int = 300, **given: Any) -> RecipeRun:
        data = features(rows)
        signal = data["a"] * 2 - data["b"] + np.sin(data["c"] * 5)
        data["y"] = signal if labels is None else labels(signal)
        root = project(train=STEPS, transform=TRANSFORM, custom_metrics=CUSTOM)
        run = RecipeRun(root, tmp_path / "run", data, **given)
        run.split()
        run.transform("scaled")
        return run

    return prepare


def binary(positive: Any = "yes", rows: int = 300, share: float = 0.5) -> dict[str, Any]:
    return {
        "labels": lambda signal: np.where(signal > signal.quantile(1 - share), "yes", "no"),
        "rows": rows,
        "task": "classification/binary",
        "positive_class": positive,
    }


MULTICLASS = {
    "labels": lambda signal: pd.cut(signal, 3, labels=["x", "z", "k"]).astype(str),
    "task": "classification/multiclass",
}


def test_regression_equals_scikit_learn(recipe: Any) -> None:
    run = recipe()
    output = run.train(
        {"estimator_method": "ridge", "estimator_params": {"alpha": 0.5}}, custom_metrics=SPREAD
    )
    train, validation = run.frame("train"), run.frame("validation")
    scaler = StandardScaler().fit(train[["a", "b", "c"]])
    model = Ridge(alpha=0.5).fit(scaler.transform(train[["a", "b", "c"]]), train["y"])
    prediction = model.predict(scaler.transform(validation[["a", "b", "c"]]))
    found = output["metrics"]["validation"]
    expected = {
        "mean_absolute_error": sk.mean_absolute_error(validation["y"], prediction),
        "r2_score": sk.r2_score(validation["y"], prediction),
        "score": sk.r2_score(validation["y"], prediction),
        "spread": prediction.std(ddof=1),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert output["params"]["alpha"] == 0.5
    assert output["estimator"] == {"class": "Ridge", "module": "sklearn.linear_model._ridge"}
    assert output["best_parameters"] == {"alpha": 0.5}


def test_binary_with_text_labels_equals_scikit_learn(recipe: Any) -> None:
    run = recipe(**binary("no"))
    output = run.train({"estimator_method": "logistic"})
    train, validation = run.frame("train"), run.frame("validation")
    scaler = StandardScaler().fit(train[["a", "b", "c"]])
    model = LogisticRegression(max_iter=300).fit(
        scaler.transform(train[["a", "b", "c"]]), train["y"]
    )
    scaled = scaler.transform(validation[["a", "b", "c"]])
    expected = {
        "f1_score": sk.f1_score(validation["y"], model.predict(scaled), pos_label="no"),
        "log_loss": sk.log_loss(validation["y"], model.predict_proba(scaled)),
        "roc_auc": sk.roc_auc_score(validation["y"] == "no", model.predict_proba(scaled)[:, 0]),
    }
    found = output["metrics"]["validation"]
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_no_parameters_no_argument(recipe: Any) -> None:
    import sys

    run = recipe()
    run.train({"estimator_method": "ridge"})
    run.train({"estimator_method": "ridge", "estimator_params": {"alpha": 2.0}})
    assert sys.modules["steps.train"].CALLS == [None, {"alpha": 2.0}]


def test_estimators_see_codes_and_predict_labels(recipe: Any) -> None:
    run = recipe(**MULTICLASS)
    output = run.train({"estimator_method": "codes"})
    assert set(run.frame("predicted_training_data")["predicted_data"]) <= {"x", "z", "k"}
    assert output["estimator"] == {"class": "Codes", "module": "steps.train"}
    assert output["metrics"]["training"]["accuracy_score"] > 1 / 3


def test_predicted_training_data_and_worst_rows(recipe: Any) -> None:
    run = recipe(**binary())
    output = run.train({"estimator_method": "logistic"})
    predicted = run.frame("predicted_training_data")
    assert predicted.columns.tolist() == ["a", "b", "c", "y", "predicted_data", "predicted_score"]
    assert predicted["predicted_score"].between(0.5, 1).all()
    errors = [row["absolute_error"] for row in output["worst"]]
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == 10
    assert list(output["worst"][0]) == ["absolute_error", "prediction", "y", "a", "b", "c"]
    wrong = output["worst"][0]
    assert (wrong["absolute_error"] > 0.5) == (wrong["prediction"] != wrong["y"])
    assert output["best"][0]["absolute_error"] < 0.1


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_equals_scikit_learn(recipe: Any, method: str) -> None:
    from sklearn.calibration import CalibratedClassifierCV

    run = recipe(**binary())
    output = run.train({"estimator_method": "logistic", "calibrate_proba": method})
    train, validation = run.frame("transformed_training_data"), run.frame("transformed_validation_data")
    model = CalibratedClassifierCV(LogisticRegression(max_iter=300), method=method)
    model.fit(train.drop(columns="y"), train["y"])
    expected = sk.log_loss(validation["y"], model.predict_proba(validation.drop(columns="y")))
    assert output["metrics"]["validation"]["log_loss"] == pytest.approx(expected, rel=1e-9)
    assert output["estimator"]["class"] == "LogisticRegression"


def test_calibration_of_regression_is_left_aside(recipe: Any) -> None:
    run = recipe()
    output = run.train({"estimator_method": "ridge", "calibrate_proba": "sigmoid"})
    assert any("calibrate_proba" in text for text in output["warnings"])


class TestRebalancing:
    CONFIG = {"estimator_method": "logistic"}

    def test_takes_rows_of_the_majority_and_weights_them_back(self, recipe: Any) -> None:
        run = recipe(**binary(rows=8000, share=0.05))
        output = run.train(self.CONFIG)
        counts = run.frame("train")["y"].value_counts()
        kept = int(counts["yes"] * 0.7 / 0.3)
        assert output["metrics"]["training"]["example_count"] == counts["yes"] + kept
        total = counts.sum()
        weights = {0: total / (2 * counts["no"]), 1: total / (2 * counts["yes"])}
        assert output["params"]["class_weight"] == str({k: float(v) for k, v in weights.items()})

    def test_is_the_same_for_the_same_seed(self, recipe: Any) -> None:
        run = recipe(**binary(rows=8000, share=0.05))
        first, second = run.train(self.CONFIG), run.train(self.CONFIG)
        assert first["metrics"] == second["metrics"]
        other = run.train(self.CONFIG, seed=7)
        assert other["metrics"] != first["metrics"]

    def test_can_be_switched_off_and_set(self, recipe: Any) -> None:
        run = recipe(**binary(rows=8000, share=0.05))
        rows = len(run.frame("train"))
        off = run.train({**self.CONFIG, "rebalance_training_data": False})
        assert off["metrics"]["training"]["example_count"] == rows
        assert off["params"]["class_weight"] is None
        as_it_is = run.train({**self.CONFIG, "resampling_minority_percentage": 0.01})
        assert as_it_is["metrics"]["training"]["example_count"] == rows
        with pytest.raises(UserError, match="between 0 and 1"):
            run.train({**self.CONFIG, "resampling_minority_percentage": 1.5})

    def test_estimators_that_take_no_weights_do_without(self, recipe: Any) -> None:
        run = recipe(**binary(rows=8000, share=0.05))
        output = run.train({"estimator_method": "bayes"})
        assert any("takes no class_weight" in text for text in output["warnings"])


class TestTuning:
    SPACE = {"alpha": {"distribution": "loguniform", "low": -3, "high": 2}}

    def tune(self, run: RecipeRun, params: Any = None, given: Any = None, **tuning: Any) -> Any:
        config = {
            "estimator_method": "ridge",
            "estimator_params": params or {},
            "tuning": {"enabled": True, "max_trials": 5, "parameters": self.SPACE, **tuning},
        }
        return run.train(config, **(given or {}))

    @pytest.mark.parametrize("algorithm", ["rand", "tpe", "anneal"])
    def test_proposes_what_hyperopt_does(self, recipe: Any, algorithm: str) -> None:
        import hyperopt

        run = recipe()
        name = f"hyperopt.{algorithm}.suggest"
        output = self.tune(run, algorithm=name, max_trials=25)
        trials = hyperopt.Trials()
        train = run.frame("transformed_training_data")
        validation = run.frame("transformed_validation_data")

        def loss(params: Any) -> float:
            model = Ridge(**params).fit(train.drop(columns="y"), train["y"])
            prediction = model.predict(validation.drop(columns="y"))
            return sk.mean_squared_error(validation["y"], prediction) ** 0.5

        hyperopt.fmin(
            loss,
            {"alpha": hyperopt.hp.loguniform("alpha", low=-3, high=2)},
            algo=getattr(hyperopt, algorithm).suggest,
            max_evals=25,
            trials=trials,
            rstate=np.random.default_rng(42),
            show_progressbar=False,
        )
        found = [trial["params"]["alpha"] for trial in output["trials"]]
        assert found == pytest.approx(trials.vals["alpha"], rel=1e-9)
        assert output["params"]["alpha"] == pytest.approx(trials.argmin["alpha"], rel=1e-9)

    def test_reports_trials_with_bare_and_prefixed_metrics(self, recipe: Any) -> None:
        output = self.tune(recipe())
        assert len(output["trials"]) == 5
        for trial in output["trials"]:
            assert trial["status"] == "succeeded"
            assert trial["metrics"]["r2_score"] == trial["metrics"]["val_r2_score"]
        best = min(output["trials"], key=lambda each: each["metrics"]["root_mean_squared_error"])
        assert output["best_parameters"] == best["params"]
        assert (
            output["metrics"]["validation"]["root_mean_squared_error"]
            == best["metrics"]["root_mean_squared_error"]
        )

    def test_custom_metrics_are_optimised_in_their_direction(self, recipe: Any) -> None:
        given = {"custom_metrics": SPREAD, "primary_metric": "spread"}
        output = self.tune(recipe(), given=given)
        best = max(output["trials"], key=lambda each: each["metrics"]["spread"])
        assert output["best_parameters"] == best["params"]

    def test_fixed_parameters_are_kept_even_a_single_one(self, recipe: Any) -> None:
        output = self.tune(recipe(), params={"fit_intercept": True})
        assert output["best_parameters"]["fit_intercept"] is True
        assert "alpha" in output["best_parameters"]
        assert len(output["trials"]) == 6

    def test_fixed_parameters_win_when_no_trial_beats_them(self, recipe: Any) -> None:
        worse = {"alpha": {"values": [1e6, 1e7]}}
        output = self.tune(recipe(), params={"alpha": 0.1}, parameters=worse)
        assert output["best_parameters"] == {"alpha": 0.1}

    def test_every_distribution_is_known(self, recipe: Any) -> None:
        from millrace.recipes.tuning import search_space

        parameters = {
            "choice": {"distribution": "choice", "options": [1, 2]},
            "pchoice": {"distribution": "pchoice", "p_options": [[0.2, "a"], [0.8, "b"]]},
            "uniform": {"distribution": "uniform", "low": 0, "high": 1},
            "quniform": {"distribution": "quniform", "low": 0, "high": 9, "q": 3},
            "loguniform": {"distribution": "loguniform", "low": 0, "high": 1},
            "qloguniform": {"distribution": "qloguniform", "low": 0, "high": 1, "q": 1},
            "normal": {"distribution": "normal", "mu": 0, "sigma": 1},
            "qnormal": {"distribution": "qnormal", "mu": 0, "sigma": 1, "q": 1},
            "lognormal": {"distribution": "lognormal", "mu": 0, "sigma": 1},
            "qlognormal": {"distribution": "qlognormal", "mu": 0, "sigma": 1, "q": 1},
            "randint": {"distribution": "randint", "upper": 5},
            "uniformint": {"distribution": "uniformint", "low": 1, "high": 5},
            "values": {"values": [None, "a", 3]},
        }
        assert sorted(search_space(parameters)) == sorted(parameters)

    def test_early_stop(self, recipe: Any) -> None:
        run = recipe()
        assert len(self.tune(run, early_stop_fn="stop_after_two")["trials"]) == 2
        assert len(self.tune(run, early_stop_fn="steps.train.stop_after_two")["trials"]) == 2
        no_progress = "hyperopt.early_stop.no_progress_loss"
        one = {"alpha": {"values": [1.0]}}
        stopped = self.tune(run, early_stop_fn=no_progress, max_trials=40, parameters=one)
        assert len(stopped["trials"]) < 40
        with pytest.raises(UserError, match="`bad_stop` in steps/train.py did not return two values"):
            self.tune(run, early_stop_fn="bad_stop")

    def test_samples_are_those_of_the_original(self, recipe: Any) -> None:
        run = recipe()
        one = {"alpha": {"values": [1.0]}}
        output = self.tune(run, sample_fraction=0.5, max_trials=1, parameters=one)
        train = run.frame("transformed_training_data")
        validation = run.frame("transformed_validation_data")
        x = train.drop(columns="y").sample(frac=0.5, random_state=42)
        model = Ridge().fit(x, train["y"].sample(frac=0.5, random_state=42))
        expected = sk.r2_score(validation["y"], model.predict(validation.drop(columns="y")))
        assert output["trials"][0]["metrics"]["r2_score"] == pytest.approx(expected, rel=1e-12)
        assert output["metrics"]["validation"]["r2_score"] != pytest.approx(expected, rel=1e-12)

    def test_parallel_trials_are_the_same_each_time(self, recipe: Any) -> None:
        run = recipe()
        space = {"max_depth": {"distribution": "uniformint", "low": 1, "high": 6}}
        config = {
            "estimator_method": "random_forest_classifier",
            "tuning": {"enabled": True, "max_trials": 5, "parallelism": 2, "parameters": space},
        }
        run = recipe(**binary())
        first, second = run.train(config), run.train(config)
        assert [{**each, "seconds": 0} for each in first["trials"]] == [
            {**each, "seconds": 0} for each in second["trials"]
        ]
        assert first["metrics"] == second["metrics"]

    def test_a_failing_trial_is_reported_and_all_failing_raises(self, recipe: Any) -> None:
        run = recipe()
        output = self.tune(run, parameters={"alpha": {"values": [1.0, -1.0]}}, max_trials=8)
        failed = [trial for trial in output["trials"] if trial["status"] == "failed"]
        assert 0 < len(failed) < 8
        assert all("InvalidParameterError" in trial["error"] for trial in failed)
        with pytest.raises(ValueError, match="alpha"):
            self.tune(run, parameters={"alpha": {"values": [-1.0]}})

    @pytest.mark.parametrize(
        "tuning, key",
        [
            ({"enabled": "yes"}, "enabled"),
            ({"max_trials": None}, "max_trials"),
            ({"max_trials": 0}, "max_trials"),
            ({"parallelism": 0}, "parallelism"),
            ({"sample_fraction": 1.5}, "sample_fraction"),
            ({"parameters": {}}, "parameters"),
            ({"parameters": {"alpha": {"low": 1}}}, "parameters.alpha"),
            ({"parameters": {"alpha": {"values": 3}}}, "parameters.alpha.values"),
            ({"parameters": {"alpha": {"distribution": "zipf"}}}, "parameters.alpha.distribution"),
            ({"parameters": {"alpha": {"distribution": "uniform", "lo": 1}}}, "parameters.alpha"),
            ({"algorithm": "hyperopt.magic.suggest"}, "algorithm"),
            ({"early_stop_fn": "unknown"}, "early_stop_fn"),
        ],
    )
    def test_errors_name_the_key(self, recipe: Any, tuning: Any, key: str) -> None:
        with pytest.raises(UserError) as thrown:
            self.tune(recipe(), **tuning)
        assert thrown.value.path == f"steps.train.tuning.{key}"

    def test_a_primary_metric_that_is_not_computed_is_named(self, recipe: Any) -> None:
        with pytest.raises(UserError, match="the primary metric `roc_auc` was not computed"):
            self.tune(recipe(), given={"primary_metric": "roc_auc"})


class TestAutoml:
    CONFIG = {
        "using": "automl/flaml",
        "time_budget_secs": 30,
        "flaml_params": {"max_iter": 3, "estimator_list": ["rf"], "n_jobs": 1},
    }

    @pytest.mark.parametrize("primary", ["mean_absolute_error", "spread", "max_error"])
    def test_regression(self, recipe: Any, primary: str) -> None:
        run = recipe()
        given = {"custom_metrics": SPREAD, "primary_metric": primary}
        first, second = run.train(self.CONFIG, **given), run.train(self.CONFIG, **given)
        assert first["metrics"] == second["metrics"]
        assert first["estimator"]["class"] == "RandomForestRegressor"
        assert first["trials"][0]["params"]["learner"] == "rf"
        assert "n_estimators" in first["best_parameters"]

    def test_what_is_greater_is_better_is_maximised(self) -> None:
        from millrace.recipes import automl
        from millrace.recipes.step_input import StepInput

        step = StepInput(".", "y", "regression", None, 1)
        x, y = features(30), features(30)["a"]
        model = Ridge().fit(x, y + 1)
        for greater, name in ((True, "r2_score"), (False, "max_error")):
            metric = automl.AutomlMetric(name, greater, [])
            minimised = automl._minimised(step, metric, None)
            loss, values = minimised(x, y, model, None, x, y)
            assert loss == (-values[f"{name}_val"] if greater else values[f"{name}_val"])

    @pytest.mark.parametrize("primary", ["f1_score", "recall_score", "roc_auc"])
    def test_binary_with_the_first_class_positive(self, recipe: Any, primary: str) -> None:
        run = recipe(**binary("no"))
        output = run.train(self.CONFIG, primary_metric=primary)
        assert output["metrics"]["validation"]["accuracy_score"] > 0.6
        assert set(run.frame("predicted_training_data")["predicted_data"]) == {"yes", "no"}

    def test_multiclass(self, recipe: Any) -> None:
        output = recipe(**MULTICLASS).train(self.CONFIG, primary_metric="precision_score")
        assert output["metrics"]["validation"]["f1_score_macro"] > 0.3

    def test_budget_is_checked(self, recipe: Any) -> None:
        with pytest.raises(UserError, match="positive number of seconds"):
            recipe().train({**self.CONFIG, "time_budget_secs": 0})


def test_warnings_of_user_code_are_collected(recipe: Any) -> None:
    run = recipe()
    output = run.train({"estimator_method": "warning"})
    logged = Path(run.path("warning_logs.txt")).read_text()
    line = STEPS.splitlines().index('    warnings.warn("mind the gap")') + 1
    assert f"steps/train.py:{line}: UserWarning: mind the gap" in logged
    assert output["warnings"] == logged.splitlines()


def test_best_parameters_are_yaml_by_source(recipe: Any) -> None:
    run = recipe()
    tuning = {"enabled": True, "max_trials": 2, "parameters": TestTuning.SPACE}
    run.train({"estimator_method": "ridge", "tuning": tuning})
    text = Path(run.path("best_parameters.yaml")).read_text()
    assert text.startswith("# tuned hyperparameters\nalpha: ")
    assert "# default parameters\n" in text
    assert yaml.safe_load(text)["fit_intercept"] is True


def test_the_output_is_json(recipe: Any) -> None:
    run = recipe(**MULTICLASS)
    json.dumps(run.train({"estimator_method": "logistic"}), allow_nan=False)


def test_random_estimators_are_the_same_for_the_same_seed(recipe: Any) -> None:
    run = recipe()
    first, second = (run.train({"estimator_method": "forest"}) for _ in range(2))
    assert first["metrics"] == second["metrics"]


def test_an_estimator_may_show_its_methods_only_once_it_is_fitted(recipe: Any) -> None:
    output = recipe().train({"estimator_method": "stacked"})
    assert output["estimator"]["class"] == "StackingRegressor"


@pytest.mark.parametrize(
    "config, message, path",
    [
        ({}, "needs the function that returns the estimator", "steps.train.estimator_method"),
        ({"using": "magic"}, "no way to train", "steps.train.using"),
        ({"estimator_method": "nope"}, "no function `nope`", "steps.train.estimator_method"),
        (
            {"estimator_method": "text"},
            "`text` in steps/train.py returned a str, which has no `fit` method",
            "steps.train.estimator_method",
        ),
        (
            {"estimator_method": "no_predict"},
            "returned a Fits, which has no `predict` method",
            "steps.train.estimator_method",
        ),
        (
            {"estimator_method": "ridge", "estimator_params": [1]},
            "must be a mapping",
            "steps.train.estimator_params",
        ),
    ],
)
def test_errors_name_the_field(recipe: Any, config: Any, message: str, path: str) -> None:
    with pytest.raises(UserError, match=message) as thrown:
        recipe().train(config)
    assert thrown.value.path == path


def test_an_unknown_calibration_is_refused(recipe: Any) -> None:
    with pytest.raises(UserError, match="`platt` is no calibration"):
        recipe(**binary()).train({"estimator_method": "logistic", "calibrate_proba": "platt"})


def test_a_missing_target_is_named(recipe: Any) -> None:
    run = recipe()
    path = run.path("transformed_training_data.parquet")
    frame = pd.read_parquet(path)
    frame.loc[frame.index[0], "y"] = None
    frame.to_parquet(path)
    with pytest.raises(UserError, match="`y` is missing in 1 of .* transformed training data"):
        run.train({"estimator_method": "ridge"})
