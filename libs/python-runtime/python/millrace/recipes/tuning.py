"""Hyper-parameter search with hyperopt, in processes instead of Spark, and seeded."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import time
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.recipes.user_functions import UserFunction, user_function
from millrace.recipes.user_warnings import collected_warnings

_PATH = "steps.train.tuning"
_DEFAULT_ALGORITHM = "hyperopt.rand.suggest"
_KNOWN_ALGORITHMS = "hyperopt.rand.suggest, hyperopt.tpe.suggest, hyperopt.anneal.suggest"
#: Millrace's own names of algorithms, to which it also brings MLflow's.
_SHORT_NAMES = {"random": "hyperopt.rand.suggest", "tpe": "hyperopt.tpe.suggest", "anneal": "hyperopt.anneal.suggest"}


@dataclass(frozen=True)
class TuningConfig:
    """The recipe's `steps.train.tuning`, checked."""

    max_trials: int
    parameters: Mapping[str, Mapping[str, Any]]
    algorithm: Any
    parallelism: int
    sample_fraction: float
    early_stop: Optional[UserFunction]


@dataclass
class Trial:
    """One setting that was tried. `loss` is the primary metric, its sign such that less is better."""

    params: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    loss: Optional[float] = None
    seconds: float = 0.0
    #: What the user's code raised, as text.
    error: Optional[str] = None
    warnings: list[str] = field(default_factory=list)


#: Fits and evaluates with these parameters; returns the metrics of the validation split and the loss. It is
#: sent to other processes when trials run in parallel.
Objective = Callable[[Mapping[str, Any]], "tuple[dict[str, float], float]"]


def tuning_config(project: str, config: Mapping[str, Any]) -> Optional[TuningConfig]:
    """The search that the recipe asks for, or None. Raises `UserError` naming the key at fault."""
    tuning = config.get("tuning")
    if tuning is None:
        return None
    if not isinstance(tuning, Mapping) or not isinstance(tuning.get("enabled"), bool):
        raise UserError("must be true or false", f"{_PATH}.enabled")
    if not tuning["enabled"]:
        return None
    parameters = tuning.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        raise UserError("tuning needs the parameters to search", f"{_PATH}.parameters")
    return TuningConfig(
        max_trials=_positive_integer(tuning, "max_trials"),
        parameters=parameters,
        algorithm=_algorithm(tuning.get("algorithm") or _DEFAULT_ALGORITHM),
        parallelism=_positive_integer(tuning, "parallelism", 1),
        sample_fraction=_fraction(tuning.get("sample_fraction", 1.0)),
        early_stop=_early_stop(project, tuning.get("early_stop_fn")),
    )


def _positive_integer(tuning: Mapping[str, Any], key: str, default: Optional[int] = None) -> int:
    value = tuning.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        found = "nothing" if value is None else repr(value)
        raise UserError(f"must be a whole number of at least 1, found {found}", f"{_PATH}.{key}")
    return value


def _fraction(value: Any) -> float:
    try:
        fraction = float(value)
    except (TypeError, ValueError):
        fraction = math.nan
    if not 0 < fraction <= 1:
        raise UserError(f"must be above 0 and at most 1, found {value!r}", f"{_PATH}.sample_fraction")
    return fraction


def _algorithm(name: str) -> Any:
    _hyperopt()
    module_name, _, function_name = _SHORT_NAMES.get(str(name), str(name)).rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"there is no search algorithm `{name}`", f"{_PATH}.algorithm", f"use {_KNOWN_ALGORITHMS}"
        ) from error


def _hyperopt() -> Any:
    try:
        return importlib.import_module("hyperopt")
    except ModuleNotFoundError as error:
        raise UserError(
            f"tuning needs a package that is not installed: {error.name}",
            _PATH,
            f"add {error.name} to the project's requirements.txt",
        ) from error


def _early_stop(project: str, name: Optional[str]) -> Optional[UserFunction]:
    if not name:
        return None
    function = user_function(project, "train", name, f"{_PATH}.early_stop_fn")
    if (function.call.__module__, function.name) == ("hyperopt.early_stop", "no_progress_loss"):
        # It makes such a function, with defaults for everything.
        return replace(function, call=function.call())
    return function


