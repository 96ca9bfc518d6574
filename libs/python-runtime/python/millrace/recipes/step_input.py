"""What the input of every recipe job has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

DEFAULT_SEED = 42


@dataclass(frozen=True)
class StepInput:
    """The recipe's own fields, and the root of its files."""

    project: str
    target: str
    task: str
    positive_class: Any
    seed: int

    @staticmethod
    def of(given: Mapping[str, Any]) -> StepInput:
        """From the job's JSON."""
        seed = given.get("seed")
        return StepInput(
            project=given["project"],
            target=given.get("target_col") or "",
            task=given.get("task") or "regression",
            positive_class=given.get("positive_class"),
            seed=DEFAULT_SEED if seed is None else int(seed),
        )
