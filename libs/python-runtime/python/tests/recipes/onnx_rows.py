"""Rows, and what becomes of a pipeline that was fitted on most of them and is to be ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from millrace.models.onnx import convert
from millrace.models.write import PackageContent
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FITTED = 200


def houses() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=300),
            "age": rng.normal(size=300),
            # Seconds since 1970 that 24 bits of a float cannot tell apart.
            "sold_at": 1.7e9 + rng.uniform(0, 1000, 300),
        }
    )


def target_of(rows: pd.DataFrame, task: str) -> Any:
    score = rows["size"] * 2 + rows["age"]
    if task == "regression":
        return score + np.sin(rows["sold_at"])
    return (score > 0).astype(int) if task.endswith("binary") else np.digitize(score, [-1, 1])


def report_of(estimator: Any, task: str, rows: pd.DataFrame, directory: Path, transformer: Any = None) -> Any:
    pipeline = make_pipeline(transformer or StandardScaler(), estimator)
    pipeline.fit(rows[:FITTED], target_of(rows, task)[:FITTED])
    return convert(pipeline, rows[:FITTED], rows[FITTED:], task, str(directory))


def content_of(pipeline: Any, features: pd.DataFrame, **more: Any) -> PackageContent:
    """What a package is written of: a regression's pipeline that was fitted on these rows."""
    return PackageContent(
        pipeline=pipeline,
        features=features,
        task="regression",
        target="price",
        positive_class=None,
        predict_prefix="predicted_",
        scores=True,
        project=".",
        code_files=[],
        python_version="3.11.7",
        requirements=[],
        **more,
    )
