"""Shows HTML pages: inline in a notebook, else by their path and in a browser where there is a display."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from pathlib import Path

_HEIGHT = 640


def in_notebook() -> bool:
    """Whether IPython runs this and can show HTML."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def show_page(path: str) -> None:
    """Shows a page that lies on this machine."""
    if in_notebook():
        from IPython.display import HTML, display

        display(HTML(inline_frame(Path(path).read_text(encoding="utf-8"))))
        return
    print(path)
    _open(path)


def inline_frame(page: str) -> str:
    """A page inside another: in a frame of its own, whose style and content stay apart and which runs no script."""
    # IPython would rather have frames that load an address, and says so unless something is around this one.
    return (
        f'<div><iframe srcdoc="{html.escape(page)}" sandbox="" loading="lazy" '
        f'style="width:100%;height:{_HEIGHT}px;border:0"></iframe></div>'
    )


def _open(path: str) -> None:
    on_mac = sys.platform == "darwin"
    if not on_mac and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    opener = shutil.which("open" if on_mac else "xdg-open")
    if opener is None:
        return
    subprocess.Popen(
        [opener, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
