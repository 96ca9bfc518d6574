"""Arguments that old recipes give and newer packages have renamed.

The step functions of most recipes were written for scikit-learn 1.1; what they ask for is still there under another name.
"""

from __future__ import annotations

import sys
from typing import Any

from millrace.worker.after_import import after_import

_ENCODERS = "sklearn.preprocessing._encoders"


def accept() -> None:
    """From now on ``OneHotEncoder(sparse=…)`` means ``sparse_output``, with a warning, as before scikit-learn 1.4."""
    if _ENCODERS in sys.modules:
        _accept_sparse(sys.modules[_ENCODERS])
    else:
        after_import(_ENCODERS, _accept_sparse)


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
