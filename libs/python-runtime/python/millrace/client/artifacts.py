"""Loads what the steps of a recipe made."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any, Callable

from millrace.client.errors import MillraceRecipeError
from millrace.client.tracking import has_mlflow, model_version_of, run_of


def load_artifact(name: str, path: str, root: Path) -> Any:
    """What lies at ``path``, as the type that MLflow Recipes gave for the artifact of that name.

    :param root: the project's directory, whose modules a pickle may refer to.
    """
    return _LOADERS.get(name, _table)(Path(path), root)


def _table(path: Path, _root: Path) -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise MillraceRecipeError(
            f"{path} is a table, and pandas is not installed here",
            hint="Install pandas and pyarrow in this environment.",
            code="failed_precondition",
        ) from error
    return pd.read_parquet(path)


def _text(path: Path, _root: Path) -> str:
    return path.read_text(encoding="utf-8")


def _run(path: Path, _root: Path) -> Any:
    return run_of(json.loads(path.read_text(encoding="utf-8")))


def _model_version(path: Path, _root: Path) -> Any:
    return model_version_of(json.loads(path.read_text(encoding="utf-8")))


def _transformer(path: Path, root: Path) -> Any:
    """Unpickles it: only the user's own code and packages ran when it was made."""
    file = path / "transformer.pkl" if path.is_dir() else path
    if not file.is_file():
        raise _not_python(path, "transformer")
    use_project(root)
    try:
        with file.open("rb") as stream:
            return pickle.load(stream)
    except (AttributeError, ImportError) as error:
        raise MillraceRecipeError(
            f"the transformer refers to what is not installed here: {error}",
            hint="Load it with the versions of packages that it was made with: those of the recipe's environment.",
            code="failed_precondition",
        ) from error


def _model(path: Path, root: Path) -> Any:
    if "python_function" not in (path / "MLmodel").read_text(encoding="utf-8"):
        raise _not_python(path, "model")
    use_project(root)
    if has_mlflow():
        from mlflow import pyfunc

        return pyfunc.load_model(str(path))
    from millrace.models.load import load_predictor

    return load_predictor(str(path))


def use_project(root: Path) -> None:
    """Makes the project's own modules (``steps.train``) importable, behind everything else."""
    if str(root) not in sys.path:
        sys.path.append(str(root))


def _not_python(path: Path, what: str) -> MillraceRecipeError:
    return MillraceRecipeError(
        f"the {what} was not made by Python and cannot be loaded here: it lies in {path}",
        hint="Predict with it through an endpoint, or with `millrace predict`.",
        code="failed_precondition",
    )


_LOADERS: dict[str, Callable[[Path, Path], Any]] = {
    "best_parameters": _text,
    "model": _model,
    "registered_model_version": _model_version,
    "run": _run,
    "transformer": _transformer,
}
