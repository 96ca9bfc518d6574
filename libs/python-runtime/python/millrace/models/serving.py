"""A loaded model as Millrace serves it: a table of raw features in, labels and scores or numbers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from millrace.errors import UserError
from millrace.models.classes import class_text
from millrace.models.load import load_predictor

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

#: How a model that answers with bare numbers means them.
LABELS, PROBABILITIES, POSITIVE_PROBABILITY = "labels", "probabilities", "positive_probability"

_INNER_MODELS = ("sklearn_model", "xgb_model", "lgb_model")
_INTEGERS = {"integer": "int32", "long": "int64"}
_NUMBERS = {"float": "float32", "double": "float64"}


class ServedModel:
    """A model directory, loaded. Unpickles: only in a worker.

    :param directory: of the model.
    :param signature: ``{columns: [{name, type}]}`` in MLflow's types, ``{tensor: dtype}`` for a model that takes one
        matrix, ``{tensors: [{name, dtype}]}`` for one that takes columns by name, or empty when the model says nothing.
    :param task: ``regression`` or ``classification``.
    :param classes: as text, in the order in which scores are wanted; ``None`` takes the model's own.
    :param output: what bare numbers of a classifier are; see above.
    """

    def __init__(
        self,
        directory: str,
        signature: Dict[str, Any],
        task: str,
        classes: Optional[Sequence[str]] = None,
        output: str = LABELS,
    ) -> None:
        self._signature = signature
        self._task = task
        self._output = output
        self.predictor = load_predictor(directory)
        self.raw = raw_model(self.predictor)
        own = model_classes(self.raw)
        self._own_classes = own
        self.classes: List[str] = list(classes) if classes is not None else own or []

    def predict(self, table: pa.Table) -> pa.Table:
        """``prediction``, or ``label`` and ``score_<i>`` for each class where the model gives scores."""
        import pyarrow as pa

        features = self.features_of(table)
        answer = self.predictor.predict(features)
        if self._task == "regression":
            return pa.table({"prediction": pa.array(numbers(answer), pa.float64())})
        labels, scores = self._classification(features, answer)
        columns: Dict[str, Any] = {"label": pa.array(labels, pa.string())}
        for position in range(0 if scores is None else len(self.classes)):
            columns[f"score_{position}"] = pa.array(scores[:, position], pa.float64())
        return pa.table(columns)

    def features_of(self, table: pa.Table) -> Any:
        """The table as the model takes it: a DataFrame of the signature's types, or a matrix."""
        if "tensor" in self._signature:
            return table.to_pandas().to_numpy(dtype=self._signature["tensor"])
        if "tensors" in self._signature:
            frame = table.to_pandas()
            return {
                each["name"]: frame[each["name"]].to_numpy(dtype=each["dtype"]).reshape(each["shape"])
                for each in self._signature["tensors"]
            }
        return to_frame(table, self._signature.get("columns"))

    def _classification(self, features: Any, answer: Any) -> Any:
        import numpy as np

        if hasattr(answer, "columns") and _label_column(answer) is not None:
            return self._from_recipe(answer)
        if self._output == LABELS:
            labels = [class_text(value) for value in flat(answer)]
            return labels, self._own_scores(features)
        scores = np.asarray(getattr(answer, "to_numpy", lambda: answer)(), dtype="float64")
        if self._output == POSITIVE_PROBABILITY:
            positive = scores.reshape(-1)
            scores = np.column_stack([1 - positive, positive])
        if scores.ndim != 2 or scores.shape[1] != len(self.classes):
            raise UserError(f"the model answers with {scores.shape}, not with a column for each of {self.classes}")
        return [self.classes[position] for position in scores.argmax(axis=1)], scores

    def _from_recipe(self, answer: pd.DataFrame) -> Any:
        """`<prefix>label` and `<prefix>score_<class>`, as models of recipes answer with scores."""
        label = _label_column(answer)
        prefix = label[: -len("label")]
        labels = [class_text(value) for value in answer[label]]
        given = {
            name[len(prefix) + len("score_") :]: name for name in answer.columns if name.startswith(f"{prefix}score_")
        }
        by_text = {_plain_text(name): column for name, column in given.items()}
        missing = [name for name in self.classes if name not in by_text]
        if missing:
            raise UserError(f"the model gives no score for the classes {', '.join(missing)}")
        return labels, answer[[by_text[name] for name in self.classes]].to_numpy(dtype="float64")

    def _own_scores(self, features: Any) -> Optional[np.ndarray]:
        import numpy as np

        if self._own_classes is None or not hasattr(self.raw, "predict_proba"):
            return None
        if any(name not in self._own_classes for name in self.classes):
            return None
        scores = np.asarray(self.raw.predict_proba(features), dtype="float64")
        return scores[:, [self._own_classes.index(name) for name in self.classes]]


