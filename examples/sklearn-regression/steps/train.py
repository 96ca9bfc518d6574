"""The model."""

from typing import Any, Dict, Optional

from sklearn.linear_model import Ridge


def estimator_fn(estimator_params: Optional[Dict[str, Any]] = None):
    """A linear model; `alpha` says how far it is held back, and is searched for."""
    return Ridge(random_state=42, **(estimator_params or {}))
