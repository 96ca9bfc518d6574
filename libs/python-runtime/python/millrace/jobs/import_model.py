"""Checks a model directory that comes from outside."""

from __future__ import annotations

from typing import Any, Dict


def main(input: Dict[str, Any], context: Any) -> Dict[str, Any]:
    """``{model, loader, requirements, signature, task, classes, allow_dangerous}`` with an Arrow table of example rows →
    ``{pickle, description}``: the report of the pickle scan, and how the model's answers are to be read. A model whose
    pickles are dangerous is not loaded unless that is allowed; ``description`` is ``None`` then.
    """
    from millrace.models.pickle_scan import scan_directory

    context.activity("scan of the model's pickles")
    context.progress(0.1, "looking into the model's pickles")
    report = scan_directory(input["model"], input["requirements"])
    if report["verdict"] == "dangerous" and not input["allow_dangerous"]:
        return {"pickle": report, "description": None}
    context.activity("loading of the model")
    context.progress(0.3, "loading the model and predicting its input example")
    return {"pickle": report, "description": _describe(input, context)}


def _describe(input: Dict[str, Any], context: Any) -> Dict[str, Any]:
    import pyarrow as pa
    from millrace.models.importing import check_loader, describe

    check_loader(input["model"], input["loader"])
    with pa.ipc.open_stream(context.table) as reader:
        example = reader.read_all()
    return describe(input["model"], input["signature"], example, input.get("task"), input.get("classes"))
