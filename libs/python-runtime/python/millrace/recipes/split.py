"""The split step: which row goes to training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from millrace.errors import UserError
from millrace.recipes.row_hash import depends_on_chunks, row_hashes
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import (
    check_classes,
    check_no_missing_target,
    classes_of,
    is_classification,
    target_column,
)
from millrace.recipes.user_functions import UserFunction, user_function

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SPLITS = ("train", "validation", "test")
DEFAULT_RATIOS = (0.75, 0.125, 0.125)
FEWEST_ROWS = 4

_BUCKETS = 1000
_CHUNKS = 10
_CHUNKS_PER_CLASS = 2
_CUSTOM_VALUES = ("TRAINING", "VALIDATION", "TEST")


@dataclass(frozen=True)
class SplitResult:
    """The three tables and what was left out on the way."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    #: Rows without target.
    dropped: int
    #: Rows that the user's post-split function took out.
    filtered: int

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """By name of the split, in the order of `SPLITS`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_frame(data: pd.DataFrame, step: StepInput, config: Mapping[str, Any]) -> SplitResult:
    """Splits the ingested table as `config` (the recipe's `steps.split`) says.

    Membership is that of released MLflow versions, row for row. Raises `UserError` when a setting, the
    target or what a function of `steps/split.py` returned does not serve.
    """
    labels = target_column(data, step.target)
    check_classes(labels, step.task, step.positive_class)
    known = data[labels.notna().to_numpy()]
    if len(known) == 0:
        raise UserError(f"every row misses the target `{step.target}`", "target_col")
    frames = _split(known, step, config)
    kept = _after_split(frames, step, config)
    _check_sizes(kept)
    for name, frame in zip(SPLITS, kept):
        check_no_missing_target(frame[step.target], f"the {name} split", "steps.split")
    filtered = sum(map(len, frames)) - sum(map(len, kept))
    return SplitResult(*kept, dropped=len(data) - len(known), filtered=filtered)


def _split(data: pd.DataFrame, step: StepInput, config: Mapping[str, Any]) -> list[pd.DataFrame]:
    using = config.get("using") or "split_ratios"
    if using == "custom":
        return _custom_split(data, _required_function(step, config))
    if using != "split_ratios":
        raise UserError(
            f"`{using}` is no way to split", "steps.split.using", "use split_ratios or custom"
        )
    ratios = _checked_ratios(config.get("split_ratios"))
    if is_classification(step.task):
        return _split_by_class(data, ratios, step.target)
    return split_by_hash(data, row_hashes(data, _CHUNKS), ratios)


def _required_function(step: StepInput, config: Mapping[str, Any]) -> UserFunction:
    path = "steps.split.split_method"
    method = config.get("split_method")
    if not method:
        raise UserError(
            "a custom split needs the function that does it", path, "name a function of steps/split.py"
        )
    return user_function(step.project, "split", method, path)


def _checked_ratios(ratios: Optional[Sequence[Any]]) -> tuple[float, float, float]:
    given = DEFAULT_RATIOS if ratios is None else ratios
    numbers = isinstance(given, (list, tuple)) and all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and each > 0 for each in given
    )
    if not numbers or len(given) != 3:
        raise UserError(
            f"must be three positive numbers, found {given!r}", "steps.split.split_ratios"
        )
    return given[0], given[1], given[2]


def split_by_hash(
    data: pd.DataFrame, hashes: np.ndarray, ratios: tuple[float, float, float]
) -> list[pd.DataFrame]:
    """Training, validation and test rows by their hashes, in the order of `data`."""
    buckets = (hashes % _BUCKETS) / _BUCKETS
    total = ratios[0] + ratios[1] + ratios[2]
    end_of_train = ratios[0] / total
    end_of_validation = (ratios[0] + ratios[1]) / total
    train = buckets < end_of_train
    test = buckets >= end_of_validation
    return [data[train], data[~train & ~test], data[test]]


def _split_by_class(
    data: pd.DataFrame, ratios: tuple[float, float, float], target: str
) -> list[pd.DataFrame]:
    """Each class by itself, one class after the other: membership as without, another order of rows."""
    import numpy as np
    import pandas as pd

    labels = data[target]
    codes = pd.Categorical(labels, categories=classes_of(labels)).codes
    order = np.argsort(codes, kind="stable")
    ordered = data.iloc[order]
    if not depends_on_chunks(data):
        return split_by_hash(ordered, row_hashes(ordered, 1), ratios)
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    starts = [0, *ends, len(ordered)]
    hashes = [
        row_hashes(ordered.iloc[start:end], _CHUNKS_PER_CLASS)
        for start, end in zip(starts, starts[1:])
    ]
    return split_by_hash(ordered, np.concatenate(hashes), ratios)


def _custom_split(data: pd.DataFrame, function: UserFunction) -> list[pd.DataFrame]:
    import pandas as pd

    assigned = function(data.copy())
    if not isinstance(assigned, pd.Series):
        raise function.error(
            f"returned {_kind(assigned)}, not a Series", "return a pandas Series with one value per row"
        )
    if len(assigned) != len(data):
        raise function.error(f"returned {len(assigned)} values for {len(data)} rows")
    values = _aligned(assigned, data, function).astype(object)
    wrong = values[~values.isin(_CUSTOM_VALUES)].unique()
    if len(wrong) > 0:
        shown = ", ".join(repr(each) for each in wrong[:5])
        raise function.error(
            f"returned values that are no split: {shown}", f"the splits are {', '.join(_CUSTOM_VALUES)}"
        )
    return [data[(values == each).to_numpy()].reset_index(drop=True) for each in _CUSTOM_VALUES]


def _aligned(assigned: pd.Series, data: pd.DataFrame, function: UserFunction) -> pd.Series:
    """The series in the order of the data's rows: by label, as MLflow aligned it, where labels differ."""
    if assigned.index.equals(data.index):
        return assigned
    if not assigned.index.is_unique or not data.index.is_unique:
        raise function.error(
            "returned a Series whose index is not that of the data", "build it with index=df.index"
        )
    return assigned.reindex(data.index)


def _after_split(
    frames: list[pd.DataFrame], step: StepInput, config: Mapping[str, Any]
) -> list[pd.DataFrame]:
    """`post_split_method` over all three, or else `post_split_filter_method` over the training rows."""
    process, keep = config.get("post_split_method"), config.get("post_split_filter_method")
    if process:
        path = "steps.split.post_split_method"
        return _processed(frames, user_function(step.project, "split", process, path))
    if keep:
        path = "steps.split.post_split_filter_method"
        function = user_function(step.project, "split", keep, path)
        return [_filtered(frames[0], function), *frames[1:]]
    return frames


def _processed(frames: list[pd.DataFrame], function: UserFunction) -> list[pd.DataFrame]:
    import pandas as pd

    returned = function(*(frame.copy() for frame in frames))
    if not isinstance(returned, (tuple, list)) or len(returned) != 3:
        raise function.error(
            f"returned {_kind(returned)}", "return the three tables: (train, validation, test)"
        )
    for name, before, after in zip(SPLITS, frames, returned):
        if not isinstance(after, pd.DataFrame):
            raise function.error(f"returned {_kind(after)} as {name} split, not a DataFrame")
        if list(before.columns) != list(after.columns):
            raise function.error(
                f"changed the columns of the {name} split: {_column_changes(before, after)}",
                "it may take rows out; columns are the transformer's to change",
            )
    return list(returned)


def _column_changes(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """What became of the columns: ``took away a, b; added c``."""
    lost = [str(name) for name in before.columns if name not in after.columns]
    new = [str(name) for name in after.columns if name not in before.columns]
    parts = [f"{verb} {_some(names)}" for verb, names in (("took away", lost), ("added", new)) if names]
    return "; ".join(parts) or "their order is another"


def _some(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _filtered(frame: pd.DataFrame, function: UserFunction) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    keep = function(frame.copy())
    if not isinstance(keep, (pd.Series, np.ndarray, list)) or len(keep) != len(frame):
        size = f" of {len(keep)} values" if hasattr(keep, "__len__") else ""
        raise function.error(
            f"returned {_kind(keep)}{size} for {len(frame)} rows",
            "return a Series of True (keep) and False with the index of the data",
        )
    mask = _aligned(keep, frame, function) if isinstance(keep, pd.Series) else pd.Series(keep)
    if mask.isna().any() or not all(isinstance(each, (bool, np.bool_)) for each in mask.unique()):
        raise function.error(
            "returned values other than True and False", "return one boolean per row, True to keep it"
        )
    return frame[mask.to_numpy(dtype=bool)]


def _check_sizes(frames: Sequence[pd.DataFrame]) -> None:
    if min(map(len, frames)) >= FEWEST_ROWS:
        return
    sizes = ", ".join(f"{name} {len(frame)}" for name, frame in zip(SPLITS, frames))
    raise UserError(
        f"every split needs at least {FEWEST_ROWS} rows, but the rows are: {sizes}",
        "steps.split",
        "take more data, or other split_ratios",
    )


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
