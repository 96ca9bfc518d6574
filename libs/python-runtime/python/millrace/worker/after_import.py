"""Something to be done once a module is imported, if it ever is."""

from __future__ import annotations

import sys
from typing import Any, Callable


class _AfterImport:
    """Finder that calls ``then`` once, after the module ``name`` was imported the usual way.

    It derives from nothing: ``importlib.abc`` would double the time that a worker takes to start.
    """

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self.name = name
        self._then = then

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != self.name:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_then(module: Any) -> None:
            execute(module)
            self._then(module)

        spec.loader.exec_module = execute_then  # type: ignore[method-assign]
        return spec


def after_import(name: str, then: Callable[[Any], None]) -> None:
    """Calls ``then`` with the module ``name`` when it is imported; nothing when that is already asked for.

    The module must not have been imported.
    """
    waiting = (finder.name for finder in sys.meta_path if isinstance(finder, _AfterImport))
    if name not in waiting:
        sys.meta_path.insert(0, _AfterImport(name, then))  # type: ignore[arg-type]
