"""What makes a process that just ends say where it was."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from importlib.machinery import SourceFileLoader
from typing import Any, Callable, NoReturn

#: File in the worker's own directory that holds the stack after SIGUSR1 or a crash; the parent reads it.
WHEREABOUTS = "whereabouts.txt"

_exit_process = os._exit
_whereabouts: Any = None


class ExitCalled(Exception):
    """User code called ``os._exit``."""


def record_whereabouts() -> None:
    """Writes the stack of every thread to a file when the process crashes, or when the parent asks by SIGUSR1."""
    global _whereabouts
    directory = os.environ.get("TMPDIR")
    if directory is None:
        return
    _whereabouts = open(os.path.join(directory, WHEREABOUTS), "w", encoding="utf-8")
    faulthandler.enable(file=_whereabouts, all_threads=True)
    faulthandler.register(signal.SIGUSR1, file=_whereabouts, all_threads=True)


def leave_no_bytecode(root: str) -> None:
    """Modules below ``root`` are compiled anew each time: no ``__pycache__`` appears among the user's files."""
    write = SourceFileLoader._cache_bytecode  # type: ignore[attr-defined]

    def write_outside(self: Any, source_path: str, cache_path: str, data: Any) -> None:
        if not source_path.startswith(root + os.sep):
            write(self, source_path, cache_path, data)

    SourceFileLoader._cache_bytecode = write_outside  # type: ignore[attr-defined]


def announce_exit(announce: Callable[[BaseException], None]) -> None:
    """From now on ``os._exit`` in this process first hands an exception to ``announce`` that knows where it was called.

    Processes forked from this one end with ``os._exit`` as a matter of course; they are left alone.
    """
    owner = os.getpid()

    def exit_announced(status: int) -> NoReturn:
        if os.getpid() == owner:
            try:
                raise ExitCalled(f"os._exit({status}) was called")
            except ExitCalled as called:
                called.__traceback__ = _stack_of(sys._getframe(1))
                announce(called)
        _exit_process(status)

    os._exit = exit_announced


def allow_exit() -> None:
    """Ends what ``announce_exit`` began: the process is about to end as it should."""
    os._exit = _exit_process


def _stack_of(frame: Any) -> Any:
    """A traceback as if an exception had come up through the stack that ends in ``frame``."""
    from types import TracebackType

    traceback = None
    while frame is not None:
        traceback = TracebackType(traceback, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return traceback
