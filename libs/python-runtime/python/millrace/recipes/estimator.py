"""The estimator: made by the user's function, fitted on encoded labels, calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from millrace.errors import UserError
from millrace.models.recipe_model import loader_module
from millrace.recipes.frames import json_value
from millrace.recipes.target import classes_of, is_classification
from millrace.recipes.transform import without_addresses
from millrace.recipes.user_functions import UserFunction, has_method

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CALIBRATIONS = ("sigmoid", "isotonic")


def make_estimator(function: UserFunction, params: Mapping[str, Any]) -> Any:
    """Calls the estimator function, with no argument when there are no parameters, else with one dict."""
    estimator = function(dict(params)) if params else function()
    for needed in ("fit", "predict"):
        if not has_method(estimator, needed):
            kind = "nothing" if estimator is None else f"a {type(estimator).__name__}"
            raise function.error(
                f"returned {kind}, which has no `{needed}` method",
                "return an unfitted estimator as scikit-learn's",
            )
    return estimator


def fit_estimator(
    estimator: Any, features: pd.DataFrame, labels: pd.Series, task: str, calibration: Optional[str]
) -> Any:
    """Fits it on copies; the result predicts labels as they stand in the data.

    Without calibration the estimator sees the codes 0, 1, … of the labels, as some demand and as MLflow did.
    With it, the labels themselves: `CalibratedClassifierCV` with its default cross-validation.
    """
    if not is_classification(task):
        estimator.fit(features.copy(), labels.copy())
        return estimator
    if calibration:
        return _calibrated(estimator, features, labels, calibration)
    classes = classes_of(labels)
    estimator.fit(features.copy(), encoded(labels, classes))
    if codes_are_labels(classes):
        return estimator
    return loader_module().LabelDecodingClassifier(estimator, classes)


def _calibrated(
    estimator: Any, features: pd.DataFrame, labels: pd.Series, calibration: str
) -> Any:
    from sklearn.calibration import CalibratedClassifierCV

    if calibration not in CALIBRATIONS:
        raise UserError(
            f"`{calibration}` is no calibration", "steps.train.calibrate_proba", "use sigmoid or isotonic"
        )
    calibrated = CalibratedClassifierCV(estimator, method=calibration)
    return calibrated.fit(features.copy(), labels.copy())


def encoded(labels: pd.Series, classes: np.ndarray) -> pd.Series:
    """The position of each label among the sorted classes, as scikit-learn's `LabelEncoder` gives it."""
    import numpy as np
    import pandas as pd

    values = labels.to_numpy(dtype=classes.dtype)
    return pd.Series(np.searchsorted(classes, values), index=labels.index)


def codes_are_labels(classes: np.ndarray) -> bool:
    """Whether the labels are 0, 1, … already."""
    import numpy as np

    return classes.dtype.kind in "iu" and bool(np.array_equal(classes, np.arange(len(classes))))


def inner_estimator(fitted: Any) -> Any:
    """The user's estimator itself, without what decodes its labels or calibrates it."""
    from sklearn.calibration import CalibratedClassifierCV

    wrappers = (loader_module().LabelDecodingClassifier, CalibratedClassifierCV)
    return fitted.estimator if isinstance(fitted, wrappers) else fitted


def estimator_params(estimator: Any) -> dict[str, Any]:
    """Its parameters as a record can hold them: numbers, booleans and text."""
    get_params = getattr(estimator, "get_params", None)
    if not callable(get_params):
        return {}
    return {name: recorded(value) for name, value in sorted(get_params().items())}


def recorded(value: Any) -> Any:
    """A scalar as it is, anything else as text that is the same in every process."""
    plain = json_value(value)
    if plain is None and value is not None:
        return str(value)
    if isinstance(plain, (list, dict)):
        plain = str(value)
    return without_addresses(plain) if isinstance(plain, str) else plain
