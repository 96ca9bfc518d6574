"""The model."""

from typing import Any, Dict, Optional

from xgboost import XGBClassifier


def estimator_fn(estimator_params: Optional[Dict[str, Any]] = None):
    """Boosted trees. Labels reach them as 0 and 1, and are turned back in the predictions."""
    return XGBClassifier(random_state=42, n_jobs=2, eval_metric="logloss", **(estimator_params or {}))
