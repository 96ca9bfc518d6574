"""Runs and model versions as MLflow's clients know them: MLflow's own classes where it is installed, else equals of
theirs with the same attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Optional

#: Millrace's state of a run → MLflow's.
_STATUS = {
    "RUN_STATUS_RUNNING": "RUNNING",
    "RUN_STATUS_FINISHED": "FINISHED",
    "RUN_STATUS_FAILED": "FAILED",
    "RUN_STATUS_KILLED": "KILLED",
}


@dataclass(frozen=True)
class RunInfo:
    """What identifies a run and when it was. Times in milliseconds since the epoch."""

    run_id: str
    run_name: str
    experiment_id: str
    status: str
    start_time: Optional[int]
    end_time: Optional[int]
    lifecycle_stage: str = "active"


@dataclass(frozen=True)
class RunData:
    """What was logged to a run, by name."""

    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A training run."""

    info: RunInfo
    data: RunData


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model."""

    name: str
    version: str
    run_id: str
    #: ``sha256:<hex>`` of the model package.
    source: str
    status: str
    creation_timestamp: Optional[int]
    tags: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


def has_mlflow() -> bool:
    """Whether a real MLflow can be imported."""
    try:
        return find_spec("mlflow.entities") is not None
    except (ImportError, AttributeError, ValueError):
        return False


def run_of(document: dict[str, Any]) -> Any:
    """The run that a document of the training service describes."""
    info = RunInfo(
        run_id=document["id"],
        run_name=document.get("name", ""),
        experiment_id=document.get("experimentId", ""),
        status=_STATUS.get(document.get("status", ""), "RUNNING"),
        start_time=_milliseconds(document.get("startedAt")),
        end_time=_milliseconds(document.get("finishedAt")),
    )
    data = RunData(
        metrics=document.get("metrics") or {},
        params=document.get("params") or {},
        tags=document.get("tags") or {},
    )
    return _mlflow_run(info, data) if has_mlflow() else Run(info, data)


def model_version_of(document: dict[str, Any]) -> Any:
    """The model version that a document of the registry describes."""
    version = ModelVersion(
        name=document["model"],
        version=str(document["version"]),
        run_id=document.get("trainingRunId", ""),
        source=document.get("digest", ""),
        status="READY",
        creation_timestamp=_milliseconds(document.get("registeredAt")),
        tags=document.get("tags") or {},
        aliases=tuple(document.get("aliases") or ()),
    )
    return _mlflow_model_version(version) if has_mlflow() else version


def _mlflow_run(info: RunInfo, data: RunData) -> Any:
    from inspect import signature

    from mlflow import entities

    # MLflow 2 wants the id under its earlier name as well.
    earlier = {"run_uuid": info.run_id} if "run_uuid" in signature(entities.RunInfo).parameters else {}
    at = info.end_time or info.start_time or 0
    return entities.Run(
        entities.RunInfo(
            **earlier,
            run_id=info.run_id,
            run_name=info.run_name,
            experiment_id=info.experiment_id,
            user_id="",
            status=info.status,
            start_time=info.start_time,
            end_time=info.end_time,
            lifecycle_stage=info.lifecycle_stage,
        ),
        entities.RunData(
            metrics=[entities.Metric(key, value, at, 0) for key, value in data.metrics.items()],
            params=[entities.Param(key, value) for key, value in data.params.items()],
            tags=[entities.RunTag(key, value) for key, value in data.tags.items()],
        ),
    )


def _mlflow_model_version(version: ModelVersion) -> Any:
    from mlflow.entities.model_registry import ModelVersion as MlflowModelVersion
    from mlflow.entities.model_registry import ModelVersionTag

    return MlflowModelVersion(
        name=version.name,
        version=version.version,
        creation_timestamp=version.creation_timestamp or 0,
        run_id=version.run_id,
        source=version.source,
        status=version.status,
        tags=[ModelVersionTag(key, value) for key, value in version.tags.items()],
        aliases=list(version.aliases),
    )


def _milliseconds(time: Optional[str]) -> Optional[int]:
    """Of an ISO 8601 time."""
    if not time:
        return None
    return round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)
