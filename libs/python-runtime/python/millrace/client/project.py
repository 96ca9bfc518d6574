"""A recipe project on this machine, as far as it can be told without reading its recipe."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Optional

from millrace.client.errors import MillraceRecipeError

#: The file that marks the root of a project: today's name and that of MLflow 1.x.
RECIPE_FILES = ("recipe.yaml", "pipeline.yaml")

_KIND = re.compile(r"""^(?:recipe|template)\s*:\s*["']?([a-z]+)/v\d""", re.MULTILINE)
_NAME = re.compile(r"""^name\s*:\s*["']?([^"'#{}\s][^"'#{}\n]*)""", re.MULTILINE)


def find_root(start: Optional[str] = None) -> Path:
    """The nearest directory from ``start`` (default: the working directory) upwards that holds a recipe.

    :raises MillraceRecipeError: there is none.
    """
    directory = Path(start or os.getcwd()).resolve()
    for candidate in (directory, *directory.parents):
        if any((candidate / name).is_file() for name in RECIPE_FILES):
            return candidate
    raise MillraceRecipeError(
        f"no recipe.yaml in {directory} or above it",
        hint="Go to a recipe project, or to a directory below one.",
        code="invalid",
    )


def recipe_text(root: Path) -> str:
    """The recipe as it is written, before its variables are filled in."""
    return next(root / name for name in RECIPE_FILES if (root / name).is_file()).read_text(encoding="utf-8")


def kind_of(root: Path) -> Optional[str]:
    """``regression`` or ``classification``; ``None`` where a variable gives it."""
    found = _KIND.search(recipe_text(root))
    return None if found is None else found.group(1)


def name_of(root: Path) -> str:
    """Name of the recipe: its ``name``, else that of its directory, as MLflow had it."""
    found = _NAME.search(recipe_text(root))
    return root.name if found is None else found.group(1).strip()


def check_profile(root: Path, profile: Optional[str]) -> None:
    """:raises MillraceRecipeError: the profile has no file."""
    if profile is None or (root / "profiles" / f"{profile}.yaml").is_file():
        return
    known = sorted(path.stem for path in (root / "profiles").glob("*.yaml"))
    raise MillraceRecipeError(
        f"profiles/{profile}.yaml does not exist in {root}",
        hint=f"Profiles are {', '.join(known)}." if known else "The project has no profiles.",
        code="invalid",
    )
