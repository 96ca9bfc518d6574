"""A context for running jobs without a worker."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator


class RecordedContext:
    """Keeps what a job reports."""

    def __init__(self) -> None:
        self.progressed: list[tuple[float, str]] = []
        self.activities: list[str] = []
        self.spans: list[str] = []
        self.warnings: list[str] = []

    def progress(self, fraction: float, text: str = "") -> None:
        """See the worker's context."""
        self.progressed.append((fraction, text))

    def activity(self, text: str) -> None:
        """See the worker's context."""
        self.activities.append(text)

    def warn(self, text: str) -> None:
        """See the worker's context."""
        self.warnings.append(text)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """See the worker's context."""
        self.spans.append(name)
        yield
