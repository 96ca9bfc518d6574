"""Looks whether the functions that a recipe names are there, before anything costly begins."""

from __future__ import annotations

import inspect
from typing import Any

from millrace.worker.user_code import user_function


def main(input: dict[str, Any], context: Any) -> dict[str, Any]:
    """``{functions: [{module, name, path}]}`` → ``{functions: [{module, name, parameters}]}``.

    ``parameters`` are the names that the function takes, ``None`` where it does not tell. Raises for the first that is
    missing, naming its file and the field ``path`` of the recipe.
    """
    found = []
    for wanted in input["functions"]:
        context.activity(f"import of {wanted['module'].replace('.', '/')}.py")
        function = user_function(wanted["module"], wanted["name"], wanted.get("path"))
        found.append({"module": wanted["module"], "name": wanted["name"], "parameters": _parameters(function)})
    return {"functions": found}


def _parameters(function: Any) -> Any:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
