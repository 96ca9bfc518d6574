"""Job `ingest`: fetched files become one Parquet table."""

from __future__ import annotations

import os
from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes the table to `output`."""
    from millrace.recipes.frames import schema_of, stored_index_columns, write_frame
    from millrace.recipes.ingest import ingest_frame
    from millrace.recipes.seeding import seed_generators
    from millrace.recipes.step_input import StepInput
    from millrace.recipes.user_warnings import collected_warnings

    step = StepInput.of(given)
    section = "steps.ingest" if given.get("training", True) else "steps.ingest_scoring"
    with collected_warnings(step.project) as warned:
        seed_generators(step.seed)
        frame = ingest_frame(step, given)
    context.progress(0.7, f"{len(frame)} rows read")
    os.makedirs(os.path.dirname(given["output"]), exist_ok=True)
    write_frame(frame, given["output"], "the data read", section)
    return {
        "rows": len(frame),
        "columns": schema_of(frame),
        "index_columns": stored_index_columns(given["output"]),
        "warnings": warned.texts,
    }