def raw_model(predictor: Any) -> Any:
    """What is inside a loaded pyfunc model: the estimator, when it has one to show."""
    for take in ("get_raw_model", "unwrap_python_model"):
        try:
            return getattr(predictor, take)()
        except Exception:  # each flavour refuses in its own way
            continue
    # Older MLflow and models of recipes.
    inner = getattr(predictor, "_model", None) or getattr(predictor, "_model_impl", None)
    if hasattr(inner, "get_raw_model"):
        return inner.get_raw_model()
    return next((getattr(inner, name) for name in _INNER_MODELS if hasattr(inner, name)), None)


def model_classes(raw: Any) -> Optional[List[str]]:
    """The classes of a scikit-learn-like classifier as text; ``None`` for anything else."""
    import numpy as np

    classes = getattr(raw, "classes_", None)
    if classes is None or np.ndim(classes) != 1:
        return None
    return [class_text(value) for value in classes]


def numbers(answer: Any) -> np.ndarray:
    """One number per row out of whatever a model answered."""
    import numpy as np

    values = np.asarray(flat(answer))
    try:
        return values.astype("float64")
    except (TypeError, ValueError):
        raise UserError(f"the model answers with {values.dtype}, not with numbers") from None


def flat(answer: Any) -> np.ndarray:
    """The only column of an answer. :raises UserError: when it has several."""
    import numpy as np

    if isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
    if isinstance(answer, list) and len(answer) == 1 and np.ndim(answer[0]) > 0:
        answer = answer[0]
    values = np.asarray(getattr(answer, "to_numpy", lambda: answer)())
    if values.ndim > 1 and values.size != values.shape[0]:
        raise UserError(f"the model answers with {values.shape[1]} columns where one is expected")
    return values.reshape(-1)


def to_frame(table: pa.Table, columns: Optional[Sequence[Dict[str, Any]]]) -> pd.DataFrame:
    """The table as pandas, each column in the type that the signature gives it (MLflow's words)."""
    frame = table.to_pandas()
    if columns is None:
        return frame
    frame = frame[[column["name"] for column in columns]].copy()
    for column in columns:
        name, kind = column["name"], column["type"]
        frame[name] = _cast(frame[name], kind)
    return frame


def _cast(values: pd.Series, kind: str) -> pd.Series:
    if kind in _NUMBERS:
        return values.astype(_NUMBERS[kind])
    if kind in _INTEGERS:
        # A missing value leaves no other type than float, as in the data that it was trained on.
        return values.astype("float64" if values.isna().any() else _INTEGERS[kind])
    if kind == "boolean" and not values.isna().any():
        return values.astype("bool")
    if kind == "datetime":
        # Times arrive in UTC; models were trained on times without a zone.
        return values.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[ns]")
    return values


def _label_column(answer: pd.DataFrame) -> Optional[str]:
    found = [name for name in map(str, answer.columns) if name.endswith("label")]
    if len(found) != 1:
        return None
    prefix = found[0][: -len("label")]
    return found[0] if any(str(name).startswith(f"{prefix}score_") for name in answer.columns) else None


def _plain_text(name: str) -> str:
    """A class in the name of a column, as Python prints it, as `class_text` writes it."""
    if name in ("True", "False"):
        return name.lower()
    return name[:-2] if name.endswith(".0") and name[:-2].lstrip("-").isdigit() else name
