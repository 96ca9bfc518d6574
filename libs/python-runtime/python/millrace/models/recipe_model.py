"""The bundled loader (`millrace_recipe_model_v1`) under the name that models refer to it by."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

LOADER_MODULE = "millrace_recipe_model_v1"
LOADER_FILE = os.path.join(os.path.dirname(__file__), f"{LOADER_MODULE}.py")


def loader_module() -> ModuleType:
    """The module; pickles made with it load wherever the model's `code/` is on the path."""
    if LOADER_MODULE in sys.modules:
        return sys.modules[LOADER_MODULE]
    spec = importlib.util.spec_from_file_location(LOADER_MODULE, LOADER_FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[LOADER_MODULE] = module
    spec.loader.exec_module(module)
    return module
