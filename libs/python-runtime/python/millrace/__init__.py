"""Millrace inside a project's Python environment.

Importing this package must stay cheap: every worker process does it before anything else. ``Recipe`` and its error are
loaded when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millrace.client.errors import MillraceRecipeError as MillraceRecipeError
    from millrace.recipe import Recipe as Recipe

__all__ = ["MillraceRecipeError", "Recipe"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from millrace import recipe

        return getattr(recipe, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
