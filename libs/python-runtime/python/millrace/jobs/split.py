"""Job `split`: the ingested table becomes train, validation and test."""

from __future__ import annotations

import os
from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes `train.parquet`, `validation.parquet` and `test.parquet` to `output_dir`."""
    from millrace.recipes.frames import json_value, read_frame, write_frame
    from millrace.recipes.seeding import seed_generators
    from millrace.recipes.split import split_frame
    from millrace.recipes.step_input import StepInput
    from millrace.recipes.target import is_classification
    from millrace.recipes.user_warnings import collected_warnings

    step = StepInput.of(given)
    data = read_frame(given["dataset"])
    context.progress(0.1, f"{len(data)} rows read")
    with collected_warnings(step.project) as warned:
        seed_generators(step.seed)
        result = split_frame(data, step, given)
    context.progress(0.8, "rows split")
    os.makedirs(given["output_dir"], exist_ok=True)
    for name, frame in result.frames.items():
        path = os.path.join(given["output_dir"], f"{name}.parquet")
        write_frame(frame, path, f"the {name} split", "steps.split")
    output: dict[str, Any] = {
        "rows": {name: len(frame) for name, frame in result.frames.items()},
        "dropped": result.dropped,
        "filtered": result.filtered,
        "warnings": warned.texts,
    }
    if is_classification(step.task):
        output["classes"] = {
            name: {
                str(json_value(label)): int(count)
                for label, count in frame[step.target].value_counts(sort=False).items()
            }
            for name, frame in result.frames.items()
        }
    return output
