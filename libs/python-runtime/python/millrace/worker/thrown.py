"""Describes what user code raised: what, where in the user's own files, and what to do about it."""

from __future__ import annotations

import importlib
import linecache
import os
import sys
from types import TracebackType
from typing import Any, Iterator, NamedTuple, Optional

from millrace.errors import UserError
from millrace.worker.hints import hint_for

#: Longest message that crosses to the parent, in characters, and most frames.
_LONGEST = 8_000
_MOST_FRAMES = 30
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class _Frame(NamedTuple):
    path: str
    line: int
    function: str


def describe(thrown: BaseException, user_root: str) -> dict[str, Any]:
    """The ``thrown`` frame for an exception.

    ``kind`` is ``user`` when the user's input is at fault: their code raised it, or a library did that was called for
    them; ``worker`` when Millrace's own Python code did. ``file`` is relative to ``user_root``.
    """
    chain = list(_chain(thrown))
    found = [_told_place(thrown), *(_place(error, user_root) for error in chain)]
    places = [place for place in found if place is not None]
    described: dict[str, Any] = {
        "kind": "user" if places or not _is_ours(thrown) else "worker",
        "exception": _type_name(thrown),
        "message": _message(thrown)[:_LONGEST],
        "frames": _frame_lines(chain, user_root),
    }
    if places:
        described["file"], described["line"] = places[0]
    hint = thrown.hint if isinstance(thrown, UserError) else _known_hint(chain)
    if hint is not None:
        described["hint"] = hint
    if isinstance(thrown, UserError) and thrown.path is not None:
        described["path"] = thrown.path
    if isinstance(thrown, OSError) and thrown.errno is not None:
        described["errno"] = thrown.errno
    return described


def _known_hint(chain: list[BaseException]) -> Optional[str]:
    hints = (hint_for(error, _message(error)) for error in chain)
    return next((hint for hint in hints if hint is not None), None)


def _chain(thrown: BaseException) -> Iterator[BaseException]:
    """The exception, then what caused it, as a traceback would show."""
    seen: set[int] = set()
    current: Optional[BaseException] = thrown
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _type_name(thrown: BaseException) -> str:
    kind = type(thrown)
    return kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__name__}"


def _message(thrown: BaseException) -> str:
    if isinstance(thrown, SystemExit):
        return f"sys.exit({'' if thrown.code is None else repr(thrown.code)}) was called"
    if isinstance(thrown, SyntaxError):
        return str(thrown.msg)
    try:
        text = str(thrown)
    except Exception:  # noqa: BLE001 - a user's exception whose own text fails
        text = "(its text could not be made)"
    return "\n".join([text, *getattr(thrown, "__notes__", [])])


def _frames(traceback: Optional[TracebackType]) -> list[_Frame]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        # Code without a file (`<string>`), compiled code, whose paths are those of another machine, and what carries out
        # an import say nothing.
        if os.path.isabs(code.co_filename) and code.co_filename != importlib.__file__:
            frames.append(_Frame(os.path.realpath(code.co_filename), traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return frames


def _relative(path: str, user_root: str) -> Optional[str]:
    """The path below the user's root; ``None`` for libraries, also those that lie inside it."""
    root = os.path.realpath(user_root)
    if not path.startswith(root + os.sep) or "site-packages" in path or path.startswith(sys.prefix + os.sep):
        return None
    if path.startswith(_PACKAGE + os.sep):
        return None
    return os.path.relpath(path, root).replace(os.sep, "/")


def _place(thrown: BaseException, user_root: str) -> Optional[tuple[str, int]]:
    """File and line of the user's code where it happened: the innermost frame of theirs."""
    if isinstance(thrown, SyntaxError) and thrown.filename is not None:
        file = _relative(os.path.realpath(thrown.filename), user_root)
        if file is not None:
            return file, thrown.lineno or 1
    for frame in reversed(_frames(thrown.__traceback__)):
        file = _relative(frame.path, user_root)
        if file is not None:
            return file, frame.line
    return None


def _told_place(thrown: BaseException) -> Optional[tuple[str, int]]:
    """The place that the error itself says is at fault: where a function stands that did not do what was asked."""
    if isinstance(thrown, UserError) and thrown.file is not None and thrown.line is not None:
        return thrown.file, thrown.line
    return None


def _is_ours(thrown: BaseException) -> bool:
    """Whether Millrace's own code raised it, rather than a library that it called for the user."""
    if isinstance(thrown, UserError):
        return False
    frames = _frames(thrown.__traceback__)
    return not frames or frames[-1].path.startswith(_PACKAGE + os.sep)


def _frame_lines(chain: list[BaseException], user_root: str) -> list[str]:
    lines: list[str] = []
    for index, error in enumerate(chain):
        if index > 0:
            lines.append(f"caused by {_type_name(error)}: {_message(error)[:_LONGEST]}")
        lines.extend(_lines_of(error, user_root))
    return lines[:_MOST_FRAMES]


def _lines_of(error: BaseException, user_root: str) -> list[str]:
    frames = _frames(error.__traceback__)
    own = [line for frame in frames for line in [_user_line(frame, user_root)] if line is not None]
    if isinstance(error, SyntaxError):
        place = _place(error, user_root)
        own.extend([f"{place[0]}:{place[1]}: {(error.text or '').strip()}"] if place is not None else [])
    if own:
        return own
    # Nothing of the user's: where the library or Millrace raised it, and from where Millrace called.
    shown = frames if error.__traceback__ is not None and _is_ours(error) else frames[-1:]
    return [f"{_short(frame.path)}:{frame.line} in {frame.function}" for frame in shown[-10:]]


def _user_line(frame: _Frame, user_root: str) -> Optional[str]:
    file = _relative(frame.path, user_root)
    if file is None:
        return None
    source = linecache.getline(frame.path, frame.line).strip()
    return f"{file}:{frame.line} in {frame.function}" + (f": {source}" if source else "")


def _short(path: str) -> str:
    for marker in ("site-packages" + os.sep, os.path.dirname(_PACKAGE) + os.sep):
        if marker in path:
            return path.rsplit(marker, 1)[1]
    return path
