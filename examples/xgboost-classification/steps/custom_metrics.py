"""Metrics of our own: `custom_metrics` in recipe.yaml names them."""

from typing import Dict

from pandas import DataFrame


def missed_share(eval_df: DataFrame, builtin_metrics: Dict[str, float]) -> float:
    """Share of the malignant tumours that are taken for benign, 0 to 1."""
    malignant = builtin_metrics["false_negatives"] + builtin_metrics["true_positives"]
    return builtin_metrics["false_negatives"] / malignant if malignant else 0.0
