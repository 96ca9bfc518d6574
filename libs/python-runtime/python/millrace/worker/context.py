"""What a job is given beside its input."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Optional

from millrace.worker.frames import FrameChannel
from millrace.worker.spans import Attributes, SpanRecorder


class JobContext:
    """A job's way to the outside.

    ``table`` is the Arrow IPC stream that came with the call, or ``None``; ``warnings`` what ``warn`` was given.
    """

    def __init__(self, channel: FrameChannel, spans: SpanRecorder, user_root: str, table: Optional[bytes]) -> None:
        self._channel = channel
        self._spans = spans
        self.user_root = user_root
        self.table = table
        self.answer: bytes = b""
        self.warnings: list[str] = []

    def progress(self, fraction: float, text: str) -> None:
        """Reports how far the job is: ``fraction`` from 0 to 1, negative when unknown."""
        self._channel.send({"type": "progress", "fraction": float(fraction), "message": str(text)})

    def activity(self, text: str) -> None:
        """Names what the job does from now on, ``fit of steps/train.py``: part of the error when the process dies."""
        self._channel.send({"type": "activity", "activity": str(text)})

    def span(self, name: str, attributes: Optional[Attributes] = None) -> AbstractContextManager[None]:
        """A span of the run's trace around the body of a ``with`` statement."""
        return self._spans.span(name, attributes)

    def warn(self, text: str) -> None:
        """Something that the user should know; it is added to the ``warnings`` of the job's result, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def answer_table(self, stream: bytes) -> None:
        """Sends an Arrow IPC stream along with the job's result."""
        self.answer = stream
