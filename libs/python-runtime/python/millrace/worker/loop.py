"""The worker's life: take a job, do it, say what came of it, take the next."""

from __future__ import annotations

import importlib
import os
import queue
import sys
from typing import Any

from millrace.worker import guards, old_arguments, opentelemetry_bridge
from millrace.worker.context import JobContext
from millrace.worker.frames import FrameChannel
from millrace.worker.spans import SpanRecorder
from millrace.worker.thrown import describe
from millrace.worker.watchdog import Watchdog

#: From and to the parent.
_INPUT, _OUTPUT = 3, 4


def main() -> None:
    """Does jobs until the parent says that it was the last one, or is gone."""
    channel = FrameChannel(_INPUT, _OUTPUT)
    inbox: "queue.SimpleQueue[tuple[dict[str, Any], bytes]]" = queue.SimpleQueue()
    Watchdog(channel, inbox).start()
    guards.record_whereabouts()
    old_arguments.accept()
    # Programs that user code starts resolve their imports as usual.
    os.environ.pop("PYTHONSAFEPATH", None)
    channel.send({"type": "ready"})
    while True:
        message, payload = inbox.get()
        if message["type"] == "end":
            guards.allow_exit()
            return
        _run(channel, message, payload)


def _run(channel: FrameChannel, message: dict[str, Any], payload: bytes) -> None:
    user_root = message["userRoot"]
    _prepare(message, user_root)

    def send_span(span: dict[str, Any]) -> None:
        channel.send({"type": "spans", "spans": [span]})

    spans = SpanRecorder(message.get("traceparent"), send_span)
    opentelemetry_bridge.install(spans, send_span)
    context = JobContext(channel, spans, user_root, payload or None)

    def fail(thrown: BaseException) -> None:
        _flush()
        channel.send({"type": "thrown", "id": message["id"], **describe(thrown, user_root)})

    guards.announce_exit(fail)
    try:
        job = importlib.import_module(f"millrace.jobs.{message['job']}")
        output = _with_warnings(job.main(message["input"], context), context.warnings)
        _flush()
        channel.send({"type": "result", "id": message["id"], "output": output}, context.answer)
    except BaseException as thrown:  # noqa: BLE001 - whatever user code raises, SystemExit included, is its answer
        fail(thrown)


def _prepare(message: dict[str, Any], user_root: str) -> None:
    if "traceparent" in message:
        os.environ["TRACEPARENT"] = message["traceparent"]
    if user_root not in sys.path:
        sys.path.append(user_root)
        guards.leave_no_bytecode(user_root)


def _with_warnings(output: Any, warnings: list[str]) -> Any:
    if not warnings or not isinstance(output, dict):
        return output
    own = list(output.get("warnings") or [])
    return {**output, "warnings": own + [text for text in warnings if text not in own]}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            # User code may have replaced or closed it.
            pass
