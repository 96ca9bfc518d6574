"""A project of MLflow Pipelines, the oldest name, under that name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import project_of
from mlflow.entities import Run
from mlflow.pipelines import Pipeline
from mlflow.pipelines.regression.v1.pipeline import RegressionPipeline
from mlflow.pyfunc import PyFuncModel

PIPELINE = """
template: "regression/v1"
data:
  location: {{INGEST_DATA_LOCATION}}
  format: {{INGEST_DATA_FORMAT|default('parquet')}}
  custom_loader_method: steps.ingest.load_file_as_dataframe
  sql: SELECT * FROM delta.`{{INGEST_DATA_LOCATION}}`
data_scoring:
  location: {{INGEST_DATA_LOCATION}}
  format: {{INGEST_DATA_FORMAT|default('parquet')}}
  custom_loader_method: steps.ingest.load_file_as_dataframe
  sql: SELECT * FROM delta.`{{INGEST_DATA_LOCATION}}`
target_col: "fare_amount"
steps:
  split:
    split_ratios: [0.6, 0.2, 0.2]
    post_split_filter_method: steps.split.create_dataset_filter
  transform:
    transformer_method: steps.transform.transformer_fn
  train:
    using: estimator_spec
    estimator_method: steps.train.estimator_fn
  evaluate:
    validation_criteria:
      - metric: root_mean_squared_error
        threshold: 10
      - metric: weighted_mean_squared_error
        threshold: 50
  register:
    model_name: "taxi_fare_pipeline"
    allow_non_validated_model: false
  predict:
    output_location: ./data/scored_by_pipeline.parquet
    output_format: parquet
metrics:
  custom:
    - name: weighted_mean_squared_error
      function: weighted_mean_squared_error
      greater_is_better: False
  primary: "root_mean_squared_error"
"""

PROFILE = """
experiment:
  name: "sklearn_regression_experiment"
  tracking_uri: "sqlite:///metadata/mlflow/mlruns.db"
  artifact_location: "./metadata/mlflow/mlartifacts"
INGEST_DATA_LOCATION: "./data/taxi.csv"
INGEST_DATA_FORMAT: csv
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pipelines") / "taxi-pipeline"
    shutil.copytree(project_of("TAXI_PROJECT"), root, ignore=shutil.ignore_patterns(".millrace", "recipe.yaml"))
    (root / "pipeline.yaml").write_text(PIPELINE)
    (root / "profiles" / "local.yaml").write_text(PROFILE)
    return root


@pytest.fixture(autouse=True)
def there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


def test_it_runs_from_the_data_to_the_registry():
    pipeline = Pipeline(profile="local")
    assert isinstance(pipeline, RegressionPipeline) and pipeline.profile == "local"
    pipeline.run()
    assert isinstance(pipeline.get_artifact("run"), Run)
    assert isinstance(pipeline.get_artifact("model"), PyFuncModel)
    assert pipeline.get_artifact("registered_model_version").name == "taxi_fare_pipeline"
    assert isinstance(pipeline.get_artifact("transformed_training_data"), pd.DataFrame)


def test_it_scores_where_its_output_location_says(root: Path):
    pipeline = Pipeline(profile="local")
    pipeline.run("predict")
    assert len(pd.read_parquet(root / "data" / "scored_by_pipeline.parquet")) == len(pipeline.get_artifact("scored_data"))


def test_its_commands_are_those_of_mlflow():
    def mlflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("mlflow")), "pipelines", *arguments]
        environment = {**os.environ, "MLFLOW_PIPELINES_PROFILE": "local"}
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=600)

    ran = mlflow("run", "--step", "split")
    assert (ran.returncode, "split" in ran.stdout) == (0, True), ran.stderr
    shown = mlflow("inspect", "--step", "split")
    assert Path(shown.stdout.strip()).name == "card.html", shown.stderr
    got = mlflow("get-artifact", "--artifact", "training_data")
    assert len(pd.read_parquet(got.stdout.strip())) > 0
    assert mlflow("clean", "--step", "split").returncode == 0
    assert "has not been run" in mlflow("get-artifact", "-a", "training_data").stderr
