"""Job `transform`: fits the transformer and writes the transformed splits."""

from __future__ import annotations

import os
from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes `transformer.pkl`, `transformed_training_data.parquet` and `transformed_validation_data.parquet`."""
    from millrace.models.pickles import write_pickle
    from millrace.recipes.frames import read_frame, schema_of, write_frame
    from millrace.recipes.seeding import seed_generators
    from millrace.recipes.step_input import StepInput
    from millrace.recipes.transform import (
        describe,
        fit_transformer,
        new_transformer,
        transform_frame,
    )
    from millrace.recipes.user_warnings import collected_warnings

    step = StepInput.of(given)
    splits = {"training": read_frame(given["train"]), "validation": read_frame(given["validation"])}
    with collected_warnings(step.project) as warned:
        seed_generators(step.seed)
        transformer, function = new_transformer(step, given)
        context.activity("fitting the transformer")
        with context.span("fit transformer"):
            fit_transformer(transformer, splits["training"], step)
        context.progress(0.5, "transformer fitted")
        transformed = {
            name: transform_frame(transformer, frame, step.target, function)
            for name, frame in splits.items()
        }
    os.makedirs(given["output_dir"], exist_ok=True)
    for name, frame in transformed.items():
        path = os.path.join(given["output_dir"], f"transformed_{name}_data.parquet")
        write_frame(frame, path, f"the transformed {name} data", "steps.transform")
    write_pickle(
        transformer,
        os.path.join(given["output_dir"], "transformer.pkl"),
        step.project,
        "the fitted transformer",
        "steps.transform.transformer_method",
    )
    return {
        "rows": {name: len(frame) for name, frame in transformed.items()},
        "input_schema": schema_of(splits["training"]),
        "output_schema": schema_of(transformed["training"]),
        "feature_names": [
            str(name) for name in transformed["training"].columns if name != step.target
        ],
        "description": describe(transformer),
        "warnings": warned.texts,
    }
