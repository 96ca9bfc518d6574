"""A second form of a trained pipeline, in ONNX, which is served without Python where it predicts the same.

The converters are packages of the user's environment or not there at all; that a model does not convert is never an
error, but a reason that is recorded.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from millrace.models.onnx_estimators import (
    NotConvertible,
    convertible,
    missing_package,
    opset_of,
    register_converter,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Largest difference to the original that is put up with: of probabilities, and of numbers relative to their size
#: where that is above 1.
TOLERANCE = 1e-4
ONNX_FILE = "artifacts/onnx/model.onnx"
PARITY_FILE = "onnx_parity.json"
_MOST_ROWS = 10_000


class _Types(NamedTuple):
    """How numbers go in: with 64 bits or 32, and whole ones as such or like the others."""

    wide: bool
    whole: bool


def convert(
    pipeline: Any, features: pd.DataFrame, held_out: pd.DataFrame, task: str, directory: str
) -> Dict[str, Any]:
    """Writes ``artifacts/onnx/model.onnx`` below `directory` when the pipeline converts and predicts the same.

    :param features: raw training rows: what types the columns have.
    :param held_out: raw rows that the pipeline was not fitted on, which both predict.
    :returns: ``{added, tolerance, rows, worst_difference, reason}``, of which those that apply.
    """
    rows = held_out[list(features.columns)].head(_MOST_ROWS)
    try:
        if rows.empty:
            raise NotConvertible("there are no held-out rows to compare its predictions on")
        content, worst = _best(pipeline, features, rows, task != "regression")
    except NotConvertible as error:
        return {"added": False, "reason": str(error)}
    report = {"tolerance": TOLERANCE, "rows": len(rows), "worst_difference": worst}
    if worst > TOLERANCE:
        return {"added": False, **report, "reason": "its predictions differ from the original's"}
    path = os.path.join(directory, ONNX_FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return {"added": True, **report}


def _best(pipeline: Any, features: pd.DataFrame, rows: pd.DataFrame, classifies: bool) -> Tuple[bytes, float]:
    """The form that is closest to the original: with numbers of 64 bits, else of 32, which some converters want; with
    whole numbers as they are, else as numbers, for those that want all of one type.
    """
    found: List[Tuple[bytes, float]] = []
    problem: Optional[NotConvertible] = None
    for wide, whole in ((True, True), (True, False), (False, True), (False, False)):
        try:
            content = _converted(pipeline, features, _Types(wide, whole), classifies)
            found.append((content, _difference(content, pipeline, rows, classifies)))
        except NotConvertible as error:
            problem = problem or error
            continue
        if found[-1][1] <= TOLERANCE:
            break
    if problem is not None and not found:
        raise problem
    return min(found, key=lambda each: each[1])


def _converted(pipeline: Any, features: pd.DataFrame, types: _Types, classifies: bool) -> bytes:
    try:
        import skl2onnx
    except ImportError as error:
        raise missing_package(error) from None
    final = _as_convertible(pipeline)
    estimator = final.steps[-1][1]
    register_converter(estimator)
    inputs = [(name, _tensor_type(features[name], name, types)) for name in features.columns]
    probabilities = classifies and hasattr(final, "predict_proba")
    options = {id(final): {"zipmap": False}} if probabilities else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = skl2onnx.convert_sklearn(
                final,
                name="model",
                initial_types=inputs,
                options=options,
                target_opset=opset_of(estimator),
            )
    except NotConvertible:
        raise
    except Exception as error:  # converters raise whatever their parts do
        raise NotConvertible(f"it does not convert: {_first_line(error)}") from None
    if probabilities:
        # Labels follow from the probabilities; their codes may be others than the classes.
        del model.graph.output[0]
    return model.SerializeToString()


def _difference(content: bytes, pipeline: Any, rows: pd.DataFrame, classifies: bool) -> float:
    """The largest difference of the two forms' predictions. :raises NotConvertible: when they choose other classes."""
    import numpy as np

    given = _run(content, rows)
    if not classifies:
        expected = np.asarray(pipeline.predict(rows.copy()), dtype="float64").reshape(-1)
        return _largest((given.astype("float64").reshape(-1) - expected) / np.maximum(1, np.abs(expected)))
    if not hasattr(pipeline, "predict_proba"):
        labels = np.asarray(pipeline.predict(rows.copy())).astype(str)
        if (given.reshape(-1).astype(str) == labels).all():
            return 0.0
        raise NotConvertible("it chooses other classes than the original")
    expected = np.asarray(pipeline.predict_proba(rows.copy()), dtype="float64")
    if given.shape != expected.shape:
        raise NotConvertible(f"it answers with {given.shape} where the original does with {expected.shape}")
    worst = _largest(given.astype("float64") - expected)
    chosen = np.asarray(pipeline.classes_)[given.argmax(axis=1)]
    clear = np.abs(expected.max(axis=1) - np.sort(expected, axis=1)[:, -2]) > 2 * TOLERANCE
    same = chosen == np.asarray(pipeline.predict(rows.copy()))
    if not (same | ~clear).all():
        raise NotConvertible("it chooses other classes than the original")
    return worst


def _run(content: bytes, rows: pd.DataFrame) -> np.ndarray:
    import numpy as np

    try:
        import onnxruntime
    except ImportError as error:
        raise missing_package(error) from None
    dtypes = {
        "tensor(double)": "float64",
        "tensor(float)": "float32",
        "tensor(int64)": "int64",
        "tensor(bool)": "bool",
        "tensor(string)": "object",
    }
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        feeds = {
            each.name: rows[each.name].to_numpy(dtype=dtypes[each.type]).reshape(-1, 1) for each in session.get_inputs()
        }
        return np.asarray(session.run(None, feeds)[0])
    except Exception as error:  # of a type that only the runtime knows
        raise NotConvertible(f"ONNX Runtime does not run it: {_first_line(error)}") from None


def _tensor_type(column: pd.Series, name: str, types: _Types) -> Any:
    from skl2onnx.common import data_types

    kind = getattr(column.dtype, "kind", "O")
    shape = [None, 1]
    if kind == "f" or (kind in "iu" and not types.whole and not column.isna().any()):
        return data_types.DoubleTensorType(shape) if types.wide else data_types.FloatTensorType(shape)
    if column.isna().any():
        raise NotConvertible(f"column {name} may be missing, and ONNX knows no missing value of its type")
    if kind in "iu":
        return data_types.Int64TensorType(shape)
    if kind == "b":
        return data_types.BooleanTensorType(shape)
    if kind == "O" and all(isinstance(value, str) for value in column):
        return data_types.StringTensorType(shape)
    raise NotConvertible(f"column {name} is of {column.dtype}, which ONNX does not know")


def _as_convertible(pipeline: Any) -> Any:
    """The pipeline without the step that turns codes into labels, whose probabilities are the same, and with the
    estimator as its converter takes it.
    """
    from sklearn.pipeline import Pipeline

    estimator = pipeline.steps[-1][1]
    if type(estimator).__name__ == "LabelDecodingClassifier":
        estimator = estimator.estimator
    return Pipeline([*pipeline.steps[:-1], ("estimator", convertible(estimator))])


def _largest(differences: np.ndarray) -> float:
    import numpy as np

    worst = float(np.max(np.abs(differences)))
    if worst != worst or worst == float("inf"):
        raise NotConvertible("it answers with what is no finite number")
    return worst


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
