"""Makes the estimator."""
from typing import Any, Dict


def estimator_fn(estimator_params: Dict[str, Any] = None) -> Any:
    """Returns an *unfitted* estimator."""
    from sklearn.linear_model import SGDRegressor

    if estimator_params is None:
        estimator_params = {}
    return SGDRegressor(random_state=42, **estimator_params)
