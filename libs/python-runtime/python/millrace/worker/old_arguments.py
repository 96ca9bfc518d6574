"""Arguments that old recipes give and newer packages have renamed.

The step functions of most recipes were written for scikit-learn 1.1; what they ask for is still there under another name.
"""

from __future__ import annotations

import sys
from typing import Any

from millrace.worker.after_import import after_import

_ENCODERS = "sklearn.preprocessing._encoders"
_FUNCTIONS = "sklearn.preprocessing._function_transformer"


def accept() -> None:
    """From now on, with a warning:

    - ``OneHotEncoder(sparse=…)`` means ``sparse_output``, as before scikit-learn 1.4;
    - a ``FunctionTransformer`` said to be ``"one-to-one"`` may give other columns, as before scikit-learn 1.3.
    """
    for name, change in ((_ENCODERS, _accept_sparse), (_FUNCTIONS, _accept_other_columns)):
        if name in sys.modules:
            change(sys.modules[name])
        else:
            after_import(name, change)


def _accept_sparse(module: Any) -> None:
    from functools import wraps
    from inspect import signature
    from warnings import warn

    encoder = module.OneHotEncoder
    original = encoder.__init__
    if "sparse" in signature(original).parameters or hasattr(original, "__wrapped__"):
        return

    # scikit-learn reads the names of the parameters from the signature, which `wraps` leaves as it was.
    @wraps(original)
    def initialise(self: Any, *args: Any, **named: Any) -> None:
        if "sparse" in named:
            named["sparse_output"] = named.pop("sparse")
            warn("OneHotEncoder: sparse is called sparse_output since scikit-learn 1.2", FutureWarning, stacklevel=2)
        original(self, *args, **named)

    encoder.__init__ = initialise


def _accept_other_columns(module: Any) -> None:
    from functools import wraps
    from warnings import warn

    transformer = module.FunctionTransformer
    original = transformer.fit
    if hasattr(original, "_accepts_other_columns"):
        return

    @wraps(original)
    def fit(self: Any, X: Any, y: Any = None) -> Any:  # noqa: N803 - the names are scikit-learn's
        fitted = original(self, X, y)
        if getattr(self, "feature_names_out", None) == "one-to-one" and _gives_other_columns(self, X):
            # On the object itself: a model made here is loaded elsewhere, without this module.
            self.feature_names_out = None
            warn(
                'FunctionTransformer: feature_names_out="one-to-one" is not so for a function that changes the columns',
                FutureWarning,
                stacklevel=2,
            )
        return fitted

    fit._accepts_other_columns = True  # type: ignore[attr-defined]
    transformer.fit = fit


def _gives_other_columns(transformer: Any, table: Any) -> bool:
    """Whether the transformer's function makes a table with other columns out of one."""
    if transformer.func is None or not hasattr(table, "columns"):
        return False
    try:
        made = transformer.func(table.copy(), **(transformer.kw_args or {}))
    except Exception:  # noqa: BLE001 - it is raised again where scikit-learn calls it, and told from there
        return False
    return hasattr(made, "columns") and list(made.columns) != list(table.columns)
