"""Runs the jobs of a whole recipe, for tests of what comes last."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pandas as pd

from millrace.jobs import split, train, transform
from millrace.recipes.testing import RecordedContext

ENVIRONMENT = {"python_version": "3.11.7", "requirements": ["numpy==2.0.0", "pandas==3.0.0"]}


def common(project: str, **given: Any) -> dict[str, Any]:
    """The fields that every job takes."""
    return {
        "project": project,
        "target_col": "y",
        "task": "regression",
        "positive_class": None,
        "seed": 42,
        **given,
    }


class RecipeRun:
    """Jobs over one directory; each writes where the next one reads."""

    def __init__(self, project: str, directory: Path, data: pd.DataFrame, **given: Any) -> None:
        self.directory = directory
        self.context = RecordedContext()
        self._common = common(project, **given)
        self._project = Path(project)
        directory.mkdir(exist_ok=True)
        data.to_parquet(self.path("dataset.parquet"))

    def path(self, name: str) -> str:
        return str(self.directory / name)

    def frame(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.path(f"{name}.parquet"))

    def split(self, **given: Any) -> dict[str, Any]:
        dataset = self.path("dataset.parquet")
        return split.main(
            {**self._common, "dataset": dataset, "output_dir": str(self.directory), **given},
            self.context,
        )

    def transform(self, method: Optional[str] = None, **given: Any) -> dict[str, Any]:
        return transform.main(
            {
                **self._common,
                **self._splits(),
                "transformer_method": method,
                "output_dir": str(self.directory),
                **given,
            },
            self.context,
        )

    def train(self, config: dict[str, Any], **given: Any) -> dict[str, Any]:
        steps = sorted(path.name for path in (self._project / "steps").glob("*.py"))
        return train.main(
            {
                **self._common,
                **self._splits(),
                "transformed_train": self.path("transformed_training_data.parquet"),
                "transformed_validation": self.path("transformed_validation_data.parquet"),
                "transformer": self.path("transformer.pkl"),
                "config": config,
                "environment": ENVIRONMENT,
                "code_files": [f"steps/{name}" for name in steps],
                "output_dir": str(self.directory),
                **given,
            },
            self.context,
        )

    def _splits(self) -> dict[str, str]:
        return {name: self.path(f"{name}.parquet") for name in ("train", "validation")}
