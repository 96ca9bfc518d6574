"""What to do about errors that users meet often."""

from __future__ import annotations

import os
import re
import sys
from typing import Optional

#: Modules whose distribution has another name.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

#: What newer releases of the libraries took away, as old step functions still use it.
_REMOVED = (
    (
        re.compile(r"unexpected keyword argument 'squared'"),
        "scikit-learn 1.6 took `squared` away: use `root_mean_squared_error`, or pin `scikit-learn<1.6` in requirements.txt.",
    ),
    (
        re.compile(r"'(?:DataFrame|Series)' object has no attribute '(?:append|iteritems)'"),
        "pandas 2 took it away: use `pandas.concat` or `items`, or pin `pandas<2` in requirements.txt.",
    ),
    (
        re.compile(r"module 'numpy' has no attribute '(?:float|int|bool|object|str)'"),
        "NumPy 1.24 took it away: use the Python type of the same name, or pin `numpy<1.24` in requirements.txt.",
    ),
    (
        re.compile(r"XGB\w+\.fit\(\) got an unexpected keyword argument '(?:callbacks|early_stopping_rounds)'"),
        "XGBoost 2.1 took it away: pin `xgboost<2.1` in requirements.txt, or a newer `flaml` where that passes it.",
    ),
    (
        re.compile(r"LGBM\w+\.fit\(\) got an unexpected keyword argument '(?:early_stopping_rounds|verbose)'"),
        "LightGBM 4 took it away: use its callbacks, or pin `lightgbm<4` in requirements.txt.",
    ),
    (
        re.compile(r"No module named 'mlflow\.(?:recipes|pipelines)'"),
        "MLflow 3 no longer has it; Millrace brings it in its own environments: run it with `millrace recipes`.",
    ),
)


def hint_for(error: BaseException, text: str) -> Optional[str]:
    """A sentence that says what to do about an exception whose text is ``text``, when it is a known one."""
    for pattern, hint in _REMOVED:
        if pattern.search(text):
            return hint
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing_module(error.name)
    return None


def _missing_module(name: str) -> str:
    top = name.split(".")[0]
    if _is_the_users(top):
        return f"`{name}` is not among the project's files: look at its spelling and whether it was uploaded."
    return f"Add `{_DISTRIBUTIONS.get(top, top)}` to requirements.txt."


def _is_the_users(top: str) -> bool:
    cwd = os.getcwd()
    return os.path.isdir(os.path.join(cwd, top)) or os.path.isfile(os.path.join(cwd, f"{top}.py")) or top in sys.modules
