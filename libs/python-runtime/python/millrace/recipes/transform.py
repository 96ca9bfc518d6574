"""The transform step: fits the user's transformer and applies it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import check_classes, check_no_missing_target, target_column
from millrace.recipes.user_functions import UserFunction, has_method, user_function

if TYPE_CHECKING:
    import pandas as pd

_METHOD = "steps.transform.transformer_method"
#: A sparse result is written densely, up to so many bytes.
_LARGEST_DENSE = 4 * 1024**3


def new_transformer(
    step: StepInput, config: Mapping[str, Any]
) -> tuple[Any, Optional[UserFunction]]:
    """The unfitted transformer and the function that made it; the identity when the recipe names none."""
    using = config.get("using") or "custom"
    if using != "custom":
        raise UserError(
            f"`{using}` is no way to transform", "steps.transform.using", "use custom, or leave it out"
        )
    method = config.get("transformer_method")
    if not method:
        return _identity(), None
    function = user_function(step.project, "transform", method, _METHOD)
    transformer = function()
    if transformer is None:
        return _identity(), None
    for needed in ("fit", "transform"):
        if not has_method(transformer, needed):
            raise function.error(
                f"returned a {type(transformer).__name__}, which has no `{needed}` method",
                "return an unfitted transformer as scikit-learn's, or None to change nothing",
            )
    return transformer, function


def _identity() -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    # As MLflow's, but with names, so that column names survive what follows.
    identity = FunctionTransformer(feature_names_out="one-to-one")
    return Pipeline(steps=[("identity", identity)])


def fit_transformer(transformer: Any, train: pd.DataFrame, step: StepInput) -> None:
    """Fits it on the features and target of the training split, of which it gets copies."""
    labels = target_column(train, step.target)
    check_classes(labels, step.task, step.positive_class)
    check_no_missing_target(labels, "the training split")
    transformer.fit(train.drop(columns=[step.target]), labels.copy())


def transform_frame(
    transformer: Any, frame: pd.DataFrame, target: str, function: Optional[UserFunction]
) -> pd.DataFrame:
    """The transformed features with the target put back as the last column."""
    features = frame.drop(columns=[target])
    returned = transformer.transform(features.copy())
    transformed = _as_frame(returned, transformer, list(features.columns), function)
    if len(transformed) != len(frame):
        raise _transformer_error(
            function, f"gave {len(transformed)} rows for {len(frame)}: it may not drop or add rows"
        )
    if target in transformed.columns:
        raise _transformer_error(function, f"gave a feature named as the target, `{target}`")
    return transformed.assign(**{target: frame[target].to_numpy()})


def _as_frame(
    returned: Any, transformer: Any, names: Sequence[str], function: Optional[UserFunction]
) -> pd.DataFrame:
    import pandas as pd

    if isinstance(returned, pd.DataFrame):
        # A copy, as a transformer may return what it was given.
        return _dense_frame(returned, function).copy()
    values = _dense_array(returned, function)
    columns = _feature_names(transformer, values.shape[1], names)
    return pd.DataFrame(values, columns=columns)


def _dense_frame(frame: pd.DataFrame, function: Optional[UserFunction]) -> pd.DataFrame:
    import pandas as pd

    sparse = [each for each in frame.columns if isinstance(frame[each].dtype, pd.SparseDtype)]
    _check_dense_size(len(frame), len(sparse), 8, function)
    return frame.astype({each: frame[each].dtype.subtype for each in sparse}) if sparse else frame


def _dense_array(returned: Any, function: Optional[UserFunction]) -> Any:
    import numpy as np
    from scipy import sparse

    if sparse.issparse(returned):
        _check_dense_size(*returned.shape, returned.dtype.itemsize, function)
        returned = returned.toarray()
    values = np.asarray(returned)
    if values.ndim != 2:
        raise _transformer_error(
            function,
            f"gave {_shape(returned, values)}, not a table with one row per row that it was given",
        )
    return values


def _shape(returned: Any, values: Any) -> str:
    if returned is None:
        return "nothing"
    return f"a {type(returned).__name__} of {values.ndim} dimensions"


def _check_dense_size(
    rows: int, columns: int, item_size: int, function: Optional[UserFunction]
) -> None:
    if rows * columns * item_size > _LARGEST_DENSE:
        raise _transformer_error(
            function,
            f"gave a sparse table of {rows} rows and {columns} columns, which is too large to be written "
            "densely",
            "reduce the features, for example with min_frequency or max_features",
        )


def _transformer_error(
    function: Optional[UserFunction], problem: str, hint: Optional[str] = None
) -> UserError:
    if function is None:
        return UserError(f"the transformer {problem}", _METHOD, hint)
    return function.error(f"returned a transformer that {problem}", hint)


def _feature_names(transformer: Any, count: int, inputs: Sequence[str]) -> list[str]:
    """`get_feature_names_out`, else `f_<i>` with as many digits as MLflow gave them."""
    try:
        names = [str(name) for name in transformer.get_feature_names_out(inputs)]
    except Exception:  # noqa: BLE001 - what it raises depends on the transformer; MLflow falls back alike
        names = []
    if len(names) == count:
        return names
    digits = len(str(count))
    return [f"f_{i:0{digits}d}" for i in range(count)]


def describe(transformer: Any) -> str:
    """The transformer as text, the same in every process."""
    return without_addresses(repr(transformer))


def without_addresses(text: str) -> str:
    """`<function f at 0x7f…>` becomes `<function f>`, which is the same in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)
