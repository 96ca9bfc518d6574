"""Arguments that old recipes give and newer packages have renamed.

The step functions of most recipes were written for scikit-learn 1.0 to 1.2; what they ask for is still there under another
name. Each argument is accepted where the installed release no longer does, with a warning.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, Optional

from millrace.worker.after_import import after_import


class _Argument(NamedTuple):
    """An argument of an estimator's that was spelled otherwise."""

    module: str
    classes: tuple[str, ...]
    old: str
    #: Today's name of the argument.
    new: str
    #: First release of scikit-learn that refuses the old spelling.
    refused_since: tuple[int, int]
    #: Values that are spelled otherwise, by their old spelling; ``None``: the name alone has changed.
    values: Optional[dict[str, Any]] = None


_REGRESSION = {"mse": "squared_error", "mae": "absolute_error"}
_BOOSTING = {"ls": "squared_error", "lad": "absolute_error"}
_HISTOGRAM = {"least_squares": "squared_error", "least_absolute_deviation": "absolute_error"}
_CROSS_ENTROPY = {"auto": "log_loss", "binary_crossentropy": "log_loss", "categorical_crossentropy": "log_loss"}

_TREE = "sklearn.tree._classes"
_FOREST = "sklearn.ensemble._forest"
_GRADIENT = "sklearn.ensemble._gb"
_HIST = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"
_SGD = "sklearn.linear_model._stochastic_gradient"
_LOGISTIC = "sklearn.linear_model._logistic"

_TREE_REGRESSORS = ("DecisionTreeRegressor", "ExtraTreeRegressor")
_TREE_CLASSIFIERS = ("DecisionTreeClassifier", "ExtraTreeClassifier")
_FOREST_REGRESSORS = ("RandomForestRegressor", "ExtraTreesRegressor")
_FOREST_CLASSIFIERS = ("RandomForestClassifier", "ExtraTreesClassifier")


def _values(
    module: str, classes: tuple[str, ...], name: str, refused_since: tuple[int, int], values: dict[str, Any]
) -> _Argument:
    return _Argument(module, classes, name, name, refused_since, values)


#: https://scikit-learn.org/stable/whats_new.html, versions 1.2 to 1.4.
_ARGUMENTS = (
    _Argument("sklearn.preprocessing._encoders", ("OneHotEncoder",), "sparse", "sparse_output", (1, 4)),
    _Argument(
        "sklearn.ensemble._bagging", ("BaggingClassifier", "BaggingRegressor"), "base_estimator", "estimator", (1, 4)
    ),
    _Argument(
        "sklearn.ensemble._weight_boosting",
        ("AdaBoostClassifier", "AdaBoostRegressor"),
        "base_estimator",
        "estimator",
        (1, 4),
    ),
    _Argument("sklearn.calibration", ("CalibratedClassifierCV",), "base_estimator", "estimator", (1, 4)),
    _values(_LOGISTIC, ("LogisticRegression", "LogisticRegressionCV"), "penalty", (1, 4), {"none": None}),
    _values(_SGD, ("SGDClassifier", "SGDRegressor"), "penalty", (1, 4), {"none": None}),
    _values(_SGD, ("SGDClassifier",), "loss", (1, 3), {"log": "log_loss", "squared_loss": "squared_error"}),
    _values(_SGD, ("SGDRegressor",), "loss", (1, 2), {"squared_loss": "squared_error"}),
    _values(_TREE, _TREE_REGRESSORS, "criterion", (1, 2), _REGRESSION),
    _values(_TREE, _TREE_REGRESSORS, "max_features", (1, 3), {"auto": None}),
    _values(_TREE, _TREE_CLASSIFIERS, "max_features", (1, 3), {"auto": "sqrt"}),
    _values(_FOREST, _FOREST_REGRESSORS, "criterion", (1, 2), _REGRESSION),
    _values(_FOREST, _FOREST_REGRESSORS, "max_features", (1, 3), {"auto": 1.0}),
    _values(_FOREST, _FOREST_CLASSIFIERS, "max_features", (1, 3), {"auto": "sqrt"}),
    _values(_GRADIENT, ("GradientBoostingRegressor",), "loss", (1, 2), _BOOSTING),
    _values(_GRADIENT, ("GradientBoostingRegressor",), "max_features", (1, 3), {"auto": None}),
    _values(_GRADIENT, ("GradientBoostingClassifier",), "loss", (1, 3), {"deviance": "log_loss"}),
    _values(_GRADIENT, ("GradientBoostingClassifier",), "max_features", (1, 3), {"auto": "sqrt"}),
    _values(_HIST, ("HistGradientBoostingRegressor",), "loss", (1, 2), _HISTOGRAM),
    _values(_HIST, ("HistGradientBoostingClassifier",), "loss", (1, 3), _CROSS_ENTROPY),
)

