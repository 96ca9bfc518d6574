"""Finds the functions that a recipe names in the user's files."""

from __future__ import annotations

import importlib
import os
from typing import Any, Callable, Optional

from millrace.errors import UserError


def user_function(module: str, name: str, path: Optional[str] = None) -> Callable[..., Any]:
    """The function ``name`` of the user's module ``module`` (``steps.train``).

    :param path: the field of the recipe that names it, for the error.
    :raises UserError: when there is no such file, or no such function in it. What the module raises passes through.
    """
    file = module.replace(".", "/") + ".py"
    if not os.path.exists(os.path.join(os.getcwd(), file)):
        raise UserError(f"{file} does not exist, but `{name}` is to come from it", path, f"Create {file} with it.")
    function = getattr(importlib.import_module(module), name, None)
    if callable(function):
        return function
    problem = f"has no function `{name}`" if function is None else f"has `{name}`, which is no function"
    raise UserError(f"{file}: module {problem}", path, f"Define `def {name}(…)` in {file}.")
