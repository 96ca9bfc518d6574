"""Reads what the parent sends in a thread of its own, and ends everything when the parent is gone."""

from __future__ import annotations

import os
import queue
import select
import signal
import threading
from typing import Any

from millrace.worker.frames import FrameChannel

#: Seconds between two looks at who the parent is, should the end of its pipe not tell.
_CHECK_EVERY = 1.0
#: Only a directory that the parent made for this worker is removed.
_OWN_DIRECTORY = "millrace-python-"
#: What joblib leaves in shared memory when its processes are killed: see ``shared-memory.ts``.
_SHARED_MEMORY = ("/dev/shm/sem.loky-{pid}-*", "/dev/shm/joblib_memmapping_folder_{pid}_*")


class Watchdog(threading.Thread):
    """Puts frames into ``inbox``; kills the process group when the parent closed its end or died.

    A thread, because a job that computes for hours never looks at its channel.
    """

    def __init__(self, channel: FrameChannel, inbox: "queue.SimpleQueue[tuple[dict[str, Any], bytes]]") -> None:
        super().__init__(name="millrace-watchdog", daemon=True)
        self._channel = channel
        self._inbox = inbox
        self._parent = os.getppid()
        self._directory = os.environ.get("TMPDIR", "")

    def run(self) -> None:
        try:
            while self._wait():
                frame = self._channel.read()
                if frame is None:
                    break
                self._inbox.put(frame)
        finally:
            self._end()

    def _wait(self) -> bool:
        """Waits for input; False when the parent is another process than the one that started this."""
        while True:
            readable, _, _ = select.select([self._channel.input], [], [], _CHECK_EVERY)
            if readable:
                return True
            if os.getppid() != self._parent:
                return False

    def _end(self) -> None:
        try:
            self._remove_remains()
        finally:
            if os.getpgrp() == os.getpid():
                os.killpg(os.getpgrp(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def _remove_remains(self) -> None:
        # Loaded now: most workers never come here.
        import glob
        import shutil

        if os.path.basename(self._directory).startswith(_OWN_DIRECTORY):
            shutil.rmtree(self._directory, ignore_errors=True)
        for pattern in _SHARED_MEMORY:
            for path in glob.glob(pattern.format(pid=os.getpid())):
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
