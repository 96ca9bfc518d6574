"""Recipes from Python: what ``mlflow.recipes.Recipe`` was.

    from millrace import Recipe

    recipe = Recipe(profile="local")
    recipe.run()
    recipe.get_artifact("model").predict(rows)
"""

from __future__ import annotations

import os
import warnings
from typing import Any, Optional

from millrace.client.artifacts import load_artifact
from millrace.client.command import Answer, run_command
from millrace.client.errors import MillraceRecipeError
from millrace.client.pages import in_notebook, show_page
from millrace.client.project import check_profile, find_root, kind_of, name_of

__all__ = ["ClassificationRecipe", "MillraceRecipeError", "Recipe", "RegressionRecipe"]

#: Where MLflow looked for a profile that is not named.
_PROFILE_VARIABLES = ("MLFLOW_RECIPES_PROFILE", "MLFLOW_PIPELINES_PROFILE")


class Recipe:
    """The recipe of the project that the working directory lies in.

    It is run by a Millrace: the one that ``MILLRACE_URL`` names, the one that runs in the project or on its usual
    address, else one that is started and keeps running.

    :param profile: file in ``profiles/`` that fills the recipe's variables; default: ``MLFLOW_RECIPES_PROFILE`` or
        ``MLFLOW_PIPELINES_PROFILE``, else none.
    :raises MillraceRecipeError: there is no recipe here, or no such profile.
    """

    def __new__(cls, profile: Optional[str] = None) -> Recipe:
        if cls is not Recipe:
            return super().__new__(cls)
        return super().__new__(_KINDS.get(kind_of(find_root()) or "", Recipe))

    def __init__(self, profile: Optional[str] = None) -> None:
        self._root = find_root()
        self._profile = profile or next((os.environ[name] for name in _PROFILE_VARIABLES if os.environ.get(name)), None)
        check_profile(self._root, self._profile)

    @property
    def name(self) -> str:
        """Name of the recipe: that of its directory unless it has one of its own."""
        return name_of(self._root)

    @property
    def profile(self) -> Optional[str]:
        """Profile that it is run with."""
        return self._profile

    def run(self, step: Optional[str] = None) -> None:
        """Runs the recipe up to a step, and tells what happens meanwhile. What did not change since is reused.

        :param step: the last step to run; default ``register``.
        :raises MillraceRecipeError: a step failed, or the recipe is wrong.
        """
        answer = self._millrace("run", *_option("--step", step), "--progress")
        steps = (answer.document or {}).get("steps", [])
        if in_notebook():
            self._show_last_card(steps)
        failed = next((each for each in steps if each["state"] == "STEP_STATE_FAILED"), None)
        if failed is not None:
            raise _step_error(failed, answer)
        _raise_for(answer)

    def inspect(self, step: Optional[str] = None) -> None:
        """Shows the card of a step, or the graph of the recipe with the state of each step. A step that was never run
        is told, and no error.

        :param step: the step; default: the graph.
        """
        answer = self._millrace("inspect", *_option("--step", step), "--no-open")
        if (answer.error or {}).get("code") == "not_found":
            print(answer.error["message"])
            return
        _raise_for(answer)
        show_page(answer.document["path"])

    def get_artifact(self, artifact_name: str) -> Any:
        """What a step made, loaded: tables as DataFrames, ``model`` as a model with ``predict``, ``transformer`` as the
        fitted object, ``run`` and ``registered_model_version`` as MLflow knows them, ``best_parameters`` as YAML text.

        :returns: ``None``, with a warning, when the step was not run, failed, or made no such thing.
        :raises MillraceRecipeError: no recipe has such an artifact.
        """
        answer = self._millrace("get-artifact", "--artifact", artifact_name)
        if (answer.error or {}).get("code") in ("not_found", "failed_precondition"):
            warnings.warn(f"{artifact_name}: {answer.error['message']}", stacklevel=2)
            return None
        _raise_for(answer)
        return load_artifact(artifact_name, answer.document["path"], self._root)

    def clean(self, step: Optional[str] = None) -> None:
        """Has the next run do a step anew, or all of them. What was tracked stays.

        :param step: the step; default: all.
        """
        _raise_for(self._millrace("clean", *_option("--step", step)))

    def _millrace(self, command: str, *options: str) -> Answer:
        return run_command(
            ["recipes", command, *_option("--profile", self._profile), *options], str(self._root), _tell
        )

    def _show_last_card(self, steps: list[dict[str, Any]]) -> None:
        """Of the last step that did something, as MLflow did after a run."""
        done = [each for each in steps if each["state"] in ("STEP_STATE_SUCCEEDED", "STEP_STATE_FAILED")]
        cards = [each for each in done if any(output["kind"] == "card" for output in each["outputs"])]
        if cards:
            self.inspect(cards[-1]["name"])


class RegressionRecipe(Recipe):
    """A recipe of the kind ``regression/v1``."""


class ClassificationRecipe(Recipe):
    """A recipe of the kind ``classification/v1``."""


_KINDS: dict[str, type[Recipe]] = {"classification": ClassificationRecipe, "regression": RegressionRecipe}


def _option(name: str, value: Optional[str]) -> tuple[str, ...]:
    return () if value is None else (name, value)


def _tell(line: str) -> None:
    print(line, flush=True)


def _step_error(step: dict[str, Any], answer: Answer) -> MillraceRecipeError:
    error = step.get("error") or {}
    return MillraceRecipeError(
        error.get("message", "it failed"),
        step=step["name"],
        hint=error.get("hint") or (answer.error or {}).get("hint"),
        code=error.get("code", "internal"),
        run=answer.document["id"],
        violations=error.get("violations", ()),
        stack=error.get("stack"),
    )


def _raise_for(answer: Answer) -> None:
    """:raises MillraceRecipeError: the command line ended with an error."""
    if answer.code == 0:
        return
    error = answer.error or {}
    raise MillraceRecipeError(
        error.get("message", f"millrace ended with code {answer.code}"),
        hint=error.get("hint"),
        code=error.get("code", "internal"),
        violations=error.get("violations", ()),
    )
