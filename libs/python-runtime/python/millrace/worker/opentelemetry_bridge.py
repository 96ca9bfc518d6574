"""Spans of the user's own OpenTelemetry join the trace of the run.

Nothing is loaded until user code imports ``opentelemetry.trace``; then, where the SDK is installed, there is a provider whose
spans go to the parent process. So do those of a provider that the user sets, beside wherever they send them.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from millrace.worker.spans import SpanRecorder

_TRACE_API = "opentelemetry.trace"

_recorder: Optional[SpanRecorder] = None


class _AfterImport:
    """Finder that calls ``then`` once, after the module ``name`` was imported the usual way.

    It derives from nothing: ``importlib.abc`` would double the time that a worker takes to start.
    """

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != self._name:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_then(module: Any) -> None:
            execute(module)
            self._then()

        spec.loader.exec_module = execute_then  # type: ignore[method-assign]
        return spec


def install(recorder: SpanRecorder, send: Callable[[dict[str, Any]], None]) -> None:
    """From now on spans of the user's OpenTelemetry become children of ``recorder``'s current span."""
    global _recorder
    _recorder = recorder
    if recorder.trace_id is None:
        return
    if _TRACE_API in sys.modules:
        _attach_current()
    elif not any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport(_TRACE_API, lambda: _set_provider(send)))  # type: ignore[arg-type]


def attach(trace_id: str, span_id: str) -> Any:
    """Makes a span current for OpenTelemetry; ``None`` while that is not loaded."""
    if _TRACE_API not in sys.modules:
        return None
    from opentelemetry import context, trace

    remote = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED)
    )
    return context.attach(trace.set_span_in_context(trace.NonRecordingSpan(remote)))


def detach(token: Any) -> None:
    """Ends what ``attach`` began."""
    if token is None:
        return
    from opentelemetry import context

    context.detach(token)


def _attach_current() -> None:
    if _recorder is not None and _recorder.trace_id is not None:
        attach(_recorder.trace_id, _recorder.current)


def _set_provider(send: Callable[[dict[str, Any]], None]) -> None:
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    except ImportError:
        return

    class ToParent(SpanProcessor):
        def on_end(self, span: Any) -> None:
            send(_described(span))

    to_parent = ToParent()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(to_parent)
    set_global = trace.set_tracer_provider

    def set_tracer_provider(own: Any) -> None:
        if hasattr(own, "add_span_processor"):
            own.add_span_processor(to_parent)
        set_global(own)

    # A provider may be set once only, and that is left to the user: theirs takes the place of this one, and joins in.
    trace.set_tracer_provider = set_tracer_provider
    trace._TRACER_PROVIDER = provider
    _attach_current()


def _described(span: Any) -> dict[str, Any]:
    parent = span.parent.span_id if span.parent is not None else 0
    described = {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "parentSpanId": f"{parent:016x}",
        "name": span.name,
        "start": span.start_time / 1e6,
        "end": (span.end_time or span.start_time) / 1e6,
        "attributes": {
            key: value if isinstance(value, (str, int, float, bool)) else str(value)
            for key, value in (span.attributes or {}).items()
        },
    }
    if not span.status.is_ok:
        described["error"] = span.status.description or "failed"
    return described
