"""Loads a model directory for prediction."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from millrace.errors import UserError
from millrace.models.recipe_model import LOADER_MODULE, loader_module

if TYPE_CHECKING:
    import pandas as pd


def load_predictor(directory: str) -> Any:
    """An object whose `predict(DataFrame)` gives an array or a DataFrame. Unpickles: only in a worker.

    Models of recipes need nothing beside what they were trained with; other directories in MLflow's format
    need `mlflow` in the environment.
    """
    if _is_recipe_model(directory):
        use_model_code(directory)
        return _RecipePredictor(directory)
    if not os.path.exists(os.path.join(directory, "MLmodel")):
        raise UserError(f"{directory} is no model directory: it has no MLmodel", "steps.predict.model_uri")
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise UserError(
            f"the model needs a package that is not installed: {error.name}",
            "steps.predict.model_uri",
            "add mlflow-skinny and what the model needs to requirements.txt",
        ) from error
    return pyfunc.load_model(directory)


class _RecipePredictor:
    """A recipe's model that takes its features out of whatever table it is given, as MLflow's signature
    enforcement has it.
    """

    def __init__(self, directory: str) -> None:
        self._model = loader_module().load_model(directory)
        with open(os.path.join(directory, "signature.json"), encoding="utf-8") as file:
            self._inputs = json.load(file)["inputs"]

    def predict(self, data: pd.DataFrame) -> Any:
        """As the model's; an optional feature may be left out, a required one not."""
        missing = [
            each["name"]
            for each in self._inputs
            if not each["nullable"] and each["name"] not in data.columns
        ]
        if missing:
            raise UserError(
                f"the data lacks columns that the model needs: {', '.join(missing)}",
                "steps.ingest_scoring",
                "score data with the columns that the model was trained on",
            )
        return self._model.predict(data.reindex(columns=[each["name"] for each in self._inputs]))


def use_model_code(directory: str) -> None:
    """Puts the model's `code/` before everything else, so that its own `steps` are what it unpickles with."""
    code = os.path.join(directory, "code")
    if code not in sys.path:
        sys.path.insert(0, code)


def _is_recipe_model(directory: str) -> bool:
    description = os.path.join(directory, "model.json")
    if not os.path.exists(os.path.join(directory, "code", f"{LOADER_MODULE}.py")):
        return False
    if not os.path.exists(description):
        return False
    with open(description, encoding="utf-8") as file:
        return json.load(file).get("kind") == "python"
