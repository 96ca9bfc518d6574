"""Millrace inside a project's Python environment.

Importing this package must stay cheap: every worker process does it before anything else. ``Recipe`` is loaded when it
is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millrace.recipe import Recipe as Recipe

__all__ = ["Recipe"]


def __getattr__(name: str) -> Any:
    if name == "Recipe":
        from millrace.recipe import Recipe

        return Recipe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
