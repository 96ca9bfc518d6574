"""Step functions of the user: found in `steps/*.py`, and named in every error about them."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Optional

from millrace.errors import UserError


@dataclass(frozen=True)
class UserFunction:
    """A step function with where it stands. Call it as the function itself: what it raises passes through."""

    name: str
    call: Callable[..., Any]
    file: str
    line: Optional[int]
    #: Field of the recipe that names it.
    path: str

    def __call__(self, *args: Any) -> Any:
        self._check_arguments(args)
        return self.call(*args)

    def _check_arguments(self, args: tuple[Any, ...]) -> None:
        """Else a call with the wrong number of them would look like a mistake of Millrace."""
        try:
            signature = inspect.signature(self.call)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*args)
        except TypeError as problem:
            count = "no argument" if not args else "1 argument" if len(args) == 1 else f"{len(args)} arguments"
            raise self.error(f"is called with {count}, but {problem}") from None

    def error(self, problem: str, hint: Optional[str] = None) -> UserError:
        """The error that this function did not do what was asked: `problem` continues its name."""
        return UserError(
            f"`{self.name}` in {self.file} {problem}", self.path, hint, self.file, self.line
        )

    def positional_arity(self) -> Optional[int]:
        """How many positional arguments it takes at most; None when any number or unknown."""
        try:
            parameters = inspect.signature(self.call).parameters.values()
        except (TypeError, ValueError):
            return None
        if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
            return None
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return sum(each.kind in positional for each in parameters)


def user_function(project: str, step: str, name: str, path: str) -> UserFunction:
    """The function `name` of `steps/<step>.py` below `project`.

    A dotted name brings its own module (`steps.split.keep`, as MLflow Pipelines wrote it, or one of the
    user's helpers). Raises `UserError` when the file or the function does not exist; what the import of the
    user's file raises passes through.
    """
    module_name, _, function_name = name.rpartition(".")
    module_name = module_name or f"steps.{step}"
    module = _user_module(project, module_name, name, path)
    file = project_path(project, getattr(module, "__file__", None)) or module_name
    function = getattr(module, function_name, None)
    if function is None:
        raise UserError(
            f"{file} has no function `{function_name}`", path, _functions_hint(module), file
        )
    if not callable(function):
        kind = type(function).__name__
        raise UserError(f"`{function_name}` in {file} is no function but a {kind}", path, None, file)
    return UserFunction(function_name, function, *_position(project, function, file), path)


def _user_module(project: str, module_name: str, name: str, path: str) -> ModuleType:
    if project not in sys.path:
        sys.path.append(project)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Only a missing module of the recipe itself; one that the user's file imports is the user's to see.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        file = module_name.replace(".", "/") + ".py"
        raise UserError(
            f"{file} does not exist, but the recipe names its function `{name}`",
            path,
            f"create {file} with a function `{name.rpartition('.')[2]}`",
            file,
        ) from error


def _functions_hint(module: ModuleType) -> str:
    names = sorted(
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    )
    return f"it defines {', '.join(names)}" if names else "it defines no function"


def _position(project: str, function: Callable[..., Any], file: str) -> tuple[str, Optional[int]]:
    """File and line of the function itself, which may have been imported from elsewhere or decorated."""
    try:
        target = inspect.unwrap(function)
        own_file = project_path(project, inspect.getsourcefile(target))
        return own_file or file, inspect.getsourcelines(target)[1]
    except (OSError, TypeError, ValueError):
        return file, None


def project_path(project: str, file: Optional[str]) -> Optional[str]:
    """`file` relative to the project; as it is when it lies elsewhere."""
    if file is None:
        return None
    relative = os.path.relpath(os.path.realpath(file), os.path.realpath(project))
    return file if relative.startswith(os.pardir) else relative.replace(os.sep, "/")


def has_method(value: Any, name: str) -> bool:
    """Whether it has the method, or its class has: some of scikit-learn's show theirs only once they are fitted."""
    return callable(getattr(value, name, None)) or callable(getattr(type(value), name, None))
