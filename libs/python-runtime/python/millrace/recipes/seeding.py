"""Seeds of the generators that user code draws from when it names none of its own."""

from __future__ import annotations

import random
import sys

_LARGEST_NUMPY_SEED = 2**32


def seed_generators(seed: int) -> None:
    """Seeds Python's, numpy's and, where it is loaded, PyTorch's global generator.

    An estimator without `random_state` draws from numpy's: so the same seed gives the same model.
    """
    import numpy as np

    random.seed(seed)
    np.random.seed(seed % _LARGEST_NUMPY_SEED)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
