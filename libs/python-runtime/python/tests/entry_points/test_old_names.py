"""``mlflow.recipes`` and ``mlflow.pipelines`` beside whichever MLflow is installed, or none."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Optional

import pytest


def installed_mlflow() -> Optional[int]:
    """Major version, or ``None``."""
    for name in ("mlflow", "mlflow-skinny"):
        try:
            return int(version(name).split(".")[0])
        except PackageNotFoundError:
            continue
    return None


MLFLOW = installed_mlflow()
without_mlflow = pytest.mark.skipif(MLFLOW is not None, reason="MLflow is installed here")
with_mlflow_2 = pytest.mark.skipif(MLFLOW != 2, reason="no MLflow 2.x is installed here")
with_mlflow_3 = pytest.mark.skipif(MLFLOW is None or MLFLOW < 3, reason="no MLflow 3 is installed here")
without_recipes = pytest.mark.skipif(MLFLOW == 2, reason="the MLflow that is installed has recipes of its own")

NAMES = (
    "from mlflow.recipes import Recipe; print(Recipe.__module__)\n"
    "from mlflow.recipes.recipe import Recipe as same; print(same is Recipe)\n"
    "from mlflow.recipes.regression.v1.recipe import RegressionRecipe; print(issubclass(RegressionRecipe, Recipe))\n"
    "from mlflow.recipes.classification.v1.recipe import ClassificationRecipe\n"
    "from mlflow.pipelines import Pipeline; print(Pipeline is Recipe)\n"
    "from mlflow.pipelines.regression.v1.pipeline import RegressionPipeline\n"
)


def test_costs_next_to_nothing_at_the_start(python):
    code = "import sys; print([name for name in sys.modules if name.startswith(('millrace', 'mlflow'))])"
    assert python(code).stdout == "['millrace_hook']\n"


@without_recipes
def test_the_old_names_lead_to_millrace(python):
    done = python(NAMES)
    assert done.stdout == "millrace.recipe\nTrue\nTrue\nTrue\n", done.stderr


@without_recipes
def test_a_module_that_never_was_stays_missing(python):
    done = python("import mlflow.recipes.dance")
    assert "No module named 'mlflow.recipes.dance'" in done.stderr


@without_mlflow
def test_a_bare_import_of_mlflow_fails_as_ever(python):
    code = (
        "import importlib.util\nprint(importlib.util.find_spec('mlflow'))\n"
        "try:\n    import mlflow\nexcept ModuleNotFoundError as error:\n    print(error)\n"
    )
    assert python(code).stdout == "None\nNo module named 'mlflow'\n"


@without_mlflow
def test_what_else_mlflow_has_is_said_to_be_missing(python):
    done = python("from mlflow.recipes import Recipe\nimport mlflow\nmlflow.start_run()")
    assert "MLflow is not installed here" in done.stderr


@with_mlflow_3
def test_mlflow_has_them_as_attributes(python):
    done = python("import mlflow; print(mlflow.recipes.Recipe.__module__, mlflow.pipelines.Pipeline.__module__)")
    assert done.stdout == "millrace.recipe millrace.recipe\n", done.stderr


@with_mlflow_3
@pytest.mark.parametrize("family", ["recipes", "pipelines"])
def test_the_command_line_of_mlflow_runs_recipes(python, millrace, project, family):
    code = "from mlflow.cli import cli; cli(prog_name='mlflow')"
    done = python(code, family, "run", "--step", "split", "-p", "local", **millrace.environment)
    assert done.returncode == 0, done.stderr
    assert python(code, family, "get-artifact", "-a", "model", MLFLOW_RECIPES_PROFILE="local").returncode == 0
    assert [call["arguments"] for call in millrace.calls] == [
        ["recipes", "run", "--step", "split", "--profile", "local"],
        ["recipes", "get-artifact", "--artifact", "model", "--profile", "local"],
    ]


@with_mlflow_3
def test_the_command_line_of_mlflow_ends_with_the_code_of_millrace(python, millrace):
    millrace.answers(code=5)
    done = python("from mlflow.cli import cli; cli(prog_name='mlflow')", "recipes", "run", **millrace.environment)
    assert done.returncode == 5


@with_mlflow_2
def test_recipes_of_mlflow_2_stay_its_own(python):
    code = (
        "import importlib.util\nprint(importlib.util.find_spec('mlflow.recipes').origin)\n"
        "import mlflow.cli, mlflow\nprint(type(vars(mlflow)['recipes']).__name__)\n"
    )
    origin, kind = python(code).stdout.splitlines()
    assert origin.endswith("mlflow/recipes/__init__.py") and kind != "_Lazy"
