"""Job `predict`: scores a table with a model and writes the outcome."""

from __future__ import annotations

from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes the input with a `prediction` column to `output`, and to the file `parquet` where one is named."""
    from millrace.models.load import load_predictor
    from millrace.recipes.frames import read_frame, schema_of
    from millrace.recipes.predict import PREDICTION, check_output, scored_frame, write_scored

    save_mode = str(given.get("save_mode") or "overwrite").lower()
    check_output(given.get("using"), save_mode)
    data = read_frame(given["data"])
    warnings = []
    if PREDICTION in data.columns:
        warnings.append(f"the input's own column `{PREDICTION}` is replaced")
        context.warn(warnings[0])
    model = load_predictor(given["model"])
    context.progress(0.2, f"{len(data)} rows read")
    with context.span("predict"):
        scored = scored_frame(model, data, given.get("result_type"))
    context.progress(0.8, "rows scored")
    written = write_scored(scored, given["output"], given["using"], save_mode)
    if given.get("parquet"):
        write_scored(scored, given["parquet"], "parquet", "overwrite")
    return {
        "rows": len(scored),
        "written": written,
        "columns": schema_of(scored),
        "warnings": warnings,
    }
