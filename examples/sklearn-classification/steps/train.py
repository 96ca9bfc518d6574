"""The model."""

from typing import Any, Dict, Optional

from sklearn.ensemble import RandomForestClassifier


def estimator_fn(estimator_params: Optional[Dict[str, Any]] = None):
    """A forest of which the same seed makes the same trees."""
    return RandomForestClassifier(n_estimators=200, random_state=42, **(estimator_params or {}))
