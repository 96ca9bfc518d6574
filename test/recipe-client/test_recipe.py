"""What a user of ``mlflow.recipes.Recipe`` does, in an environment with a current MLflow; in this order."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from mlflow.recipes import Recipe
from mlflow.recipes.classification.v1.recipe import ClassificationRecipe
from mlflow.recipes.regression.v1.recipe import RegressionRecipe
from pandas.testing import assert_frame_equal

from millrace import MillraceRecipeError

TRAINING = ["ingest", "split", "transform", "train", "evaluate", "register"]
SCORING = ["ingest_scoring", "predict"]

#: Name → type that MLflow Recipes loaded it as.
ARTIFACTS = {
    "ingested_data": pd.DataFrame,
    "training_data": pd.DataFrame,
    "validation_data": pd.DataFrame,
    "test_data": pd.DataFrame,
    "transformed_training_data": pd.DataFrame,
    "transformed_validation_data": pd.DataFrame,
    "transformer": object,
    "model": PyFuncModel,
    "run": Run,
    "best_parameters": str,
    "predicted_training_data": pd.DataFrame,
    "registered_model_version": ModelVersion,
    "ingested_scoring_data": pd.DataFrame,
    "scored_data": pd.DataFrame,
}


def test_a_current_mlflow_is_there():
    assert int(mlflow.__version__.split(".")[0]) >= 3


class TestRegression:
    def test_is_the_object_of_its_kind(self, taxi: Path):
        recipe = Recipe(profile="local")
        assert isinstance(recipe, RegressionRecipe)
        assert (recipe.name, recipe.profile) == (taxi.name, "local")

    def test_a_step_that_has_not_run_has_no_card_and_no_artifacts(self, taxi: Path, capsys):
        recipe = Recipe(profile="local")
        recipe.inspect("train")
        assert "has not been run" in capsys.readouterr().out
        for name in ARTIFACTS:
            with pytest.warns(UserWarning, match=f"{name}: step .* has not been run"):
                assert recipe.get_artifact(name) is None

    def test_shows_its_graph_before_anything_has_run(self, taxi: Path, capsys):
        Recipe(profile="local").inspect()
        page = Path(capsys.readouterr().out.strip()).read_text()
        assert all(step in page for step in TRAINING + SCORING)

    def test_runs_step_by_step(self, taxi: Path, capsys):
        recipe = Recipe(profile="local")
        assert recipe.run("ingest") is None
        recipe.run("split")
        assert "ingest" in capsys.readouterr().out
        assert len(recipe.get_artifact("ingested_data")) > len(recipe.get_artifact("training_data")) > 0
        with pytest.warns(UserWarning, match="step train has not been run"):
            assert recipe.get_artifact("model") is None

    def test_runs_to_register_when_no_step_is_named(self, taxi: Path, capsys):
        Recipe(profile="local").run()
        told = capsys.readouterr().out
        assert "> register" in told and "> predict\n" not in told

    def test_scores_a_batch_when_asked_to(self, taxi: Path):
        recipe = Recipe(profile="local")
        recipe.run("ingest_scoring")
        recipe.run("predict")
        scored = recipe.get_artifact("scored_data")
        assert len(scored) == len(recipe.get_artifact("ingested_scoring_data"))
        assert scored["prediction"].notna().all()
        assert len(pd.read_parquet(taxi / "data" / "scored.parquet")) == len(scored)

    @pytest.mark.parametrize(("name", "kind"), ARTIFACTS.items())
    def test_gives_every_artifact_as_the_type_that_mlflow_gave(self, taxi: Path, name: str, kind: type):
        assert isinstance(Recipe(profile="local").get_artifact(name), kind)

    def test_the_artifacts_belong_together(self, taxi: Path):
        recipe = Recipe(profile="local")
        training = recipe.get_artifact("training_data")
        features = training.drop(columns=["fare_amount"])
        transformed = recipe.get_artifact("transformed_training_data")
        again = recipe.get_artifact("transformer").transform(features.copy())
        np.testing.assert_allclose(
            transformed.drop(columns=["fare_amount"]).to_numpy(dtype=float), np.asarray(again, dtype=float)
        )
        predicted = recipe.get_artifact("predicted_training_data")
        assert list(predicted.columns) == [*training.columns, "predicted_data"]
        np.testing.assert_allclose(predicted["predicted_data"], recipe.get_artifact("model").predict(features))
        scored = recipe.get_artifact("scored_data")
        given = recipe.get_artifact("ingested_scoring_data")
        # The index tells the rows apart: it is a column of what was scored, as Spark read it.
        assert_frame_equal(scored.set_index("id").drop(columns=["prediction"]), given)

    def test_the_run_has_the_metrics_and_the_version_names_the_run(self, taxi: Path):
        recipe = Recipe(profile="local")
        run = recipe.get_artifact("run")
        version = recipe.get_artifact("registered_model_version")
        assert {"training_root_mean_squared_error", "val_root_mean_squared_error"} <= set(run.data.metrics)
        assert run.data.tags["mlflow.pipeline.template.name"] == "regression/v1"
        assert (version.name, version.run_id) == ("taxi_fare_regressor", run.info.run_id)

    @pytest.mark.parametrize("step", [*TRAINING, "predict"])
    def test_shows_the_card_of_every_step(self, taxi: Path, capsys, step: str):
        Recipe(profile="local").inspect(step)
        page = Path(capsys.readouterr().out.strip()).read_text()
        assert page.startswith("<!doctype html>") and step in page

    def test_a_detached_run_says_how_to_come_by_its_predictions(self, taxi: Path):
        def millrace(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [*shlex.split(os.environ["MILLRACE_COMMAND"]), *arguments]
            return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=600)

        started = millrace("recipes", "run", "-s", "predict", "-p", "local", "--detach")
        run = started.stdout.strip()
        assert millrace("watch", run).returncode == 0
        (told,) = [line for line in started.stderr.splitlines() if "get-artifact" in line]
        command = told.partition("millrace ")[2]
        assert command == "recipes get-artifact -a scored_data --profile local"
        got = millrace(*command.split())
        assert len(pd.read_parquet(got.stdout.strip())) == len(pd.read_parquet(taxi / "data" / "scored.parquet"))

    def test_a_clean_step_has_no_artifacts_until_it_runs_again(self, taxi: Path, capsys):
        recipe = Recipe(profile="local")
        before = recipe.get_artifact("run").info.run_id
        recipe.clean("train")
        with pytest.warns(UserWarning, match="has not been run"):
            assert recipe.get_artifact("model") is None
        assert recipe.get_artifact("transformer") is not None
        capsys.readouterr()
        recipe.run("train")
        assert recipe.get_artifact("run").info.run_id != before

    def test_clean_takes_all_and_leaves_what_was_registered(self, taxi: Path):
        recipe = Recipe(profile="local")
        recipe.clean()
        for name in ("ingested_data", "transformer", "registered_model_version", "scored_data"):
            with pytest.warns(UserWarning, match="has not been run"):
                assert recipe.get_artifact(name) is None
        recipe.run()
        version = recipe.get_artifact("registered_model_version")
        # The same model is the same version.
        assert str(version.version) == "1"

    def test_each_profile_has_its_own_results(self, taxi: Path):
        local, staging = Recipe(profile="local"), Recipe(profile="staging")
        with pytest.warns(UserWarning, match="has not been run"):
            assert staging.get_artifact("training_data") is None
        staging.run()
        assert len(staging.get_artifact("training_data")) < len(local.get_artifact("training_data"))
        assert staging.get_artifact("registered_model_version").name == "taxi_fare_staging"


class TestClassification:
    def test_gives_every_artifact_of_training(self, wine: Path):
        recipe = Recipe(profile="local")
        assert isinstance(recipe, ClassificationRecipe)
        recipe.run()
        trained = [name for name in ARTIFACTS if name not in ("ingested_scoring_data", "scored_data")]
        for name in trained:
            assert isinstance(recipe.get_artifact(name), ARTIFACTS[name]), name
        parameters = recipe.get_artifact("best_parameters")
        assert "# tuned hyperparameters" in parameters
        assert set(yaml.safe_load(parameters)) >= {"max_depth", "learning_rate"}

    def test_the_model_gives_label_and_scores(self, wine: Path):
        recipe = Recipe(profile="local")
        rows = recipe.get_artifact("test_data").drop(columns=["kind"])
        predicted = recipe.get_artifact("model").predict(rows)
        assert list(predicted.columns) == ["wine_score_red", "wine_score_white", "wine_score", "wine_label"]
        table = recipe.get_artifact("predicted_training_data")
        assert {"predicted_data", "predicted_score"} <= set(table.columns)


class TestMistakes:
    def test_an_artifact_that_no_recipe_has(self, taxi: Path):
        with pytest.raises(MlflowException, match='"money" is no artifact') as raised:
            Recipe(profile="local").get_artifact("money")
        assert isinstance(raised.value, MillraceRecipeError)
        assert raised.value.error_code == "INVALID_PARAMETER_VALUE"

    @pytest.mark.parametrize("action", ["run", "inspect", "clean"])
    def test_a_step_that_the_recipe_has_not(self, taxi: Path, action: str):
        with pytest.raises(MillraceRecipeError, match='no step "dance"'):
            getattr(Recipe(profile="local"), action)("dance")

    def test_a_profile_that_is_not_there(self, taxi: Path):
        with pytest.raises(MillraceRecipeError, match=r"profiles/cloud\.yaml does not exist"):
            Recipe(profile="cloud")

    def test_a_step_function_that_fails(self, taxi: Path, capsys):
        path = taxi / "steps" / "train.py"
        code = path.read_text()
        path.write_text(code.replace("return Ridge(", "raise KeyError('alpha')\n    return Ridge("))
        recipe = Recipe(profile="local")
        try:
            with pytest.raises(MillraceRecipeError, match=r"step train failed: steps/train\.py:\d+: KeyError") as raised:
                recipe.run("train")
            assert raised.value.step == "train"
            with pytest.warns(UserWarning, match="step train failed"):
                assert recipe.get_artifact("model") is None
            capsys.readouterr()
            recipe.inspect("train")
            assert "KeyError" in Path(capsys.readouterr().out.strip()).read_text()
        finally:
            path.write_text(code)
