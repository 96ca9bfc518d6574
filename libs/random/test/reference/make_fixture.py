"""Draws of numpy's RandomState, the reference of `createRandom`. Writes numpy.json beside itself."""

import json
from pathlib import Path

import numpy as np

out = {
    "numpy": np.__version__,
    "uniforms": [
        {"seed": seed, "values": [float(value) for value in np.random.RandomState(seed).random_sample(5)]}
        for seed in (0, 42, 2**32 - 1)
    ],
}
Path(__file__).with_name("numpy.json").write_text(json.dumps(out, indent=2) + "\n")
