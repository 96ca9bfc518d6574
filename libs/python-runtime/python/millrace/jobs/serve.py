"""A model that is kept loaded between the calls of one process."""

from __future__ import annotations

from typing import Any, Dict, Optional

from millrace.errors import UserError
from millrace.models.serving import ServedModel

_served: Optional[ServedModel] = None


def main(input: Dict[str, Any], context: Any) -> Dict[str, Any]:
    """``{call: "load", model, signature, task, classes, output}`` → ``{classes}``, once in a process;
    ``{call: "predict"}`` with an Arrow table → ``{rows}`` with an Arrow table: see ``ServedModel``.
    """
    global _served
    if input["call"] == "load":
        context.activity("loading of the model")
        _served = ServedModel(
            input["model"], input["signature"], input["task"], input.get("classes"), input["output"]
        )
        return {"classes": _served.classes}
    context.activity("prediction of the model")
    if _served is None or context.table is None:
        raise UserError("the model is asked to predict before it is loaded, or without a table")
    return _predict(_served, context)


def _predict(served: ServedModel, context: Any) -> Dict[str, Any]:
    import pyarrow as pa

    with pa.ipc.open_stream(context.table) as reader:
        table = reader.read_all()
    answer = served.predict(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_table(answer)
    context.answer_table(sink.getvalue().to_pybytes())
    return {"rows": answer.num_rows}
