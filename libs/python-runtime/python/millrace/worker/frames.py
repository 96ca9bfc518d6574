"""Messages between the worker and its parent.

A frame is the length of its header and the length of its payload, each an unsigned 32-bit big-endian integer, then the
header (a JSON object) and the payload (an Arrow IPC stream, or nothing).
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import struct
import threading
from typing import Any, Optional

_LENGTHS = struct.Struct(">II")
#: Descriptors are moved this high, out of the way of user code that closes or reuses low ones.
_LOWEST_DESCRIPTOR = 100


class FrameChannel:
    """Both directions of the exchange with the parent; sending is safe from any thread."""

    def __init__(self, read_descriptor: int, write_descriptor: int) -> None:
        self.input = _moved(read_descriptor)
        self._output = _moved(write_descriptor)
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def read(self) -> Optional[tuple[dict[str, Any], bytes]]:
        """The next frame as header and payload; ``None`` when the parent closed its end."""
        lengths = self._exactly(_LENGTHS.size)
        if lengths is None:
            return None
        header_length, payload_length = _LENGTHS.unpack(lengths)
        header = self._exactly(header_length)
        payload = self._exactly(payload_length)
        if header is None or payload is None:
            return None
        return json.loads(header), payload

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Sends one frame. A process that was forked from the worker says nothing: it would garble the stream."""
        if os.getpid() != self._owner:
            return
        body = encode(header)
        with self._lock:
            for part in (_LENGTHS.pack(len(body), len(payload)) + body, payload):
                self._write(part)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._output, rest) :]

    def _exactly(self, size: int) -> Optional[bytes]:
        chunks = []
        while size > 0:
            chunk = os.read(self.input, min(size, 1 << 20))
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def encode(value: Any) -> bytes:
    """JSON of ``value``. NumPy scalars and arrays, dates and paths are written as what they hold; NaN and infinities,
    which JSON does not have, as ``null``."""
    try:
        text = json.dumps(value, default=_plain, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a job's result holds a value of type {type(value).__name__}, which JSON cannot hold")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if value is None or isinstance(value, (str, int)):
        return value
    return _finite(_plain(value))


def _moved(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LOWEST_DESCRIPTOR)
    os.close(descriptor)
    return moved
