"""Warnings of the user's code, kept for the step's report."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import contextmanager
from typing import Any, Iterator, Optional

from millrace.recipes.user_functions import project_path

_most_warnings = 200


class WarningLog:
    """What was warned, each text once per place and in order."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._counts: dict[str, int] = {}
        self._left_out = 0
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """A warning of the step's own."""
        with self._lock:
            if text in self._counts or len(self._counts) < _most_warnings:
                self._counts[text] = self._counts.get(text, 0) + 1
            else:
                self._left_out += 1

    def record(
        self,
        message: Any,
        category: type,
        filename: str,
        lineno: int,
        file: Any = None,
        line: Optional[str] = None,
    ) -> None:
        """Takes the place of `warnings.showwarning`."""
        place = project_path(self._project, filename) or filename
        if os.path.isabs(place):
            place = _library_path(place)
        self.add(f"{place}:{lineno}: {category.__name__}: {message}")

    @property
    def texts(self) -> list[str]:
        """One line per warning, with how often it came."""
        with self._lock:
            lines = [text if n == 1 else f"{text} ({n} times)" for text, n in self._counts.items()]
            return [*lines, f"{self._left_out} more"] if self._left_out else lines

    def write(self, path: str) -> None:
        """`warning_logs.txt`, empty when there was none."""
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in self.texts)


def _library_path(file: str) -> str:
    """Without what differs between machines: from `site-packages/` on."""
    _, found, rest = file.rpartition(f"site-packages{os.sep}")
    return rest.replace(os.sep, "/") if found else file


@contextmanager
def collected_warnings(project: str) -> Iterator[WarningLog]:
    """Collects what is warned meanwhile, in every thread, instead of printing it."""
    log = WarningLog(project)
    with warnings.catch_warnings():
        warnings.showwarning = log.record  # type: ignore[assignment]
        yield log