_FUNCTIONS = "sklearn.preprocessing._function_transformer"


def accept() -> None:
    """From now on old spellings of estimators' arguments mean today's, and a ``FunctionTransformer`` said to be
    ``"one-to-one"`` may give other columns, as before scikit-learn 1.3.
    """
    for name in {argument.module for argument in _ARGUMENTS}:
        _when_imported(name, _accept_spellings)
    _when_imported(_FUNCTIONS, _accept_other_columns)


def _when_imported(name: str, change: Any) -> None:
    if name in sys.modules:
        change(sys.modules[name])
    else:
        after_import(name, change)


def _accept_spellings(module: Any) -> None:
    refused = [each for each in _ARGUMENTS if each.module == module.__name__ and _release() >= each.refused_since]
    for name in {name for argument in refused for name in argument.classes}:
        estimator = getattr(module, name, None)
        if estimator is not None and not hasattr(estimator.__init__, "__wrapped__"):
            _accept_in(estimator, [each for each in refused if name in each.classes])


def _release() -> tuple[int, int]:
    """Of scikit-learn: ``(1, 5)``."""
    from sklearn import __version__

    major, minor = __version__.split(".")[:2]
    return int(major), int(minor)


def _accept_in(estimator: Any, arguments: list[_Argument]) -> None:
    from functools import wraps

    original = estimator.__init__

    # scikit-learn reads the names of the parameters from the signature, which `wraps` leaves as it was.
    @wraps(original)
    def initialise(self: Any, *args: Any, **named: Any) -> None:
        for argument in arguments:
            if argument.old in named:
                _modernise(estimator.__name__, argument, named)
        original(self, *args, **named)

    estimator.__init__ = initialise


def _modernise(estimator: str, argument: _Argument, named: dict[str, Any]) -> None:
    """Spells one of the arguments as today."""
    from warnings import warn

    old, new, values = argument.old, argument.new, argument.values
    if values is None:
        named[new] = named.pop(old)
        change = f"{old} is called {new}"
    else:
        given = named[old]
        if not isinstance(given, str) or given not in values:
            return
        named[old] = values[given]
        change = f"{old}={given!r} is spelled {values[given]!r}"
    release = ".".join(map(str, argument.refused_since))
    warn(f"{estimator}: {change} since scikit-learn {release}", FutureWarning, stacklevel=3)


def _accept_other_columns(module: Any) -> None:
    from functools import wraps
    from warnings import warn

    transformer = module.FunctionTransformer
    original = transformer.fit
    if hasattr(original, "_accepts_other_columns"):
        return

    @wraps(original)
    def fit(self: Any, X: Any, y: Any = None) -> Any:  # noqa: N803 - the names are scikit-learn's
        fitted = original(self, X, y)
        if getattr(self, "feature_names_out", None) == "one-to-one" and _gives_other_columns(self, X):
            # On the object itself: a model made here is loaded elsewhere, without this module.
            self.feature_names_out = None
            warn(
                'FunctionTransformer: feature_names_out="one-to-one" is not so for a function that changes the columns',
                FutureWarning,
                stacklevel=2,
            )
        return fitted

    fit._accepts_other_columns = True  # type: ignore[attr-defined]
    transformer.fit = fit


def _gives_other_columns(transformer: Any, table: Any) -> bool:
    """Whether the transformer's function makes a table with other columns out of one."""
    if transformer.func is None or not hasattr(table, "columns"):
        return False
    try:
        made = transformer.func(table.copy(), **(transformer.kw_args or {}))
    except Exception:  # noqa: BLE001 - it is raised again where scikit-learn calls it, and told from there
        return False
    return hasattr(made, "columns") and list(made.columns) != list(table.columns)