def search_space(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """hyperopt's expressions for the recipe's parameters."""
    return {name: _expression(name, details) for name, details in parameters.items()}


def _expression(name: str, details: Any) -> Any:
    from hyperopt import hp

    path = f"{_PATH}.parameters.{name}"
    if not isinstance(details, Mapping) or not ({"values", "distribution"} & set(details)):
        raise UserError("needs `values` or a `distribution` of hyperopt", path)
    if "values" in details:
        if not isinstance(details["values"], list) or not details["values"]:
            raise UserError("must be a list of at least one value", f"{path}.values")
        return hp.choice(name, details["values"])
    distribution = getattr(hp, str(details["distribution"]), None)
    if not callable(distribution):
        raise UserError(
            f"hyperopt has no distribution `{details['distribution']}`", f"{path}.distribution"
        )
    arguments = {key: value for key, value in details.items() if key != "distribution"}
    try:
        # Its documentation calls the only bound of `randint` upper; the function has another name for it.
        bound = [arguments.pop("upper")] if "upper" in arguments else []
        expression = distribution(name, *bound, **arguments)
        _draw(expression)
    except Exception as error:
        raise UserError(
            f"`{details['distribution']}` does not take {arguments}: {error}", path
        ) from error
    return expression


def _draw(expression: Any) -> None:
    """Draws once, as hyperopt looks at the arguments of a distribution only then."""
    import numpy as np
    from hyperopt.pyll import stochastic

    # It prints its own account of what is wrong.
    with contextlib.redirect_stdout(io.StringIO()):
        stochastic.sample(expression, np.random.default_rng(0))


class Search:
    """The search itself: rounds of as many trials as run at once, so that the outcome does not depend on which
    of them ends first. One at a time, it proposes what hyperopt's `fmin` with the same seed does.
    """

    def __init__(
        self,
        config: TuningConfig,
        objective: Objective,
        project: str,
        seed: int,
        on_trial: Callable[[int, Trial], None],
    ) -> None:
        import numpy as np
        from hyperopt import Trials
        from hyperopt.base import Domain

        self._config = config
        self._objective = objective
        self._project = project
        self._random = np.random.default_rng(seed)
        self._space = search_space(config.parameters)
        # hyperopt evaluates nothing here: it proposes, and is told what came of it.
        self._domain = Domain(lambda params: params, self._space)
        self._proposals = Trials()
        self._on_trial = on_trial
        self._early_stop_state: Sequence[Any] = ()
        self.trials: list[Trial] = []

    def run(self) -> Trial:
        """The best trial. Raises the first trial's own error when every trial failed."""
        with self._processes():
            while len(self.trials) < self._config.max_trials and self._round():
                if self._stops_early():
                    break
        succeeded = [trial for trial in self.trials if trial.loss is not None]
        if succeeded:
            return min(succeeded, key=lambda trial: trial.loss or 0.0)
        if self.trials:
            # Once more, here, for the error itself with its lines.
            self._objective(self.trials[0].params)
        raise UserError("no trial succeeded", _PATH)

    @contextlib.contextmanager
    def _processes(self) -> Iterator[None]:
        """Ends the processes of parallel trials, which would idle for minutes."""
        try:
            yield
        finally:
            if self._config.parallelism > 1:
                from joblib.externals.loky import get_reusable_executor

                get_reusable_executor().shutdown(wait=True, kill_workers=True)

    def _round(self) -> bool:
        """Proposes, tries and tells; false when the algorithm has nothing left to propose."""
        from hyperopt import base

        count = min(self._config.parallelism, self._config.max_trials - len(self.trials))
        proposals = self._proposals
        ids = proposals.new_trial_ids(count)
        proposals.refresh()
        seed = self._random.integers(2**31 - 1)
        proposed = self._config.algorithm(ids, self._domain, proposals, seed)
        if not proposed:
            return False
        proposals.insert_trial_docs(proposed)
        proposals.refresh()
        documents = [
            each for each in proposals._dynamic_trials if each["state"] == base.JOB_STATE_NEW
        ]
        for document, trial in zip(documents, self._tried([self._params(each) for each in documents])):
            document["state"] = base.JOB_STATE_DONE
            document["result"] = _result(trial)
            self.trials.append(trial)
            self._on_trial(len(self.trials), trial)
        proposals.refresh()
        return True

    def _tried(self, settings: list[dict[str, Any]]) -> Iterable[Trial]:
        if self._config.parallelism == 1:
            return (run_trial(self._objective, params) for params in settings)
        from joblib import Parallel, delayed

        run = delayed(_run_trial_elsewhere)
        jobs = (run(self._objective, params, self._project) for params in settings)
        return Parallel(n_jobs=self._config.parallelism, backend="loky")(jobs)

    def _params(self, document: Mapping[str, Any]) -> dict[str, Any]:
        from hyperopt import space_eval

        chosen = {name: values[0] for name, values in document["misc"]["vals"].items() if values}
        return dict(space_eval(self._space, chosen))

    def _stops_early(self) -> bool:
        function = self._config.early_stop
        if function is None:
            return False
        returned = function(self._proposals, *self._early_stop_state)
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            raise function.error(
                "did not return two values",
                "return (stop, arguments), where the arguments are a list for its next call",
            )
        stop, self._early_stop_state = returned
        return bool(stop)


def run_trial(objective: Objective, params: dict[str, Any]) -> Trial:
    """Tries one setting; an error of the user's code becomes the trial's."""
    started = time.perf_counter()
    trial = Trial(params)
    try:
        trial.metrics, trial.loss = objective(params)
    except UserError:
        # The recipe is at fault, not these parameters.
        raise
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises fails this trial only
        trial.error = f"{type(error).__name__}: {error}"
    trial.seconds = time.perf_counter() - started
    return trial


def _run_trial_elsewhere(objective: Objective, params: dict[str, Any], project: str) -> Trial:
    """In a process of its own, from which warnings must be brought back."""
    with collected_warnings(project) as warned:
        trial = run_trial(objective, params)
    trial.warnings = warned.texts
    return trial


def _result(trial: Trial) -> dict[str, Any]:
    from hyperopt import STATUS_FAIL, STATUS_OK

    if trial.loss is None:
        return {"status": STATUS_FAIL}
    return {"status": STATUS_OK, "loss": trial.loss}
