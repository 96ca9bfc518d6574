"""Pickles of transformers and estimators: the same bytes for the same object, in every process and place."""

from __future__ import annotations

import os
import pickle
import sys
import types
from collections import ChainMap
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

from millrace.errors import UserError

#: The newest that every supported Python reads; pinned, as the bytes depend on it.
PICKLE_PROTOCOL = 5


def write_pickle(value: Any, path: str, project: str, what: str, field: Optional[str] = None) -> None:
    """With cloudpickle, as MLflow does: functions of `steps` by reference, lambdas by value.

    A lambda's code and module name the file it comes from; below `project` they do so relative to it. Raises
    `UserError` for what cannot be pickled, naming it by `what` and the recipe's `field`.
    """
    import cloudpickle

    class Pickler(cloudpickle.Pickler):
        dispatch_table = ChainMap(
            {types.CodeType: _relative_code(project, cloudpickle.Pickler.dispatch_table)},
            cloudpickle.Pickler.dispatch_table,
        )

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file, _relative_modules(project):
        try:
            Pickler(file, protocol=PICKLE_PROTOCOL).dump(value)
        except (pickle.PicklingError, TypeError) as error:
            raise UserError(
                f"{what} cannot be stored: {error}",
                field,
                "let it hold no open files, locks or generators once it is fitted",
            ) from error


def _relative_code(project: str, dispatch_table: Any) -> Callable[[types.CodeType], Any]:
    reduce_code = dispatch_table[types.CodeType]

    def reduce(code: types.CodeType) -> Any:
        return reduce_code(code.replace(co_filename=_relative(project, code.co_filename)))

    return reduce


@contextmanager
def _relative_modules(project: str) -> Iterator[None]:
    """Meanwhile the user's modules say where they lie relative to the project."""
    changed: list[tuple[types.ModuleType, str]] = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and _relative(project, file) != file:
            changed.append((module, file))
    try:
        for module, file in changed:
            module.__file__ = _relative(project, file)
        yield
    finally:
        for module, file in changed:
            module.__file__ = file


def _relative(project: str, file: str) -> str:
    root = os.path.join(os.path.abspath(project), "")
    # An environment may lie below the project; its packages are not the user's files.
    if not file.startswith(root) or "site-packages" in file:
        return file
    return file[len(root) :].replace(os.sep, "/")


def read_pickle(path: str) -> Any:
    """Runs what the file holds: only for files that this recipe wrote."""
    import cloudpickle

    with open(path, "rb") as file:
        return cloudpickle.load(file)


def forget_timings(fitted: Any) -> None:
    """Sets the fit times that scikit-learn's searches keep to zero, in the estimator and those inside it."""
    for each in _nested(fitted, set()):
        if hasattr(each, "refit_time_"):
            each.refit_time_ = 0.0
        results = getattr(each, "cv_results_", None)
        if isinstance(results, dict):
            for name in [name for name in results if name.endswith(("fit_time", "score_time"))]:
                results[name] = results[name] * 0


def _nested(value: Any, seen: set[int]) -> Iterator[Any]:
    """The estimator and all estimators that its attributes hold."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _nested(each, seen)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _nested(each, seen)
    elif hasattr(value, "fit") and hasattr(value, "__dict__"):
        yield value
        for each in list(vars(value).values()):
            yield from _nested(each, seen)
