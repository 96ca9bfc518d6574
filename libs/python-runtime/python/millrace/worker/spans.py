"""Spans below the one that the parent opened for the job, without loading a tracing SDK."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping, Optional, Union

Attributes = Mapping[str, Union[str, int, float, bool]]

#: https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags.
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")


class SpanRecorder:
    """Makes spans and hands each on when it is finished. Without a sampled parent it makes none."""

    def __init__(self, traceparent: Optional[str], send: Callable[[dict[str, Any]], None]) -> None:
        match = _TRACEPARENT.match(traceparent or "")
        sampled = match is not None and int(match.group(3), 16) & 1 == 1
        self.trace_id = match.group(1) if match is not None and sampled else None
        self.current = match.group(2) if match is not None else ""
        self._send = send

    @contextmanager
    def span(self, name: str, attributes: Optional[Attributes] = None) -> Iterator[None]:
        """Runs the body in a span called ``name``; an exception marks it as failed and passes through."""
        if self.trace_id is None:
            yield
            return
        parent, self.current = self.current, os.urandom(8).hex()
        span = {
            "traceId": self.trace_id,
            "spanId": self.current,
            "parentSpanId": parent,
            "name": name,
            "start": time.time() * 1000,
            "attributes": dict(attributes or {}),
        }
        try:
            with _current_for_opentelemetry(self.trace_id, self.current):
                yield
        except BaseException as thrown:
            span["error"] = f"{type(thrown).__name__}: {thrown}"
            raise
        finally:
            self.current = parent
            self._send({**span, "end": time.time() * 1000})


@contextmanager
def _current_for_opentelemetry(trace_id: str, span_id: str) -> Iterator[None]:
    """Makes the span the parent of those that the user's own OpenTelemetry opens, where it is loaded."""
    from millrace.worker import opentelemetry_bridge

    token = opentelemetry_bridge.attach(trace_id, span_id)
    try:
        yield
    finally:
        opentelemetry_bridge.detach(token)
