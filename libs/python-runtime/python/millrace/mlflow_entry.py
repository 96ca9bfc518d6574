"""The old entry points: ``mlflow.recipes``, ``mlflow.pipelines`` and ``mlflow recipes …`` on the command line.

A module that the installed MLflow has itself (``mlflow.recipes`` of 2.x) is left alone. Without any MLflow, a bare
``import mlflow`` fails as ever: only what leads to these modules gets a package to hang them in.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Optional

#: Module → what it holds, by name, and the name in ``millrace.recipe``; packages hold submodules.
_MODULES: dict[str, dict[str, str]] = {
    "mlflow.recipes": {"Recipe": "Recipe"},
    "mlflow.recipes.recipe": {"Recipe": "Recipe", "BaseRecipe": "Recipe"},
    "mlflow.recipes.regression": {},
    "mlflow.recipes.regression.v1": {},
    "mlflow.recipes.regression.v1.recipe": {"RegressionRecipe": "RegressionRecipe"},
    "mlflow.recipes.classification": {},
    "mlflow.recipes.classification.v1": {},
    "mlflow.recipes.classification.v1.recipe": {"ClassificationRecipe": "ClassificationRecipe"},
    "mlflow.pipelines": {"Pipeline": "Recipe"},
    "mlflow.pipelines.pipeline": {"Pipeline": "Recipe"},
    "mlflow.pipelines.regression": {},
    "mlflow.pipelines.regression.v1": {},
    "mlflow.pipelines.regression.v1.pipeline": {"RegressionPipeline": "RegressionRecipe"},
}

_FAMILIES = ("recipes", "pipelines")


def missing_spec(name: str) -> Optional[ModuleSpec]:
    """How to make a module that nobody else has; ``None`` for one that is not ours to give."""
    if name == "mlflow":
        return ModuleSpec(name, _Namespace(), is_package=True) if _is_wanted_by_ours() else None
    if name not in _MODULES:
        return None
    if name.count(".") > 1 and not _is_ours(name.rpartition(".")[0]):
        # A module that is missing from a package of MLflow's own stays missing.
        return None
    is_package = any(other.startswith(f"{name}.") for other in _MODULES)
    return ModuleSpec(name, _Compatible(), is_package=is_package)


def _is_ours(name: str) -> bool:
    return isinstance(getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None), _Compatible)


def _is_wanted_by_ours() -> bool:
    """Whether the import of ``mlflow`` that is under way is the first part of one of our modules'.

    Python imports the parent first, and nothing but the frames of the import system tells for whom.
    """
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load_unlocked" and frame.f_locals.get("name") in _MODULES:
            return True
        frame = frame.f_back
    return False


class _Compatible:
    """Fills a module with what Millrace has under the names that MLflow had."""

    @staticmethod
    def create_module(_spec: ModuleSpec) -> None:
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        from millrace import recipe

        names = _MODULES[module.__name__]
        for name, ours in names.items():
            setattr(module, name, getattr(recipe, ours))
        module.__all__ = list(names)
        module.__doc__ = "Recipes, run by Millrace."


class _Namespace:
    """The package ``mlflow`` where none is installed."""

    @staticmethod
    def create_module(_spec: ModuleSpec) -> None:
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        def missing(name: str) -> Any:
            raise AttributeError(
                f"module 'mlflow' has no attribute {name!r}: MLflow is not installed here, and of its modules Millrace "
                "has mlflow.recipes and mlflow.pipelines only"
            )

        module.__getattr__ = missing


def extended_spec(name: str, path: Any, target: Any, asking: Any) -> Optional[ModuleSpec]:
    """How others load MLflow or its command line, with what they lack added when it is loaded."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec = None if finder is asking or find is None else find(name, path, target)
        if spec is not None:
            break
    else:
        return None
    if isinstance(spec.loader, _Namespace) or not hasattr(spec.loader, "exec_module"):
        return spec
    _afterwards(spec.loader, _add_commands if name == "mlflow.cli" else _add_modules)
    return spec


def _afterwards(loader: Any, extend: Callable[[ModuleType], None]) -> None:
    load = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        load(module)
        extend(module)

    loader.exec_module = exec_module


class _Lazy(ModuleType):
    """Stands for a module until something of it is asked for: ``mlflow.recipes`` without an import of its own."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from importlib import import_module

        return getattr(import_module(self.__name__), name)


def _add_modules(mlflow: ModuleType) -> None:
    for family in _FAMILIES:
        if family not in vars(mlflow):
            setattr(mlflow, family, _Lazy(f"mlflow.{family}"))


def _add_commands(module: ModuleType) -> None:
    group = getattr(module, "cli", None)
    if group is None or not hasattr(group, "commands"):
        return
    from millrace.mlflow_commands import command_group

    for family in _FAMILIES:
        if family not in group.commands:
            group.add_command(command_group(family))
