"""Job `custom_metrics`: the user's metrics over rows that were predicted elsewhere."""

from __future__ import annotations

from typing import Any


def main(given: dict[str, Any], context: Any) -> dict[str, dict[str, float]]:
    """Values by split and name; those that are not finite are left out, with a warning."""
    from millrace.recipes.frames import read_frame
    from millrace.recipes.metrics import custom_metric_values, finite_metrics, load_custom_metrics

    metrics = load_custom_metrics(given["project"], given.get("metrics"))
    found: dict[str, dict[str, float]] = {}
    for split, source in given["splits"].items():
        frame = read_frame(source["file"])
        values = custom_metric_values(
            metrics, frame["target"].to_numpy(), frame["prediction"].to_numpy(), source["builtin"]
        )
        found[split] = finite_metrics(values)
        for name in sorted(set(values) - set(found[split])):
            context.warn(f"the metric `{name}` on the {split} split is {values[name]}, which no record holds")
    return found
