"""Finds the command ``millrace`` and runs it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from millrace.client.errors import MillraceRecipeError

#: The script of the repository that this package lies in, from that repository's root.
_SCRIPT = Path("libs", "cli", "bin", "millrace.mjs")


def find_command() -> list[str]:
    """The words that start ``millrace``: ``MILLRACE_COMMAND``, else the one on PATH, else that of the repository that
    this package lies in.

    :raises MillraceRecipeError: there is none.
    """
    given = os.environ.get("MILLRACE_COMMAND")
    if given:
        return shlex.split(given)
    on_path = shutil.which("millrace")
    if on_path is not None:
        return [on_path]
    script = _script_of_repository()
    node = shutil.which("node")
    if script is not None and node is not None:
        return [node, str(script)]
    raise MillraceRecipeError(
        "the command millrace was not found" if script is None else "Node was not found, which millrace runs on",
        hint="Put `millrace` on PATH, or set MILLRACE_COMMAND to what starts it.",
        code="not_found",
    )


def _script_of_repository() -> Optional[Path]:
    for directory in Path(__file__).resolve().parents:
        if (directory / _SCRIPT).is_file():
            return directory / _SCRIPT
    return None


class Answer:
    """What a command line ended with."""

    def __init__(self, output: str, error: Optional[dict[str, Any]], code: int) -> None:
        #: The JSON document that it printed, or ``None``.
        self.document: Any = json.loads(output) if output.strip() else None
        #: ``code``, ``message``, ``hint`` … of the error that it ended with, or ``None``.
        self.error = error
        self.code = code


def run_command(
    arguments: Sequence[str],
    directory: str,
    on_line: Callable[[str], None],
) -> Answer:
    """Runs ``millrace`` in a directory and waits for its end; what it tells meanwhile goes to ``on_line``, line by
    line. An interrupt (Ctrl-C, the notebook's stop button) is passed on to it, and raised when it has ended.
    """
    process = subprocess.Popen(
        [*find_command(), *arguments, "--json"],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        # A group of its own: a Ctrl-C reaches it once, through us, and not a second time from the terminal.
        start_new_session=True,
    )
    output: list[str] = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()), daemon=True)
    reader.start()
    interrupted = False
    error: Optional[dict[str, Any]] = None
    while True:
        try:
            for line in process.stderr:
                error = _error_in(line) or error
                if _error_in(line) is None:
                    on_line(line.rstrip("\n"))
            code = process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)
    reader.join()
    if interrupted:
        raise KeyboardInterrupt
    return Answer("".join(output), error, code)


def _error_in(line: str) -> Optional[dict[str, Any]]:
    """The error that a line of standard error is, if it is one."""
    if not line.startswith('{"error":'):
        return None
    try:
        found = json.loads(line)["error"]
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
