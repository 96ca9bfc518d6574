"""Checks of the target column that several steps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from millrace.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def is_classification(task: str) -> bool:
    """`task` is `regression`, `classification/binary` or `classification/multiclass`."""
    return task.startswith("classification")


def target_column(frame: pd.DataFrame, target: str) -> pd.Series:
    """The target; raises `UserError` when the table has none."""
    if target not in frame.columns:
        columns = [str(name) for name in frame.columns]
        shown = ", ".join(columns[:20]) + (" …" if len(columns) > 20 else "")
        raise UserError(
            f"the target column `{target}` is not in the data", "target_col", f"its columns are {shown}"
        )
    return frame[target]


def classes_of(labels: pd.Series) -> np.ndarray:
    """The distinct labels, sorted as numpy sorts them; missing ones do not count."""
    import numpy as np

    values = labels.dropna().to_numpy(dtype=object if labels.dtype.kind == "O" else None)
    try:
        return np.unique(values)
    except TypeError as error:
        kinds = sorted({type(each).__name__ for each in values})
        raise UserError(
            f"the target column `{labels.name}` mixes values of different types: {', '.join(kinds)}",
            "target_col",
            "give all labels one type where the data is loaded",
        ) from error


def check_classes(labels: pd.Series, task: str, positive_class: Any) -> None:
    """Whether the labels suit a classification recipe. Does nothing for regression."""
    if not is_classification(task):
        return
    classes = classes_of(labels)
    if len(classes) < 2:
        raise UserError(
            f"classification needs at least two classes, but `{labels.name}` has {len(classes)}",
            "target_col",
        )
    if positive_class is None and len(classes) == 2:
        raise UserError(
            f"`{labels.name}` has two classes, but the recipe has no `positive_class`",
            "positive_class",
            f"add `positive_class`: {classes[0]!s} or {classes[1]!s}",
        )
    if positive_class is not None:
        _check_positive_class(labels, classes, positive_class)


def _check_positive_class(labels: pd.Series, classes: np.ndarray, positive_class: Any) -> None:
    if len(classes) != 2:
        raise UserError(
            f"`positive_class` makes this a binary classification, but `{labels.name}` has "
            f"{len(classes)} classes",
            "positive_class",
            "leave `positive_class` out for more than two classes",
        )
    if not any(each == positive_class for each in classes):
        found = " and ".join(f"{each!s} ({_kind(each)})" for each in classes)
        raise UserError(
            f"`positive_class` {positive_class!s} ({_kind(positive_class)}) is no class of "
            f"`{labels.name}`, which has {found}",
            "positive_class",
            "mind the type: 1 and '1' are different classes",
        )


def _kind(value: Any) -> str:
    import numpy as np

    plain = value.item() if isinstance(value, np.generic) else value
    return {bool: "boolean", int: "number", float: "number", str: "text"}.get(
        type(plain), type(plain).__name__
    )


def check_no_missing_target(
    labels: pd.Series, where: str, path: Optional[str] = None, hint: Optional[str] = None
) -> None:
    """Raises `UserError` when the target misses values; `where` names the table: `the training split`."""
    missing = int(labels.isna().sum())
    if missing:
        raise UserError(
            f"`{labels.name}` is missing in {missing} of {len(labels)} rows of {where}",
            path or "target_col",
            hint,
        )
