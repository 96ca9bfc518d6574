"""Rebalancing of binary training data, as MLflow did it, but seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from millrace.errors import UserError
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import classes_of

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ROWS = 5000
DEFAULT_MINORITY = 0.3


def applies(train: pd.DataFrame, step: StepInput, config: Mapping[str, Any]) -> bool:
    """Binary classification with more than 5000 rows, unless `rebalance_training_data` is false."""
    return (
        step.task == "classification/binary"
        and config.get("rebalance_training_data", True) is not False
        and len(train) > FEWEST_ROWS
        and len(classes_of(train[step.target])) == 2
    )


def class_weights(labels: pd.Series) -> dict[Any, float]:
    """Balanced weights: rows / (classes × rows of the class)."""
    classes = classes_of(labels)
    return {
        label.item() if hasattr(label, "item") else label: len(labels)
        / (len(classes) * int((labels == label).sum()))
        for label in classes
    }


def rebalanced(train: pd.DataFrame, step: StepInput, config: Mapping[str, Any]) -> pd.DataFrame:
    """Takes rows of the majority class out until the minority has `resampling_minority_percentage`, and
    shuffles; the same rows when it has as much already.
    """
    import pandas as pd

    share = _minority_share(config)
    is_positive = train[step.target] == step.positive_class
    positive, negative = train[is_positive], train[~is_positive]
    fewer, more = (negative, positive) if len(positive) > len(negative) else (positive, negative)
    if len(fewer) / len(train) >= share:
        return train
    kept = int(len(fewer) * (1 - share) / share)
    sampled = more.sample(kept, random_state=step.seed)
    return pd.concat([fewer, sampled]).sample(frac=1, random_state=step.seed)


def _minority_share(config: Mapping[str, Any]) -> float:
    share = config.get("resampling_minority_percentage", DEFAULT_MINORITY)
    number = isinstance(share, (int, float)) and not isinstance(share, bool)
    if not number or not 0 < share < 1:
        raise UserError(
            f"must be a number between 0 and 1, found {share!r}",
            "steps.train.resampling_minority_percentage",
        )
    return float(share)
